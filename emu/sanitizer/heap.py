"""The sanitizer of a heap in a person's hands: calls are known, the rest is the program's doing.

While a call runs, no payload that somebody holds may be touched, but the one that realloc was
given. Between calls the program may touch payloads, and read what it has written. Of writes that
the ledger knows to be wrong, it alone tells.

    allocator-touches-live  the allocator reads or writes a block in use
    heap-overflow           the program touches bytes beside a block: past it, or in a header
    use-after-free          it touches a block that it gave back
    outside-blocks          it touches the heap where no block is near
    read-unwritten          it reads bytes of a block that were never written
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from emu.process.process import CallableProcess, Process
from emu.sanitizer.book import Block
from emu.sanitizer.errors import HeapError, counted
from emu.sanitizer.watch import HeapWatch, Lent, WatchState
from syscalls import SystemCall
from syscalls.abi import PAGE, TASK_SIZE, page_up

OnFinding = Callable[[int, str, str, int], None]
"""Told of the index of a call, a rule, a message, and the address of the first wrong byte."""
_OF_THE_LEDGER = ("double-free", "invalid-free", "overlap")
"""Rules of which others tell."""


@dataclass(slots=True)
class _Running:
    """A call. misled: what it was given is no block of the program's."""

    kind: str
    arguments: tuple[int, ...]
    lent: Lent | None = None
    misled: bool = False


class SanitizerState(NamedTuple):
    """What a sanitizer knows: of the heap, the break, the last call, and what was told of."""

    heap: WatchState
    brk: int
    call: int
    told: frozenset[tuple[object, ...]]


class HeapSanitizer:
    """Of a process that nobody has called yet. Close it before the process.

    place names an address.
    """

    def __init__(
        self, process: CallableProcess, place: Callable[[int], str], on_finding: OnFinding
    ) -> None:
        self._process, self._place, self._tell = process, place, on_finding
        self._heap = HeapWatch(process.cpu, self._found, lambda: (process.cpu.rip,))
        self._heap.spelled = place
        self._running: _Running | None = None
        self._brk = process.kernel.space.brk
        self._call = 0
        self._told: set[tuple[object, ...]] = set()
        self.known = False
        """Whether others have told of what the program does now."""
        for segment in process.image.segments if isinstance(process, Process) else ():
            if segment.writable:  # the allocator's own data
                self._heap.shadow.watch(segment.address, page_up(segment.end))

    def close(self) -> None:
        self._heap.close()

    def saved(self) -> SanitizerState:
        """All that it knows."""
        return SanitizerState(self._heap.saved(), self._brk, self._call, frozenset(self._told))

    def put_back(self, saved: SanitizerState) -> None:
        """What `saved` gave."""
        state, self._brk, self._call, told = saved
        self._heap.put_back(state)
        self._running, self.known = None, False
        self._heap.probe.inside = False
        self._told = set(told)

    # Calls

    def calling(self, index: int, kind: str, arguments: tuple[int, ...]) -> None:
        """The allocator is about to be called: malloc, calloc, realloc or free."""
        self._call = index
        running = self._running = _Running(kind, arguments)
        if kind == "free":
            running.misled = not self._heap.take(arguments[0], f"#{index}", ())
        elif kind == "realloc":
            running.lent = self._heap.lend(arguments[0], f"#{index}")
            running.misled = bool(arguments[0]) and running.lent is None
        self._heap.probe.inside = True

    def called(self, result: int, syscalls: tuple[SystemCall, ...]) -> None:
        """It has answered."""
        running, self._running = self._running, None
        self._heap.probe.inside = False
        if running is None:
            return
        for call in syscalls:
            self._asked(call)
        size = _size(running)
        if running.lent is not None:
            if result or not size:
                self._heap.book.take(running.lent.block, f"#{self._call}", ())
            else:
                self._heap.get_back(running.lent)
        if running.kind != "free" and result:
            self._give(running, result, size)

    def written(self, start: int, size: int) -> None:
        """A person has written memory by hand."""
        self._heap.shadow.written(start, size)

    def _give(self, running: _Running, address: int, size: int) -> None:
        shadow = self._heap.shadow
        if address + size > TASK_SIZE:
            return  # no memory at all, which the ledger tells
        if not all(map(shadow.watches, range(address & -PAGE, address + size, PAGE))):
            shadow.watch(address, address + size)
        block = Block(address, size, f"#{self._call}")
        written = running.kind == "calloc" or running.misled
        self._heap.give(block, written=written, kept=running.lent)

    def _asked(self, call: SystemCall) -> None:
        """The kernel gave memory, or took it."""
        if call.errno is not None or call.result is None:
            return
        shadow = self._heap.shadow
        match call.name, call.args:
            case "brk", _:
                if call.result < self._brk:
                    shadow.unwatch(call.result, self._brk)
                shadow.watch(self._brk, call.result)
                self._brk = call.result
            case "mmap", (_, length, *_):
                shadow.watch(call.result, call.result + page_up(length))
            case "munmap", (start, length):
                shadow.unwatch(start, start + page_up(length))
            case "mremap", (start, before, after, *_):
                self._heap.moved(start, page_up(before), call.result, page_up(after))

    # Findings

    def _found(self, error: HeapError) -> None:
        if self.known or error.rule in _OF_THE_LEDGER:
            return
        if error.rule == "allocator-touches-live" and self._running and self._running.misled:
            return
        key = self._call, error.rule, error.stack, error.block
        if key not in self._told:
            self._told.add(key)
            self._tell(self._call, error.rule, self._message(error), error.address)

    def _message(self, error: HeapError) -> str:
        return f"{error.message} by {self._where(error.stack[0])}{self._beside(error)}"

    def _where(self, rip: int) -> str:
        """find_best+0x12 (search.s:44: mov rax, [rdi])."""
        sources = self._process.sources
        line = sources.line_at(rip)
        spelled = sources.spelled(rip)
        text = " ".join(line.text.partition("#")[0].split()) if line else ""
        return f"{spelled} ({line.place}: {text})" if line else spelled

    def _beside(self, error: HeapError) -> str:
        block = error.block
        if block is None:
            return ""
        taken = f", freed by {block.to}" if block.to else ""
        which = f"{counted(block.size)} at {self._place(block.address)}"
        return f": {error.away} {which} (given by {block.by}{taken})"


def _size(running: _Running) -> int:
    """What was asked for."""
    match running.kind, running.arguments:
        case "malloc", (size,):
            return size
        case "calloc", (count, size):
            return count * size
        case "realloc", (_, size):
            return size
    return 0
