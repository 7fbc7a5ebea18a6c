"""System calls as strace 6.1 prints them, a line each, and what else it tells of a process.

Everything follows from the row of the call: its name, and the kinds of its arguments and result.
What a call reads of the guest's memory is looked at before it, what it writes after it, and only
if it succeeded. Deviations: a line is written when its call is over, never in two halves; moments
are in UTC.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from syscalls.abi import errno_name
from syscalls.row import Row
from syscalls.signal_numbers import signal_name
from syscalls.text.restarts import RESTARTS
from syscalls.text.sight import Read, Sight
from syscalls.text.siginfo import siginfo_words
from syscalls.text.strings import quoted

COLUMN = 40
"""Where the answer stands, if there is room."""
STRING_LENGTH = 32


class Entered:
    """A call under way. texts: its arguments, as far as known; late: those that are not."""

    __slots__ = ("late", "row", "sight", "texts")

    def __init__(self, row: Row, sight: Sight) -> None:
        self.row = row
        self.sight = sight
        self.texts: list[str | None] = []
        self.late: list[int] = []


class Strace:
    """A tracer (tracer.py) that writes lines.

    write_line: takes a line, without its end. read: the guest's memory. string_length: how many
    bytes of a string are printed, and elements of an array. stack: asks for the stack pointer.
    """

    def __init__(
        self,
        write_line: Callable[[str], None],
        read: Read,
        string_length: int = STRING_LENGTH,
        stack: Callable[[], int] = int,
    ) -> None:
        self._stack = stack
        self._write = write_line
        self._read = read
        self._string_length = string_length

    def entering(self, row: Row, args: tuple[int, ...]) -> Entered:
        """Looks at what the call is given."""
        call = Entered(row, self._sight(args))
        hidden = False
        for index, (kind, value) in enumerate(zip(row.params, args, strict=True)):
            call.sight.index = index
            if not hidden and kind.is_late(call.sight):
                call.late.append(index)
            call.texts.append(
                None if hidden or index in call.late else kind.strace(value, call.sight)
            )
            hidden = kind.hides is not None and kind.hides(value)
        if row.result.unasked:
            call.texts.append(row.result.unasked(call.sight))
        return call

    def leaving(self, call: Entered, result: int | None) -> None:
        """Looks at what the call has answered, and writes the line. None: it does not come back."""
        if result is None and call.late:
            shown = [*_shown(call.texts[: call.late[0]]), " <unfinished ...>"]
        else:
            self._look_again(call, result)
            shown = _shown(call.texts)
        made = f"{call.row.name}({', '.join(shown)}) "
        self._write(f"{made:{COLUMN}}= {'?' if result is None else _answer(call, result)}")

    def started(self, path: bytes, argv: Sequence[bytes], envp: int, variables: int) -> None:
        """The call that began it. envp: where the environment lies, with so many variables."""
        words = [quoted(arg[: self._string_length], len(arg) > self._string_length) for arg in argv]
        cut = words[: self._string_length] + ["..."] * (len(words) > self._string_length)
        counted = f"{variables} var{'s' * (variables != 1)}"
        self._write(f"execve({quoted(path)}, [{', '.join(cut)}], {envp:#x} /* {counted} */) = 0")

    def signal(self, info: bytes) -> None:
        """A signal is delivered. info: its siginfo_t, 128 bytes."""
        number = int.from_bytes(info[:4], "little")
        self._write(f"--- {signal_name(number)} {siginfo_words(info)} ---")

    def exited(self, status: int) -> None:
        self._write(f"+++ exited with {status} +++")

    def killed(self, number: int, *, core: bool = False) -> None:
        """core: whether it left a core dump."""
        self._write(f"+++ killed by {signal_name(number)}{' (core dumped)' * core} +++")

    def _sight(self, args: tuple[int, ...]) -> Sight:
        return Sight(args, self._read, self._string_length, self._stack())

    def _look_again(self, call: Entered, result: int | None) -> None:
        call.sight.result = result
        for index in call.late:
            call.sight.index = index
            kind = call.row.params[index]
            call.texts[index] = kind.strace(call.sight.args[index], call.sight)
        for index, kind in enumerate(call.row.params):
            if kind.then and call.texts[index] is not None:
                call.sight.index = index
                call.texts[index] = (
                    f"{call.texts[index]}{kind.then(call.sight.args[index], call.sight)}"
                )


def _shown(texts: list[str | None]) -> list[str]:
    return [text for text in texts if text is not None]


def _answer(call: Entered, result: int) -> str | None:
    """The errno in words; or the number, and what it means."""
    if result < 0:
        restart = RESTARTS.get(-result)
        return f"? {restart}" if restart else _error(-result)
    for index, kind in enumerate(call.row.params):
        call.sight.index = index
        text = kind.answer(call.sight.args[index], call.sight) if kind.answer else None
        if text is not None:
            return text
    call.sight.index = -1
    return call.row.result.strace(result, call.sight)


def _error(number: int) -> str:
    return f"-1 {errno_name(number)} ({os.strerror(number)})"
