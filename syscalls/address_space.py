"""The address space: regions, sorted and disjoint, and the break.

Laid out as Linux lays it out without randomization: mappings go top-down below MMAP_BASE, into
the highest gap that is large enough. Speaks of addresses, sizes and rights, never of flags.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import replace

from syscalls.abi import (
    EINVAL,
    ENOMEM,
    MAX_MAP_COUNT,
    MMAP_BASE,
    MMAP_MIN_ADDR,
    PAGE,
    STACK_GUARD_GAP,
    TASK_SIZE,
    Errno,
    page_up,
)
from syscalls.descriptors import Source
from syscalls.memory import Memory
from syscalls.region import READ_WRITE, Region, Rights
from syscalls.shortage import Limits


class AddressSpace:
    """What is mapped where. `memory` is told what loses contents or rights."""

    def __init__(self, memory: Memory, limits: Limits | None = None, break_at: int = 0) -> None:
        if break_at % PAGE:
            raise ValueError(f"the break starts on a page, not at {break_at:#x}")
        self.memory = memory
        self.limits = limits or Limits()
        self.heap_start = break_at
        self.brk = break_at
        self._regions: list[Region] = []
        self._starts: list[int] = []

    @property
    def regions(self) -> tuple[Region, ...]:
        return tuple(self._regions)

    @property
    def size(self) -> int:
        """Bytes mapped."""
        return sum(region.size for region in self._regions)

    # Looking

    def at(self, address: int) -> Region | None:
        """The region that holds an address."""
        index = bisect_right(self._starts, address) - 1
        if index < 0:
            return None
        region = self._regions[index]
        return region if address < region.end else None

    def overlapping(self, start: int, end: int) -> Iterator[Region]:
        """Regions with a byte in [start, end), in order."""
        index = max(0, bisect_right(self._starts, start) - 1)
        while index < len(self._regions) and self._regions[index].start < end:
            if self._regions[index].end > start:
                yield self._regions[index]
            index += 1

    def is_free(self, start: int, end: int) -> bool:
        return next(self.overlapping(start, end), None) is None

    def readable(self, address: int, size: int) -> int:
        """How many of `size` bytes can be read from `address` on before one cannot."""
        return self._reach(address, size, lambda rights: rights.readable)

    def writable(self, address: int, size: int) -> int:
        """How many of `size` bytes can be written from `address` on before one cannot."""
        return self._reach(address, size, lambda rights: rights.write)

    def _reach(self, address: int, size: int, allowed: Callable[[Rights], bool]) -> int:
        reached = address
        for region in self.overlapping(address, address + size):
            if region.start > reached or not allowed(region.rights):
                break
            reached = region.end
        return max(0, min(reached, address + size) - address)

    def beyond_file(self, page: int) -> bool:
        """Whether a page shows nothing since its file ends before it."""
        return False

    def find_gap(self, size: int) -> int:
        """The highest place below MMAP_BASE for `size` bytes. ENOMEM where there is none."""
        ceiling = MMAP_BASE
        for region in reversed(self._regions):
            if region.start >= ceiling:
                continue
            if region.end <= ceiling - size:
                break
            ceiling = region.start
        if ceiling - size < MMAP_MIN_ADDR:
            return self._find_gap_above(size)
        return ceiling - size

    def _find_gap_above(self, size: int) -> int:
        """Linux's second try: from the mapping base upwards."""
        floor = MMAP_BASE
        for region in self._regions:
            if region.end <= floor:
                continue
            if region.start - floor >= size:
                break
            floor = region.end
        if floor + size > TASK_SIZE:
            raise Errno(ENOMEM)
        return floor

    # Changing

    def map(
        self, start: int, size: int, rights: Rights, name: str = "", *, reserved: bool = True
    ) -> None:
        """Fresh zero pages at [start, start + size); what was there is unmapped.

        reserved: the machine must have that much memory, should all of it be used.
        """
        end = start + size
        replaced = sum(r.within(start, end).size for r in self.overlapping(start, end))
        self._afford(size, replaced, writable=rights.write, reserved=reserved)
        self._make_room(start, end)
        self._insert(Region(start, end, rights, name))

    def map_file(
        self, start: int, size: int, rights: Rights, source: Source, offset: int, name: str
    ) -> None:
        """Private pages of a file at [start, start + size)."""
        self.map(start, size, rights, name)
        self.memory.write(start, source.read(offset, size))

    def unmap(self, start: int, size: int) -> None:
        """Takes [start, start + size) out, whatever of it is mapped."""
        self._make_room(start, start + size)

    def protect(self, start: int, size: int, rights: Rights) -> None:
        """New rights for [start, start + size). ENOMEM at a hole; what came before it is done."""
        end = start + size
        reached = start
        found, pieces = [], []
        for region in self.overlapping(start, end):
            if region.start > reached:
                break
            part = region.within(start, end)
            found.append(region)
            pieces += [*region.without(start, end), replace(part, rights=rights)]
            reached = part.end
        self._replace(found, pieces)
        self.memory.rights_changed(start, reached)
        if reached < end:
            raise Errno(ENOMEM)

    def set_break(self, wanted: int) -> int:
        """Moves the break; the answer is where it is now, moved or not (brk(2), Linux notes)."""
        if wanted < self.heap_start:
            return self.brk
        old_end, new_end = page_up(self.brk), page_up(wanted)
        try:
            if new_end > old_end:
                self._grow_heap(wanted, old_end, new_end)
            elif new_end < old_end:
                self.unmap(new_end, old_end - new_end)
        except Errno:
            return self.brk
        self.brk = wanted
        return wanted

    def _grow_heap(self, wanted: int, old_end: int, new_end: int) -> None:
        data = self.limits.data
        if data is not None and wanted - self.heap_start > data:
            raise Errno(ENOMEM)
        if new_end > TASK_SIZE or not self.is_free(old_end, new_end + PAGE):
            raise Errno(ENOMEM)
        near = next(self.overlapping(new_end + PAGE, new_end + PAGE + STACK_GUARD_GAP), None)
        if near is not None and near.name == "stack":
            raise Errno(ENOMEM)
        self.map(old_end, new_end - old_end, READ_WRITE, "heap")

    def _afford(self, size: int, replaced: int, *, writable: bool, reserved: bool) -> None:
        limits = self.limits
        if limits.address_space is not None and self.size - replaced + size > limits.address_space:
            raise Errno(ENOMEM)
        if writable and limits.data is not None:
            data = sum(r.size for r in self._regions if r.rights.write and r.name != "stack")
            if data + size > limits.data:
                raise Errno(ENOMEM)
        if writable and reserved and limits.ram is not None and size > limits.ram:
            raise Errno(ENOMEM)
        if len(self._regions) >= MAX_MAP_COUNT:
            raise Errno(ENOMEM)

    def _make_room(self, start: int, end: int) -> None:
        if start % PAGE or end % PAGE:
            raise Errno(EINVAL)
        found = list(self.overlapping(start, end))
        if not found:
            return
        splits = found[0].start < start and found[-1].end > end and len(found) == 1
        if splits and len(self._regions) >= MAX_MAP_COUNT:
            raise Errno(ENOMEM)
        self._replace(found, [piece for region in found for piece in region.without(start, end)])
        self.memory.discard(start, end)

    # The sorted list

    def _insert(self, region: Region) -> None:
        index = bisect_right(self._starts, region.start)
        if index and self._regions[index - 1].joins(region):
            index -= 1
            region = replace(region, start=self._regions[index].start)
            self._delete(index)
        if index < len(self._regions) and region.joins(self._regions[index]):
            region = replace(region, end=self._regions[index].end)
            self._delete(index)
        self._regions.insert(index, region)
        self._starts.insert(index, region.start)

    def _replace(self, found: list[Region], pieces: list[Region]) -> None:
        for region in found:
            self._delete(bisect_right(self._starts, region.start) - 1)
        for piece in pieces:
            self._insert(piece)

    def _delete(self, index: int) -> None:
        del self._regions[index], self._starts[index]
