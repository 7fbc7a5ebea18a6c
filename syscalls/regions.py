"""The regions of an address space: sorted, disjoint, joined and split as Linux does it.

Source for what joins when: mm/vma.c.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from operator import attrgetter
from typing import Any

from syscalls import vm_flags as vm
from syscalls.abi import ENOMEM, MAX_MAP_COUNT, PAGE, Errno
from syscalls.region import Region, written_together


class Regions:
    """A sorted list. `all` is for looking; only the methods change it."""

    def __init__(self) -> None:
        self.all: list[Region] = []
        self._starts: list[int] = []

    def __len__(self) -> int:
        return len(self.all)

    # Looking

    def at(self, address: int) -> Region | None:
        """The region that holds an address."""
        index = bisect_right(self._starts, address) - 1
        if index < 0:
            return None
        region = self.all[index]
        return region if address < region.end else None

    def following(self, address: int) -> Region | None:
        """The region that holds an address, or else the next one."""
        index = self._first(address)
        return self.all[index] if index < len(self.all) else None

    def before(self, address: int) -> Region | None:
        """The last region that starts below an address."""
        index = bisect_left(self._starts, address) - 1
        return self.all[index] if index >= 0 else None

    def overlapping(self, start: int, end: int) -> list[Region]:
        """Regions with a byte in [start, end), in order."""
        return self.all[self._first(start) : bisect_left(self._starts, end)] if start < end else []

    def count_below(self, address: int) -> int:
        """How many start below an address."""
        return bisect_left(self._starts, address)

    def _first(self, address: int) -> int:
        """The index of the first region that ends behind an address."""
        index = bisect_right(self._starts, address)
        return index - 1 if index and self.all[index - 1].end > address else index

    def saved(self) -> list[tuple[Region, tuple[Any, ...]]]:
        """Each region, and what it is now."""
        return [(region, _all_of(region)) for region in self.all]

    def put_back(self, saved: list[tuple[Region, tuple[Any, ...]]]) -> None:
        """What `saved` gave. How many regions show a cache is not looked at."""
        self.all = [region for region, _ in saved]
        for region, was in saved:
            region.__init__(*was)  # type: ignore[misc]
        self._starts = [region.start for region in self.all]

    # Changing

    def insert(self, region: Region) -> None:
        index = bisect_left(self._starts, region.start)
        self.all.insert(index, region)
        self._starts.insert(index, region.start)
        if region.cache is not None:
            region.cache.regions += 1

    def remove(self, region: Region) -> None:
        index = bisect_left(self._starts, region.start)
        del self.all[index], self._starts[index]
        if region.cache is not None:
            region.cache.unmapped()

    def move_start(self, region: Region, start: int) -> None:
        """It begins elsewhere from now on, between the same neighbours."""
        self._starts[bisect_left(self._starts, region.start)] = start
        region.page_offset += (start - region.start) // PAGE
        region.start = start

    def split(self, region: Region, place: int) -> Region:
        """Cuts a region in two; the upper one."""
        upper = region.part(place, region.end)
        region.end = place
        self.insert(upper)
        return upper

    def split_within_limits(self, region: Region, place: int) -> Region:
        """The same; ENOMEM where there are too many regions already."""
        if len(self.all) >= MAX_MAP_COUNT:
            raise Errno(ENOMEM)
        return self.split(region, place)

    def split_at(self, place: int) -> None:
        """Cuts the region across a place, if there is one."""
        region = self.at(place)
        if region is not None and region.start < place:
            self.split(region, place)

    def add(self, new: Region, *, only_to_the_left: bool = False) -> Region:
        """Puts a region where nothing is; the region that it is part of then."""
        index = bisect_left(self._starts, new.start)
        left = self.all[index - 1] if index else None
        right = self.all[index] if index < len(self.all) and not only_to_the_left else None
        if left is not None and not left.joins(new):
            left = None
        if right is not None and not (
            new.joins(right) and (left is None or written_together(left, right))
        ):
            right = None
        if left is not None:
            left.end = new.end
            _inherit(left, new)
            return self._absorb(left, right)
        if right is not None:
            _inherit(right, new)
            self.move_start(right, new.start)
            return right
        self.insert(new)
        return new

    def change(self, region: Region, start: int, end: int, flags: int) -> Region:
        """[start, end) of a region gets other flags; the region that it is part of then.

        ENOMEM where that takes more regions than there may be.
        """
        return self._join_changed(region, start, end, flags) or self._cut_changed(
            region, start, end, flags
        )

    def _join_changed(self, region: Region, start: int, end: int, flags: int) -> Region | None:
        if region.start < start and end < region.end:
            return None
        changed = region.part(start, end)
        changed.flags = flags
        left = right = None
        if start == region.start:
            left = self.before(start)
            if left is not None and not left.joins(changed):
                left = None
        if end == region.end:
            right = self.at(end)
            if right is not None and not (
                changed.joins(right) and (left is None or written_together(left, right))
            ):
                right = None
        if left is not None:
            return self._join_left(left, region, right, end)
        return self._join_right(region, right, start) if right is not None else None

    def _join_left(self, left: Region, region: Region, right: Region | None, end: int) -> Region:
        if right is not None:
            _inherit(left, right)
        _inherit(left, region)
        if end == region.end:
            self.remove(region)
        else:
            self.move_start(region, end)
        left.end = end
        return self._absorb(left, right)

    def _join_right(self, region: Region, right: Region, start: int) -> Region:
        _inherit(right, region)
        if start == region.start:
            self.remove(region)
        else:
            region.end = start
        self.move_start(right, start)
        return right

    def _cut_changed(self, region: Region, start: int, end: int, flags: int) -> Region:
        if region.start < start:
            region = self.split_within_limits(region, start)
        if end < region.end:
            self.split_within_limits(region, end)
        region.flags = flags
        return region

    def _absorb(self, left: Region, right: Region | None) -> Region:
        if right is not None:
            end = right.end
            _inherit(left, right)
            self.remove(right)
            left.end = end
        return left


_all_of = attrgetter(*"start end flags page_offset file cache name written".split())
"""Of a region, in the order in which it is made."""


def _inherit(kept: Region, joined: Region) -> None:
    kept.written = kept.written or joined.written
    kept.name = kept.name or joined.name
    kept.flags |= joined.flags & vm.MAYBE_GUARDED
