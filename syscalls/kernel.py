"""The kernel: look up, call, answer, record."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from syscalls import kinds
from syscalls.abi import ENOSYS, Errno, errno_name
from syscalls.address_space import AddressSpace
from syscalls.call import Context, Ending, ProcessExit
from syscalls.kinds import Kind
from syscalls.memory import Memory
from syscalls.names import name_of
from syscalls.processor import NoProcessor, Processor
from syscalls.shortage import Limits, Shortages
from syscalls.table import BY_NUMBER, Row
from syscalls.world import Capture, World

__all__ = ["Kernel", "ProcessExit", "SystemCall"]

_UNKNOWN_PARAMS = (kinds.SIZE,) * 6


def strace_line(name: str, args: Iterable[object], result: object, errno: str | None) -> str:
    """A system call as strace prints it; a list of names is a word of flags."""
    shown = ", ".join("|".join(arg) if isinstance(arg, list) else str(arg) for arg in args)
    answer = "?" if result is None else f"{result} {errno}" if errno else result
    return f"{name}({shown}) = {answer}"


@dataclass(frozen=True, slots=True, repr=False)
class SystemCall:
    """What was asked and answered. args are decoded; result is None where there is no return.

    A failed call has the result -1 and the errno's name; repr() is the line that strace prints.
    """

    number: int
    name: str
    args: tuple[int, ...]
    result: int | None
    errno: str | None = None

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """What each argument means."""
        row = BY_NUMBER.get(self.number)
        return row.params if row else _UNKNOWN_PARAMS

    @property
    def result_kind(self) -> Kind:
        row = BY_NUMBER.get(self.number)
        return row.result if row else kinds.INT

    def __repr__(self) -> str:
        args = (kind.shown(value) for kind, value in zip(self.kinds, self.args, strict=False))
        spelled = [
            hex(arg) if kind is kinds.ADDRESS and isinstance(arg, int) and arg else arg
            for kind, arg in zip(self.kinds, args, strict=False)
        ]
        is_address = self.result_kind is kinds.ADDRESS and not self.errno
        result = hex(self.result) if is_address and self.result else self.result
        return strace_line(self.name, spelled, result, self.errno)


class Kernel:
    """Linux for one process.

    memory: where its bytes are. break_at: where its heap starts, a multiple of the page.
    processor: its CPU. world: what it is given of the host.
    `calls` records every system call, in order.
    """

    def __init__(
        self,
        memory: Memory,
        break_at: int = 0,
        limits: Limits | None = None,
        world: World | None = None,
        processor: Processor | None = None,
    ) -> None:
        self.space = AddressSpace(memory, limits, break_at)
        self.context = Context(self.space, world or World(), processor or NoProcessor())
        self.shortages = Shortages()
        self.calls: list[SystemCall] = []

    def close(self) -> None:
        """Gives back what the process had of the host."""
        self.space.write_back()
        self.context.files.close_all()

    def output(self, fd: int) -> bytes:
        """What the process has written to 1 or 2, where that is kept in memory."""
        stream = (self.context.world.stdout, self.context.world.stderr)[fd - 1]
        return bytes(stream.written) if isinstance(stream, Capture) else b""

    def call(self, number: int, registers: tuple[int, ...]) -> int:
        """One `syscall`: rax and the six argument registers in, rax out (64 bits, unsigned).

        ProcessExit where the process ends. No other exception, whatever the guest passes.
        """
        row = BY_NUMBER.get(number)
        if row is None:
            self._record(number, name_of(number), registers, -ENOSYS)
            return -ENOSYS & (1 << 64) - 1
        args = tuple(kind.decode(r) for kind, r in zip(row.params, registers, strict=False))
        try:
            result = self._answer(row, args)
        except Ending:
            self.calls.append(SystemCall(number, row.name, args, None))
            raise
        self._record(number, row.name, args, result)
        return result & (1 << 64) - 1

    def _answer(self, row: Row, args: tuple[int, ...]) -> int:
        planned = self.shortages.due(row.name)
        self.context.planned_errno = planned
        if planned is not None and row.name != "brk":
            return -planned
        try:
            return row.handler(self.context, *args)
        except Errno as error:
            return -error.number

    def _record(self, number: int, name: str, args: tuple[int, ...], result: int) -> None:
        if result < 0:
            self.calls.append(SystemCall(number, name, args, -1, errno_name(-result)))
        else:
            self.calls.append(SystemCall(number, name, args, result))
