"""What emu exec --check-heap shows of a program: errors as they happen, leaks at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from emu.errors import InputError

if TYPE_CHECKING:
    from emu.process.program import Ended, Program
    from emu.sanitizer.errors import HeapError
    from emu.sanitizer.leaks import Leak

_WRONG = 1
CHECK_HEAP = click.option(
    "--check-heap",
    "checked",
    metavar="PREFIX",
    help="Look at each access to the heap of PREFIXmalloc, PREFIXfree and so on; "
    "`malloc` for the C library's own.",
)


class HeapCheck:
    """Checks a program from its start to its end, if it was asked for.

    given: the options of the command. Close it before the program.
    """

    def __init__(self, given: dict[str, Any], process: Program) -> None:
        self._process, self._quiet = process, given["quiet"]
        self._prefix: str | None = given["checked"]
        self._errors = 0
        if self._prefix is None:
            return
        from emu.sanitizer.program import ProgramSanitizer

        self._sanitizer = ProgramSanitizer(process, self._prefix, self._show)
        if not self._sanitizer.watched and len(process.objects) == 1:
            raise self._nothing()

    def close(self) -> None:
        """The program is no longer looked at."""
        if self._prefix is not None:
            self._sanitizer.close()

    def status(self, ended: Ended) -> int:
        """The program has ended: its leaks are shown. What the exit status is, then."""
        if self._prefix is None:
            return ended.status
        if not self._sanitizer.watched:
            raise self._nothing()
        from emu.sanitizer.leaks import Loss

        leaks = self._sanitizer.leaks()
        lost = [leak for leak in leaks if leak.loss in (Loss.DEFINITELY, Loss.INDIRECTLY)]
        for leak in lost:
            self._show_leak(leak)
        self._say(self._summary(leaks))  # also of a clean program: silence says nothing
        wrong = self._sanitizer.count or lost
        return ended.status or (_WRONG if wrong else 0)

    def _nothing(self) -> InputError:
        from emu.sanitizer.functions import LIBC

        name = "malloc" if self._prefix == LIBC else f"{self._prefix}malloc"
        return InputError(
            f"there is no function {name}, nor another of its family",
            f"--check-heap {self._prefix}",
            expected="a prefix, as os_ for os_malloc, in a program that has its symbols",
        )

    def _show(self, error: HeapError) -> None:
        from emu.sanitizer import report

        self._say(report.error(error, self._sanitizer.objects))

    def _show_leak(self, leak: Leak) -> None:
        from emu.sanitizer import report

        self._say(report.leak(leak, self._sanitizer.objects))

    def _summary(self, leaks: list[Leak]) -> str:
        from emu.sanitizer import report

        return report.summary(self._sanitizer.count, leaks)

    def _say(self, text: str) -> None:
        if not self._quiet:
            click.echo(f"emu: {text}", err=True)
