"""The sanitizer of a whole program: the allocator's functions are watched by their names.

Where one of them is entered, the allocator runs, until somebody takes the return address off the
stack by a `ret`: so a jump at its end is followed, and what it calls is within. What the kernel
gives it meanwhile is the heap. No instruction of the program is changed.

Limits. A block that is given out again is not told from the one before it. A value is followed as
uses.py has it: bytes that nobody wrote and that are copied count as written where they come to.
Memory that processes share, and the stack, are not watched.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from emu.process.event import Effect, Wrote
from emu.process.program import Program
from emu.process.watcher import Nobody
from emu.sanitizer.book import Block
from emu.sanitizer.errors import HeapError
from emu.sanitizer.functions import Arguments, Function, Kind, family, plausible
from emu.sanitizer.leaks import Leak, leaks
from emu.sanitizer.objects import Objects, Reading, Stack, layout_of
from emu.sanitizer.uses import Uses
from emu.sanitizer.watch import HeapWatch, Lent
from syscalls import SystemCall
from syscalls.abi import PAGE, page_up
from syscalls.execve import Bytes
from syscalls.files.file import File
from syscalls.page_sets import among, runs

_REGISTERS = "rip rsp rbp rax rdi rsi rdx".split()
_GENERAL = "rax rbx rcx rdx rsi rdi rbp r8 r9 r10 r11 r12 r13 r14 r15".split()
_RETURNS = (b"\xc3", b"\xc2", b"\xf3\xc3")
_ANONYMOUS = 0x20
_LARGEST = 256 << 20
"""Bytes of a file that are looked through for names."""
_MOST = 1000
"""Errors that are told of."""


@dataclass(slots=True)
class _Inside:
    """The allocator runs. at: where the return address is. caller: the stack of who called.

    misled: it was given what is no block. What comes of that is no error of its own.
    """

    function: Function
    arguments: Arguments
    at: int
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
        self._registers = process.cpu.batch(_REGISTERS)
        self._family = family(prefix)
        self.objects = Objects()
        self.count = 0
        """Errors, also those that were told of before."""
        self._told: set[tuple[str, Stack]] = set()
        self._entries: dict[int, Function] = {}
        self._inside: _Inside | None = None
        self._brk = process.kernel.space.brk
        self._uses = Uses(self._memory.read)
        self.heap = HeapWatch(process.cpu, self._found, self._stack)
        self.heap.leaves = self._leaves
        self.heap.uses_unwritten = self._uses_unwritten
        self.heap.reads_ahead = self._reads_ahead
        assert process.loaded is not None
        for bias, file in process.loaded.objects:
            self._mapped(file.path, file.source.read(0, _LARGEST), bias)
        self._cpu.tell_entries(self._entries, self._entered)
        process.watcher = self
        self._memory.watcher = _Kernel(self)

    def close(self) -> None:
        self._memory.watcher = None
        self.heap.close()

    @property
    def watched(self) -> bool:
        """Whether a function of the allocator was found."""
        return bool(self._entries)

    def leaks(self) -> list[Leak]:
        """What nobody gave back, when the program has ended."""
        registers = [self._cpu.get(name) for name in _GENERAL]
        return leaks(self.heap.book.live.values(), registers, self._roots(), self._memory.read)

    # The allocator is entered and left

    def _entered(self, address: int) -> None:
        _, rsp, rbp, _, *arguments = self._registers.read()
        if self._inside is not None:
            if rsp <= self._inside.at:
                return  # it calls itself
            self._abandon()
        function = self._entries[address]
        caller = self._caller(rsp, rbp)
        inside = self._inside = _Inside(function, tuple(arguments), rsp, caller)
        if function.kind is Kind.TAKES:
            inside.misled = not self.heap.take(arguments[0], function.name, caller)
        elif function.kind is Kind.RESIZES:
            inside.lent = self.heap.lend(arguments[0], function.name)
            inside.misled = bool(arguments[0]) and inside.lent is None
        self.heap.probe.inside, self.heap.probe.leaves_at = True, rsp

    def _caller(self, rsp: int, rbp: int) -> Stack:
        word = self._memory.word
        return self.objects.stack(word(rsp) - 1, rsp + 8, rbp, word)

    def _leaves(self) -> bool:
        """The return address was read: by a `ret`?"""
        rip, _, _, rax, *_ = self._registers.read()
        if not self._memory.read(rip, 2).startswith(_RETURNS) or self._inside is None:
            return False
        inside = self._out()
        self._answered(inside, rax)
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
                given = self._memory.word(inside.arguments[0])
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
        self._adopt(address, size)
        block = Block(address, size, function.spelled(inside.arguments), inside.caller)
        written = function.zeroed or inside.misled  # of what, nobody knows
        self.heap.give(block, written=written, kept=inside.lent)

    def _adopt(self, address: int, size: int) -> None:
        """A block that lies in memory the allocator had before it was called: an array's, say."""
        shadow, end = self.heap.shadow, address + max(size, 1)
        if all(shadow.watches(page) for page in range(address & -PAGE, end, PAGE)):
            return
        start, end = self._arena(address, end)
        for low, high in _unwatched(shadow.areas, start, end):
            shadow.watch(low, high)

    def _arena(self, address: int, end: int) -> tuple[int, int]:
        array = self.objects.data_at(address)
        if array is not None:
            return array[0], max(end, array[1])
        region = self._process.kernel.space.at(address)
        alone = region is not None and region.file is None and region.name == ""
        if region is not None and alone and end <= region.end:
            return region.start, region.end
        return address, end

    # Where it is

    def _stack(self) -> Stack:
        """Of the instruction that runs; within the allocator, as far as who called it."""
        rip, rsp, rbp, *_ = self._registers.read()
        if self._inside is None:
            return self.objects.stack(rip, rsp, rbp, self._memory.word)
        if rip in self._entries:
            return self._inside.caller
        return (rip, *self._inside.caller)

    def _uses_unwritten(self) -> bool:
        rip = self._cpu.rip
        return self.objects.reading(rip) is Reading.EXACT and self._uses.used(rip)

    def _reads_ahead(self, address: int) -> bool:
        """A string that the block before holds must end there."""
        reading = self.objects.reading(self._cpu.rip)
        if reading is not Reading.TO_END:
            return reading is Reading.AHEAD
        block = self.heap.book.near(address)
        if block is None or block.to:
            return True
        return b"\0" in self._memory.read(block.address, block.size)

    def _found(self, error: HeapError) -> None:
        if error.rule == "allocator-touches-live" and self._inside and self._inside.misled:
            return
        self.count += 1
        key = error.rule, error.stack
        if key not in self._told and len(self._told) < _MOST:
            self._told.add(key)
            self._tell(error)

    # What the kernel does

    def answered(self, call: SystemCall) -> None:
        """It gives memory to the allocator, or takes it; or maps another file."""
        if call.errno is not None or call.result is None:
            return
        shadow, inside = self.heap.shadow, self._inside is not None
        match call.name, call.args:
            case "brk", _:
                if call.result < self._brk:
                    shadow.unwatch(call.result, self._brk)
                elif inside:
                    shadow.watch(self._brk, call.result)
                self._brk = call.result
            case "mmap", (_, length, _, flags, _, offset):
                end = call.result + page_up(length)
                shadow.unwatch(call.result, end)
                if inside and flags & _ANONYMOUS:
                    shadow.watch(call.result, end)
                elif not flags & _ANONYMOUS and not offset:
                    self._mapped_file(call.result)
            case "munmap", (start, length):
                shadow.unwatch(start, start + page_up(length))
            case "mremap", (start, before, after, *_):
                self.heap.moved(start, page_up(before), call.result, page_up(after))
            case (("write" | "pwrite64" | "send" | "sendto"), (_, start, _, *_)):
                self.heap.kernel_read(start, call.result, call.name)

    def _mapped_file(self, address: int) -> None:
        region = self._process.kernel.space.at(address)
        cache = region.cache if region is not None else None
        if region is None or cache is None or cache.source is None:
            return
        place = region.file.place if isinstance(region.file, File) else None
        path = os.fsdecode(place.spelled) if place else region.name
        self._mapped(path, cache.source.read(0, _LARGEST), address)

    def _mapped(self, path: str, data: bytes, bias: int) -> None:
        """A file; bias: where its first byte is, unless it is bound to its addresses."""
        layout = layout_of(Bytes(data))
        if layout is None:
            return
        new = self.objects.add(path, data, bias, layout)
        for address, name in new.functions:
            function = self._family.get(name)
            if function is not None:
                self._entries[address] = function

    def _roots(self) -> list[tuple[int, int]]:
        """Memory that may hold addresses of blocks, and is not the heap."""
        found = []
        rsp = self._cpu.get("rsp")
        for region in self._process.kernel.space.regions:
            if region.rights.read:
                start = rsp & -8 if region.start <= rsp < region.end else region.start
                own = among(self._memory.pages.written, start & -PAGE, region.end)
                for low, high in runs(own):
                    found += _unwatched(self.heap.shadow.areas, max(low, start), high)
        return [*found, *self.heap.shadow.foreign()]


class _Kernel:
    """Told of what the kernel writes to memory."""

    def __init__(self, sanitizer: ProgramSanitizer) -> None:
        self._heap = sanitizer.heap

    def changed(self, effect: Effect) -> None:
        if isinstance(effect, Wrote):
            self._heap.kernel_wrote(effect.address, len(effect.data), "that is made")

    def walking(self) -> None:
        """Nothing is to be done."""

    def walked(self, page: int, access: int, *, new: bool) -> None:
        """Nothing is to be done."""


def _unwatched(areas: list[tuple[int, int]], start: int, end: int) -> list[tuple[int, int]]:
    """What is left of [start, end) without the areas."""
    left = []
    for low, high in areas:
        if low < end and start < high:
            if start < low:
                left.append((start, low))
            start = max(start, high)
    return [*left, (start, end)] if start < end else left
