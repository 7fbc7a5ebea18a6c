"""The sanitizer of a whole program: the allocator's functions are watched by their names.

Where one of them is entered, the allocator runs, until somebody takes the return address off the
stack by a `ret`: so a jump at its end is followed, and what it calls is within. What the kernel
gives it meanwhile is the heap. No instruction of the program is changed.

Functions for strings and memory are judged when they are entered, by what they are given; within
them, reads are not (readers.py).

Limits. Of functions for strings, strstr, memmem, strcasecmp_l, and those for wide characters are
not judged; of others of a C library without names, neither are reads close to a block in use, nor
of bytes that nobody wrote, nor any close ones of musl's and the loader's. A block that is given out
again is not told from the one before it. A value is followed as uses.py has it: bytes that nobody
wrote and that are copied count as written where they come to. Memory that processes share, and the
stack, are not watched.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from emu.process.machine import NOBODY
from emu.process.program import Program
from emu.process.residues import REGISTERS
from emu.process.watcher import Nobody
from emu.sanitizer.book import Block
from emu.sanitizer.errors import HeapError
from emu.sanitizer.functions import Arguments, Called, Function, Kind, family, plausible
from emu.sanitizer.leaks import Leak, leaks
from emu.sanitizer.memory import HeapMemory, KernelWrites
from emu.sanitizer.objects import Object, Objects, Reading, Stack
from emu.sanitizer.readers import Readers
from emu.sanitizer.uses import Uses
from emu.sanitizer.watch import HeapWatch, Lent
from syscalls import SystemCall

_RSP = REGISTERS.index("rsp")
_RETURNS = (b"\xc3", b"\xc2", b"\xf3\xc3")
_MOST = 1000
"""Errors that are told of."""


@dataclass(slots=True)
class _Inside:
    """The allocator runs. at: where the return address is; back: what it is, and caller: its stack.

    misled: it was given what is no block. What comes of that is no error of its own.
    """

    function: Function
    arguments: Arguments
    at: int
    back: int
    caller: Stack
    lent: Lent | None = None
    misled: bool = False


class ProgramSanitizer(Nobody):
    """Of a program that is loaded and has not run. Close it before the program.

    prefix: of the allocator's functions; "malloc" for the C library's. on_error is told of each
    error when it happens, and once.
    """

    def __init__(
        self, process: Program, prefix: str, on_error: Callable[[HeapError], None]
    ) -> None:
        self._process, self._tell = process, on_error
        self._cpu, self._memory = process.cpu, process.memory
        self._family = family(prefix)
        self.objects = Objects()
        self.count = 0
        """Errors, also those that were told of before."""
        self._told: set[tuple[str, Stack]] = set()
        self._entries: dict[int, Function] = {}
        self._hooks: dict[int, Callable[[int], None]] = {}
        """What is done where one of these addresses is entered."""
        self._last: tuple[str, Stack] | None = None
        """The error that was found last."""
        self._own: list[Object] = []
        """Libraries that are nothing but the allocator: it has more functions than have a name."""
        self._returns: set[int] = set()
        """Instructions that are a `ret`."""
        self._inside: _Inside | None = None
        self._uses = Uses(self._memory.read)
        self.heap = HeapWatch(process.cpu, self._found, self._stack)
        self.heap.leaves, self.heap.is_inside = self._leaves, self._is_inside
        self.heap.uses_unwritten = self._uses_unwritten
        self.heap.reads_ahead = self._reads_ahead
        self._readers = Readers(process, self.heap, self._hooks, self._is_inside)
        self._heap_memory = HeapMemory(process, self.heap, self.objects, self._mapped)
        self._cpu.tell_entries(
            self._hooks, lambda address: self._hooks[address](address), self.heap.probe.screen
        )
        process.watcher, process.bound = self, "its heap is checked"
        self._memory.watcher = KernelWrites(process, self.heap)

    def close(self) -> None:
        self._process.watcher, self._process.bound = NOBODY, ""
        self._memory.watcher = None
        self._cpu.tell_entries((), lambda address: None)
        self.heap.close()

    @property
    def watched(self) -> bool:
        """Whether a function of the allocator was found."""
        return bool(self._entries)

    def leaks(self) -> list[Leak]:
        """What nobody gave back, when the program has ended."""
        live, roots = self.heap.book.live.values(), self._heap_memory.roots()
        return leaks(live, self._cpu.general(), roots, self._memory.read)

    # The allocator is entered and left

    def _entered(self, address: int) -> None:
        _, _, rdx, _, rsp, rbp, rsi, rdi, *_ = self._cpu.general()
        function, back = self._entries[address], self._word(rsp)
        if self._inside is not None:
            if self._calls_itself(function, rsp, back):
                return
            self._abandon()
        caller = self.objects.stack(back - 1, rsp + 8, rbp, self._memory.read)
        inside = self._inside = _Inside(function, (rdi, rsi, rdx), rsp, back, caller)
        if function.kind is Kind.TAKES:
            inside.misled = not self.heap.take(rdi, function.name, caller)
        elif function.kind is Kind.RESIZES:
            inside.lent = self.heap.lend(rdi, function.name)
            inside.misled = bool(rdi) and inside.lent is None
        self.heap.probe.inside, self.heap.probe.leaves_at = True, rsp

    def _calls_itself(self, function: Function, rsp: int, back: int) -> bool:
        """Whether one function of the allocator calls another, or jumps to it at its end."""
        inside = self._inside
        if inside is None or rsp > inside.at:
            return False
        jumps = back == inside.back and function is not inside.function
        return rsp < inside.at or jumps

    def _is_inside(self) -> bool:
        """Whether the allocator still runs: it may have been left by longjmp, or an exception."""
        if self._inside is not None and self._cpu.general()[_RSP] > self._inside.at:
            self._abandon()
        return self._inside is not None

    def _word(self, address: int) -> int:
        return int.from_bytes(self._memory.read(address, 8), "little")

    def _leaves(self) -> bool:
        """The return address was read: by a `ret`?"""
        rip = self._cpu.rip
        if rip not in self._returns:
            if not self._memory.read(rip, 2).startswith(_RETURNS):
                return False
            self._returns.add(rip)
        self._answered(self._out(), self._cpu.general()[0])
        return True

    def _out(self) -> _Inside:
        assert self._inside is not None
        inside, self._inside = self._inside, None
        self.heap.probe.inside, self.heap.probe.leaves_at = False, None
        return inside

    def _abandon(self) -> None:
        """It was left by longjmp, or an exception."""
        inside = self._out()
        if inside.lent is not None:
            self.heap.get_back(inside.lent)

    def _answered(self, inside: _Inside, result: int) -> None:
        function = inside.function
        if function.kind is Kind.GIVES:
            if function.by_pointer:
                given = self._word(inside.arguments[0])
                result = given if result & 0xFFFF_FFFF == 0 else 0
            self._give(inside, result)
        elif function.kind is Kind.RESIZES:
            self._resized(inside, result)
        elif function.kind is Kind.MEASURES:
            self.heap.grow(inside.arguments[0], result)

    def _resized(self, inside: _Inside, result: int) -> None:
        lent, size = inside.lent, inside.function.size(inside.arguments)
        if lent is not None:
            if result or not size:
                by = inside.function.name
                self.heap.book.take(lent.block, by, inside.caller)
            else:
                self.heap.get_back(lent)
        self._give(inside, result)

    def _give(self, inside: _Inside, address: int) -> None:
        if not address:
            return
        function = inside.function
        size = plausible(function.size(inside.arguments))
        self._heap_memory.adopt(address, size)
        block = Block(address, size, Called(function, inside.arguments), inside.caller)
        written = function.zeroed or inside.misled  # of what, nobody knows
        self.heap.give(block, written=written, kept=inside.lent)

    # Where it is

    def _stack(self) -> Stack:
        """Of the instruction that runs; within the allocator, as far as who called it."""
        _, _, _, _, rsp, rbp, *_ = self._cpu.general()
        rip = self._cpu.rip
        if self._inside is None:
            if rip in self._readers:
                rip, rsp = self._word(rsp) - 1, rsp + 8
            return self.objects.stack(rip, rsp, rbp, self._memory.read)
        if rip in self._entries:
            return self._inside.caller
        return (rip, *self._inside.caller)

    def _uses_unwritten(self) -> bool:
        return self._reading() is Reading.EXACT and self._uses.used(self._cpu.rip)

    def _reading(self) -> Reading:
        rip = self._cpu.rip
        reading = self.objects.reading(rip)
        if reading is not Reading.EXACT:
            self.heap.probe.let_scan(rip)
        return reading

    def _reads_ahead(self, address: int, near: Callable[[], bool]) -> bool:
        if self._reading() is not Reading.AHEAD:
            return False
        if self._readers.is_judged():
            return True
        block = self.heap.book.near(address)
        freed = block is not None and block.to and not block.distance(address)
        return near() and not (freed and self.objects.chooses_at(self._cpu.rip))

    def _found(self, error: HeapError) -> None:
        if self._inside is not None:
            if error.rule == "allocator-touches-live" and self._inside.misled:
                return
        elif self.objects.at(error.stack[0]) in self._own:
            return
        stack = self._without_library(error.stack)
        key = error.rule, stack
        if key == self._last and len(stack) < len(error.stack):
            return  # one call may find it several times
        self._last = key
        self.count += 1
        if key not in self._told and len(self._told) < _MOST:
            self._told.add(key)
            self._tell(error)

    def _without_library(self, stack: Stack) -> Stack:
        """From the first caller on that is no function for strings, nor of a library."""
        for at, place in enumerate(stack):
            if self.objects.reading(place) is Reading.EXACT:
                return stack[at:]
        return stack

    # What the kernel does

    def faulted(self, rip: int, what: str, address: int | None) -> None:
        """A block that was given back may have no memory any more."""
        block = self.heap.book.near(address) if address is not None else None
        if address is not None and block is not None and block.to and not block.distance(address):
            message = f"access to {address:#x}, where nothing is mapped any more"
            self._found(HeapError("use-after-free", message, self._stack(), address, block))

    def answered(self, call: SystemCall) -> None:
        """Memory is given to the allocator, or taken; or another file is mapped."""
        self._heap_memory.answered(call, inside=self._inside is not None)

    def _mapped(self, mapped: Object) -> None:
        """Another file: its functions may be the allocator's."""
        self.heap.probe.forget_scanners()
        found = {a: self._family[name] for a, name in mapped.functions if name in self._family}
        self._entries.update(found)
        self._hooks.update(dict.fromkeys(found, self._entered))
        self._readers.add(mapped)
        if found and mapped.path != self._process.path and not mapped.is_library:
            self._own.append(mapped)
