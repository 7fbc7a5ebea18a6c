"""What emu exec --strace and -c show of a program's system calls."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TextIO

from asm.errors import why
from emu.errors import InputError
from syscalls.count import Count
from syscalls.strace import Strace
from syscalls.tracer import Both

if TYPE_CHECKING:
    from emu.process.program import Ended, Program


class Watch:
    """Watches a program from its start to its end, as the options say; nothing, without them.

    given: the options of the command. stack: closes the file that is written.
    """

    def __init__(self, given: dict[str, Any], stack: ExitStack) -> None:
        self._prints = given["strace"]
        self._longest = given["longest"]
        self._host_time = given["host_time"]
        self._strace: Strace | None = None
        self._count = Count() if given["count"] else None
        watches = self._prints or self._count
        self._out = _output(stack, given["out"]) if watches else sys.stderr

    def begin(self, process: Program) -> None:
        """The program is loaded, and not yet started."""
        kernel = process.kernel
        if self._prints:
            stack = process.kernel.context.processor
            self._strace = Strace(self._line, kernel.read, self._longest, lambda: stack.get("rsp"))
            self._begin_strace(process, self._strace)
        if self._strace and self._count:
            kernel.tracer = Both(self._strace, self._count)
        else:
            kernel.tracer = self._strace or self._count

    def _begin_strace(self, process: Program, strace: Strace) -> None:
        process.kernel.context.signals.watch = lambda info: strace.signal(info.pack())
        about = process.kernel.context.filesystem.program
        if process.loaded:
            path, envp = os.fsencode(process.path), process.loaded.envp
            strace.started(path, process.argv, envp, len(about.environment))

    def end(self, ended: Ended) -> None:
        """The program has ended, by itself or by a signal."""
        if self._strace and ended.signal is not None:
            self._strace.killed(ended.signal, core=ended.core)
        elif self._strace:
            self._strace.exited(ended.exit_status)

    def finish(self) -> None:
        """However it ended: what was counted. Times are shown where they are the host's."""
        if self._count:
            table = self._count.table() if self._host_time else self._count.table_of_calls()
            self._out.write(table)
            self._out.flush()

    def _line(self, text: str) -> None:
        self._out.write(text + "\n")
        self._out.flush()


def _output(stack: ExitStack, path: str | None) -> TextIO:
    if path is None:
        return sys.stderr
    try:
        return stack.enter_context(open(path, "w", encoding="utf-8", errors="backslashreplace"))
    except OSError as error:
        raise InputError(f"cannot be written: {why(error)}", f"-o {path}") from None
