"""Which of a program's memory is the heap: what the kernel gives to the allocator.

That is what the break grows by and what is mapped while one of the allocator's functions runs. An
allocator may also have an array, or memory from before: that is found when it gives a block there.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from emu.process.event import Effect, Wrote
from emu.process.program import Program
from emu.sanitizer.objects import Object, Objects, layout_of
from emu.sanitizer.watch import HeapWatch
from syscalls import SystemCall
from syscalls.abi import PAGE, page_up
from syscalls.execve import Bytes
from syscalls.files.file import File
from syscalls.page_sets import among, runs
from syscalls.table import BY_NUMBER

_ANONYMOUS = 0x20
_LARGEST = 256 << 20
"""Bytes of a file that are looked through for names."""


class HeapMemory:
    """Of one program. on_mapped: told of each file that is mapped, also of those from the start."""

    def __init__(
        self,
        process: Program,
        heap: HeapWatch,
        objects: Objects,
        on_mapped: Callable[[Object], None],
    ) -> None:
        self._process, self._heap, self._objects = process, heap, objects
        self._on_mapped = on_mapped
        self._brk = process.kernel.space.brk
        assert process.loaded is not None
        for bias, file in process.loaded.objects:
            self._mapped(file.path, file.source.read(0, _LARGEST), bias)

    def answered(self, call: SystemCall, *, inside: bool) -> None:
        """The kernel gives memory, or takes it. inside: the allocator asked for it."""
        if call.errno is not None or call.result is None:
            return
        shadow = self._heap.shadow
        match call.name, call.args:
            case "brk", _:
                if call.result < self._brk:
                    shadow.unwatch(call.result, self._brk)
                elif inside:
                    self._gave(self._brk, call.result)
                self._brk = call.result
            case "mmap", (_, length, _, flags, _, offset):
                end = call.result + page_up(length)
                shadow.unwatch(call.result, end)
                if inside and flags & _ANONYMOUS:
                    self._gave(call.result, end)
                elif not flags & _ANONYMOUS and not offset:
                    self._mapped_file(call.result)
            case "munmap", (start, length):
                shadow.unwatch(start, start + page_up(length))
            case "mremap", (start, before, after, *_):
                self._heap.moved(start, page_up(before), call.result, page_up(after))
            case (("write" | "pwrite64" | "send" | "sendto"), (_, start, _, *_)):
                self._heap.kernel_read(start, call.result, call.name)

    def _gave(self, start: int, end: int) -> None:
        self._heap.shadow.watch(start, end)
        self._heap.shadow.see(self._process.memory.windows.at(start))

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
        self._on_mapped(self._objects.add(path, data, bias, layout))

    def adopt(self, address: int, size: int) -> None:
        """A block that lies in memory which the allocator was not given: an array, say."""
        shadow, end = self._heap.shadow, address + max(size, 1)
        if all(shadow.watches(page) for page in range(address & -PAGE, end, PAGE)):
            return
        start, end = self._arena(address, end)
        for low, high in _unwatched(shadow.areas, start, end):
            self._gave(low, high)

    def _arena(self, address: int, end: int) -> tuple[int, int]:
        array = self._objects.data_at(address) or self._objects.gap_at(address)
        if array is not None:
            return array[0], max(end, array[1])
        region = self._process.kernel.space.at(address)
        alone = region is not None and region.file is None and region.name == ""
        if region is not None and alone and end <= region.end:
            return region.start, region.end
        return address, end

    def roots(self) -> list[tuple[int, int]]:
        """Memory that may hold addresses of blocks, and is not the heap."""
        found = []
        rsp = self._process.cpu.get("rsp")
        for region in self._process.kernel.space.regions:
            if region.rights.read:
                start = rsp & -8 if region.start <= rsp < region.end else region.start
                own = among(self._process.memory.pages.written, start & -PAGE, region.end)
                for low, high in runs(own):
                    found += _unwatched(self._heap.shadow.areas, max(low, start), high)
        return [*found, *self._heap.shadow.foreign()]


class KernelWrites:
    """Told of what the kernel writes to memory."""

    def __init__(self, process: Program, heap: HeapWatch) -> None:
        self._heap, self._cpu = heap, process.cpu

    def changed(self, effect: Effect) -> None:
        if isinstance(effect, Wrote):
            row = BY_NUMBER.get(self._cpu.general()[0] & 0xFFFF_FFFF)
            self._heap.kernel_wrote(effect.address, len(effect.data), row.name if row else "?")

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
