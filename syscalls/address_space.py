"""The address space: regions, sorted and disjoint, what they add up to, and the break.

Speaks of addresses, sizes and rights, never of the flags of a system call. Places are chosen in
placement.py, regions join and split in regions.py, and what happens when a page is touched is in
faults.py. Source for the order of things, and what is left where one fails: mm/vma.c.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Any, NamedTuple

from syscalls import vm_flags as vm
from syscalls.abi import EINVAL, ENOMEM, EOVERFLOW, LARGEST_FILE, MAX_MAP_COUNT, PAGE, Errno
from syscalls.faults import Faults
from syscalls.files.file import File, Source
from syscalls.memory import Memory
from syscalls.page_cache import CacheState, PageCache, PageCaches
from syscalls.placement import Placement
from syscalls.region import Region, Rights
from syscalls.regions import Regions
from syscalls.shortage import Limits

_STACK = "stack"
_totals = attrgetter(*"brk limits data_size pages data_pages locked_pages lock_new".split())


class SpaceState(NamedTuple):
    """What an address space remembers."""

    totals: tuple[Any, ...]
    regions: list[tuple[Region, tuple[Any, ...]]]
    places: tuple[int, int]
    guards: set[int]
    by_source: dict[Source, PageCache]
    caches: list[CacheState]


class AddressSpace:
    """What is mapped where. `memory` is told what loses contents or rights.

    areas: the regions. places: where new ones go. faults: what a touch does. caches: the pages of
    mapped files. limits may be replaced at any time. pages, data_pages, locked_pages: what all
    regions add up to, what of it RLIMIT_DATA counts, and RLIMIT_MEMLOCK. data_size: bytes of
    initialized data of the program, which RLIMIT_DATA counts with the heap. lock_new: flags of
    vm_flags.LOCKS that new mappings get.
    """

    def __init__(self, memory: Memory, limits: Limits | None = None, break_at: int = 0) -> None:
        if break_at % PAGE:
            raise ValueError(f"the break starts on a page, not at {break_at:#x}")
        self.memory = memory
        self.limits = limits or Limits()
        self.heap_start = break_at
        self.brk = break_at
        self.data_size = 0
        self.areas = Regions()
        self.places = Placement(self.areas)
        self.caches = PageCaches(memory)
        self.pages = self.data_pages = self.locked_pages = 0
        self.lock_new = 0
        self.faults = Faults(self)
        self.at = self.areas.at
        self.overlapping = self.areas.overlapping
        self.fault = self.faults.fault
        self.grow_stack = self.faults.grow_stack
        self.beyond_file = self.faults.beyond_file
        self.readable = self.faults.readable
        self.writable = self.faults.writable
        self.touch = self.faults.touch

    @property
    def regions(self) -> tuple[Region, ...]:
        return tuple(self.areas.all)

    @property
    def size(self) -> int:
        """Bytes mapped."""
        return self.pages * PAGE

    def is_free(self, start: int, end: int) -> bool:
        return not self.areas.overlapping(start, end)

    def name_of(self, region: Region) -> str:
        """What Linux would call it: the heap is where the break has been."""
        is_heap = region.start < self.brk and region.end > self.heap_start
        return "heap" if is_heap and region.cache is None else region.name

    def saved(self) -> SpaceState:
        """All that changes of it, but for memory."""
        regions = self.areas.saved()
        caches = {region.cache for region in self.areas.all if region.cache is not None}
        return SpaceState(
            _totals(self), regions, self.places.saved(), self.faults.saved(),
            self.caches.saved(), [cache.saved() for cache in caches],
        )  # fmt: skip

    def stands_at(self, saved: SpaceState) -> bool:
        """Whether a touch of a page, which is all there was since, has changed nothing."""
        return _totals(self) == saved.totals and self.areas.saved() == saved.regions

    def put_back(self, saved: SpaceState) -> None:
        """What `saved` gave."""
        (
            self.brk, self.limits, self.data_size, self.pages, self.data_pages, self.locked_pages,
            self.lock_new,
        ) = saved.totals  # fmt: skip
        self.areas.put_back(saved.regions)
        self.places.put_back(saved.places)
        self.faults.put_back(saved.guards)
        self.caches.put_back(saved.by_source)
        for cache in saved.caches:
            cache[0].put_back(cache)

    # Limits

    def may_expand(self, flags: int, pages: int) -> bool:
        """Whether so many pages more keep to RLIMIT_AS and RLIMIT_DATA."""
        limits = self.limits
        whole, data = limits.address_space, limits.data
        if whole is not None and self.pages + pages > whole // PAGE:
            return False
        if data is None or not vm.is_data(flags):
            return True
        if data == 0:
            data = limits.hard_data
        return data is None or self.data_pages + pages <= data // PAGE

    def may_lock(self, flags: int, size: int) -> bool:
        """Whether so many bytes of such a region keep to RLIMIT_MEMLOCK."""
        limit = self.limits.locked
        if not flags & vm.LOCKED or limit is None:
            return True
        return size // PAGE + self.locked_pages <= limit // PAGE

    def may_promise(self, pages: int) -> bool:
        """Whether one request for so much memory is not absurd."""
        return self.limits.ram is None or pages <= self.limits.ram // PAGE

    def account(self, flags: int, pages: int) -> None:
        """So many pages of such a region more, or less."""
        self.pages += pages
        if vm.is_data(flags):
            self.data_pages += pages

    # Changing

    def map(
        self, start: int, size: int, rights: Rights, name: str = "", *, reserved: bool = True
    ) -> None:
        """Fresh zero pages at [start, start + size), private; what was there is unmapped.

        reserved: the machine must have that much memory, should all of it be used. A region with
        the name "stack" grows down.
        """
        if start % PAGE or size % PAGE:
            raise Errno(EINVAL)
        flags = rights.flags | vm.MAY_ALL | (0 if reserved else vm.NO_RESERVE)
        flags |= vm.GROWS_DOWN if name == _STACK else 0
        self.establish(Region(start, start + size, flags, name=name))

    def establish(self, new: Region) -> Region:
        """A new region; what was there is unmapped. The region that it is part of then.

        ENOMEM where a limit is reached.
        """
        cache = new.cache
        if cache is None:
            return self._establish(new)
        cache.regions += 1  # the last region that shows it may be the one that is replaced
        try:
            return self._establish(new)
        finally:
            cache.unmapped()

    def _establish(self, new: Region) -> Region:
        start, end, pages = new.start, new.end, new.pages
        found = self.areas.overlapping(start, end)
        if found:
            self._may_split(found, start, end)
        self._afford(new, found)
        if found:
            self._remove(found, start, end)
        if vm.is_accountable(new.flags):
            new.flags |= vm.ACCOUNTED
        elif new.flags & (vm.SHARED | vm.NO_RESERVE) == vm.SHARED and new.cache is new.file:
            self._promise(pages)
        region = self.areas.add(new)
        self.account(new.flags, pages)
        if new.flags & vm.DROPPABLE:
            region.flags &= ~vm.LOCKS
        elif new.flags & vm.LOCKED:
            self.locked_pages += pages
        return region

    def _afford(self, new: Region, found: list[Region]) -> None:
        """ENOMEM where it would be too much, and then what would have been split is split."""
        replaced = accounted = 0
        for region in found:
            pages = (min(region.end, new.end) - max(region.start, new.start)) // PAGE
            replaced += pages
            accounted += pages if region.flags & vm.ACCOUNTED else 0
        promised = new.pages - accounted if vm.is_accountable(new.flags) else 0
        if self.may_expand(new.flags, new.pages - replaced) and self.may_promise(promised):
            return
        self.areas.split_at(new.start)
        self.areas.split_at(new.end)
        raise Errno(ENOMEM)

    def _promise(self, pages: int) -> None:
        if not self.may_promise(pages):
            raise Errno(ENOMEM)

    def map_file(
        self,
        start: int,
        size: int,
        rights: Rights,
        source: Source,
        offset: int,
        name: str,
        file: File | None = None,
    ) -> None:
        """Private pages of a file at [start, start + size); what was there is unmapped."""
        if offset + size > LARGEST_FILE:
            raise Errno(EOVERFLOW)
        flags = rights.flags | vm.MAY_ALL
        pages = self.caches.of(source)
        self.establish(
            Region(start, start + size, flags, offset // PAGE, file or source, pages, name)
        )

    def unmap(self, start: int, size: int) -> None:
        """Takes [start, start + size) out, whatever of it is mapped."""
        end = start + size
        found = self.areas.overlapping(start, end)
        if found:
            self._may_split(found, start, end)
            self._remove(found, start, end)

    def _may_split(self, found: list[Region], start: int, end: int) -> None:
        """ENOMEM where a hole would make more regions than there may be."""
        if len(self.areas) >= MAX_MAP_COUNT and found[0].start < start and found[0].end > end:
            raise Errno(ENOMEM)

    def _remove(self, found: list[Region], start: int, end: int) -> None:
        self.memory.discard(start, end)
        self.faults.unguard(start, end)
        for region in found:
            self._cut(region, start, end)
        self.places.freed(end)

    def _cut(self, region: Region, start: int, end: int) -> None:
        areas, flags = self.areas, region.flags
        pages = (min(region.end, end) - max(region.start, start)) // PAGE
        self.account(flags, -pages)
        if flags & vm.LOCKED:
            self.locked_pages -= pages
        if region.start >= start:
            if region.end <= end:
                areas.remove(region)
            else:
                areas.move_start(region, end)
        else:
            if region.end > end:
                areas.split(region, end)
            region.end = start

    # Files

    def write_back(self, source: Source | None = None) -> None:
        """What shared mappings changed goes to its file: before it is read, and at the end."""
        caches = self.caches if source is None else filter(None, (self.caches.known(source),))
        for cache in caches:
            if cache.write_back():
                self._write_protect(cache)

    def reread(self, source: Source, start: int = 0, end: int = 1 << 63) -> None:
        """Bytes of a file were changed, or it was cut: its mappings show that.

        `write_back` goes before it, and before the change.
        """
        cache = self.caches.known(source)
        if cache is not None and cache.reread(start, end):
            self.faults.forget_beyond(cache)

    def _write_protect(self, cache: object) -> None:
        """So that the next write to its pages is noticed."""
        for region in self.areas.all:
            if region.cache is cache and region.flags & vm.SHARED:
                self.memory.rights_changed(region.start, region.end)
