"""The kernel: look up, call, answer, record."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import lru_cache
from struct import Struct
from typing import ClassVar, NamedTuple

from syscalls import kinds
from syscalls.abi import ENOSYS, Errno, Map, errno_name
from syscalls.address_space import AddressSpace, SpaceState
from syscalls.beginning import Beginning
from syscalls.call_names import arity_of, name_of
from syscalls.cannot_keep import CannotKeep
from syscalls.context import Context
from syscalls.ending import Ending
from syscalls.files.host_file import HostFile
from syscalls.image import Image, made_again
from syscalls.kind import Kind
from syscalls.memory import Memory
from syscalls.processor import NoProcessor, Processor
from syscalls.row import Row
from syscalls.shortage import Limits, Planned, Shortages
from syscalls.table import BY_NAME, BY_NUMBER, MEMORY
from syscalls.tracer import Tracer
from syscalls.world import Capture, World

_PACK = Struct("<6Q").pack
_WORD = (1 << 64) - 1
_MOST_MISSING = 1000
"""Different calls without a row that are counted; a guest may try four thousand million."""


def strace_line(name: str, args: Iterable[object], result: object, errno: str | None) -> str:
    """A system call as strace prints it; a list of names is a word of flags."""
    shown = ", ".join("|".join(arg) if isinstance(arg, list) else str(arg) for arg in args)
    answer = "?" if result is None else f"{result} {errno}" if errno else result
    return f"{name}({shown}) = {answer}"


class SystemCall(NamedTuple):
    """What was asked and answered. args are decoded; result is None where there is no return.

    A failed call has the result -1 and the errno's name; repr() is the line that strace prints,
    in short.
    """

    number: int
    name: str
    args: tuple[int, ...]
    result: int | None
    errno: str | None = None

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """What each argument means."""
        return _row(self.number).params

    @property
    def result_kind(self) -> Kind:
        return _row(self.number).result

    def __repr__(self) -> str:
        args = (kind.shown(value) for kind, value in zip(self.kinds, self.args, strict=False))
        spelled = [
            hex(arg) if kind is kinds.ADDRESS and isinstance(arg, int) and arg else arg
            for kind, arg in zip(self.kinds, args, strict=False)
        ]
        is_address = self.result_kind is kinds.ADDRESS and not self.errno
        result = hex(self.result) if is_address and self.result else self.result
        return strace_line(self.name, spelled, result, self.errno)


class KernelState(NamedTuple):
    """What a kernel remembers.

    rest: all but the address space, which is often the same for many states.
    """

    rest: Image
    space: SpaceState
    planned: tuple[Planned, ...]
    calls: Beginning[SystemCall]


def _stays_in_space(row: Row, args: tuple[int, ...]) -> bool:
    """Whether a call can change nothing but the address space."""
    return row.number in _ON_MEMORY and (row is not _MMAP or bool(args[3] & Map.MAP_ANONYMOUS))


_ON_MEMORY = frozenset(row.number for row in MEMORY)
_MMAP = BY_NAME["mmap"]


def _no_such_call(_: Context, *__: int) -> int:
    return -ENOSYS


@lru_cache(maxsize=_MOST_MISSING)
def missing_row(number: int) -> Row:
    """The row of a call that has none."""
    params = (kinds.RAW,) * arity_of(number)
    return Row(number, name_of(number), params, kinds.INT, _no_such_call, "nothing")


def _row(number: int) -> Row:
    return BY_NUMBER.get(number) or missing_row(number)


class Kernel:
    """Linux for one process.

    memory: where its bytes are. break_at: where its heap starts, a multiple of the page.
    processor: its CPU. world: what it is given of the host. remember: how many of the last calls
    must be kept; at most twice as many are; None for all of them.

    `calls` are the calls that are kept, in order; `missing` says how often calls without a row
    were made, by name. `tracer`, if there is one, is told of every call.
    """

    lasting: ClassVar = ("calls", "tracer", "_rest")

    def __init__(
        self,
        memory: Memory,
        break_at: int = 0,
        limits: Limits | None = None,
        world: World | None = None,
        processor: Processor | None = None,
        remember: int | None = None,
    ) -> None:
        self.space = AddressSpace(memory, limits, break_at)
        self.context = Context(self.space, world or World(), processor or NoProcessor())
        self.shortages = Shortages()
        self.calls: list[SystemCall] = []
        self.missing: dict[str, int] = {}
        self.tracer: Tracer | None = None
        self._most_calls = sys.maxsize if remember is None else 2 * remember
        self._rest: Image | None = None
        """Of all but the address space, as long as nothing of that has changed."""

    def close(self) -> None:
        """Gives back what the process had of the host."""
        self.space.write_back()
        self.context.close()

    def output(self, fd: int) -> bytes:
        """What the process has written to 1 or 2, where that is kept in memory."""
        stream = (self.context.world.stdout, self.context.world.stderr)[fd - 1]
        return bytes(stream.written) if isinstance(stream, Capture) else b""

    def call(self, number: int, registers: tuple[int, ...]) -> int:
        """One `syscall`: rax and the six argument registers in, rax out (64 bits, unsigned).

        ProcessExit where the process ends. No other exception, whatever the guest passes.
        """
        row = BY_NUMBER.get(number) or self._count_missing(number)
        args = row.decode(_PACK(*registers))
        if self._rest is not None and not _stays_in_space(row, args):
            self._rest = None
        if self.tracer:
            return self._traced(self.tracer, row, args) & _WORD
        return self._recorded(row, args) & _WORD

    def read(self, address: int, size: int) -> bytes | None:
        """Bytes of the guest's memory; None where it cannot read all of them itself."""
        try:
            return self.context.user.read(address, size)
        except Errno:
            return None

    # Going back

    def saved(self) -> KernelState:
        """All that it remembers, but for memory and the CPU. CannotKeep where it cannot go back.

        Cheap as long as there are only calls on memory between two of them.
        """
        if self._rest is None:
            self._rest = Image(self, self._outside)
        calls = Beginning.of(self.calls)
        return KernelState(self._rest, self.space.saved(), self.shortages.planned, calls)

    def stands_at(self, saved: KernelState) -> bool:
        """Whether nothing was asked of it since it was saved, and it was told of no change."""
        items, size = saved.calls
        return (
            self.calls is items
            and len(items) == size
            and self._rest is saved.rest
            and self.shortages.planned == saved.planned
            and self.space.stands_at(saved.space)
        )

    def put_back(self, saved: KernelState) -> None:
        """What `saved` gave. Who watches it goes on watching."""
        if saved.rest is not self._rest:
            saved.rest.put_back()
            self._rest = saved.rest
        self.space.put_back(saved.space)
        self.shortages.planned = saved.planned
        self.calls = saved.calls.again(self.calls)

    def changed(self) -> None:
        """Somebody else changed what it remembers: sent a signal, or handed it a file."""
        self._rest = None

    def again(self, memory: Memory, processor: Processor) -> Kernel:
        """Another kernel that remembers the same, for a process like this one.

        CannotKeep where it has files of the host's open: where they stand is one place for both.
        """
        if any(isinstance(file, HostFile) for file in self.context.files.open_files()):
            raise CannotKeep("files of the host's cannot be open twice")
        old_memory, old_processor = self._outside
        handles, twins = self.context.filesystem.disk.handles.again()
        outside = ((old_memory, memory), (old_processor, processor))
        new: Kernel = made_again(self, (*outside, *twins))
        new.calls, new.tracer, new._rest = list(self.calls), None, None
        new.context.signals.watch = None
        new.context.filesystem.disk.handles = handles
        return new

    @property
    def _outside(self) -> tuple[Memory, Processor]:
        return self.space.memory, self.context.processor

    # Calls

    def _traced(self, tracer: Tracer, row: Row, args: tuple[int, ...]) -> int:
        entered = tracer.entering(row, args)
        try:
            result = self._recorded(row, args)
        except Ending as ending:
            tracer.leaving(entered, ending.answer)
            raise
        tracer.leaving(entered, result)
        return result

    def _recorded(self, row: Row, args: tuple[int, ...]) -> int:
        """Hot: every call of every process comes through here."""
        try:
            if self.shortages.planned:
                result = self._by_plan(row, args)
            else:
                result = row.handler(self.context, *args)
        except Errno as error:
            result = -error.number
        except Ending as ending:
            self._record(row, args, ending.answer)
            raise
        self._record(row, args, result)
        return result

    def _by_plan(self, row: Row, args: tuple[int, ...]) -> int:
        """Fails if that is due. brk fails in its own way, so it is told."""
        planned = self.shortages.due(row.name)
        if planned is not None and row.name != "brk":
            return -planned
        self.context.planned_errno = planned
        try:
            return row.handler(self.context, *args)
        finally:
            self.context.planned_errno = None

    def _record(self, row: Row, args: tuple[int, ...], result: int | None) -> None:
        if result is None or result >= 0:
            self.calls.append(SystemCall(row.number, row.name, args, result))
        else:
            self.calls.append(SystemCall(row.number, row.name, args, -1, errno_name(-result)))
        if len(self.calls) > self._most_calls:
            first = len(self.calls) - self._most_calls // 2
            self.calls = self.calls[first:]  # a new list: who saved the old one has it still

    def _count_missing(self, number: int) -> Row:
        row = missing_row(number)
        if row.name in self.missing or len(self.missing) < _MOST_MISSING:
            self.missing[row.name] = self.missing.get(row.name, 0) + 1
        return row
