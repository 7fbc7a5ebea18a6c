"""Where a mapping goes: by force, by a hint, or into a gap.

As Linux lays a process out without randomization: top-down below MMAP_BASE, into the highest gap
that is large enough, and bottom-up where there is none. Below a region that grows down, a gap of
STACK_GUARD_GAP stays free. Sources: mm/mmap.c, arch/x86/kernel/sys_x86_64.c.
"""

from __future__ import annotations

from dataclasses import dataclass

from syscalls import vm_flags as vm
from syscalls.abi import (
    EINVAL,
    ENOMEM,
    EPERM,
    MMAP_BASE,
    MMAP_MIN_ADDR,
    PAGE,
    STACK_GUARD_GAP,
    TASK_SIZE,
    Errno,
    page_down,
    page_up,
)
from syscalls.region import Region
from syscalls.regions import Regions

BOTTOM_UP_BASE = page_up(TASK_SIZE // 3)
"""Where Linux looks for gaps from, when it looks bottom-up."""
_LOW_2G = (0x4000_0000, 0x8000_0000)
_4G = 1 << 32
_HUGE_PAGE = 2 << 20
_ERRORS = (1 << 64) - PAGE


@dataclass(frozen=True, slots=True)
class Wish:
    """What a mapping may ask about its place. in_low_2g: MAP_32BIT. above_4g: MAP_ABOVE4G.

    huge_aligned: anonymous private memory, which begins on a huge page where it may, and consists
    of huge pages, so that Linux could use some.
    """

    fixed: bool = False
    in_low_2g: bool = False
    above_4g: bool = False
    huge_aligned: bool = False


ANYWHERE = Wish()


def start_with_gap(region: Region) -> int:
    """Below, others may lie."""
    if region.flags & vm.GROWS_DOWN:
        return max(0, region.start - STACK_GUARD_GAP)
    return region.start


class Placement:
    """Finds places among regions."""

    def __init__(self, regions: Regions) -> None:
        self._regions = regions
        self._searched_size, self._searched_from = 0, MMAP_BASE
        # No gap of this size, or a larger one, lies above that address.

    def saved(self) -> tuple[int, int]:
        """What it has learned of gaps."""
        return self._searched_size, self._searched_from

    def put_back(self, saved: tuple[int, int]) -> None:
        """What `saved` gave."""
        self._searched_size, self._searched_from = saved

    def freed(self, end: int) -> None:
        """What ends here is free, and the gap around it may be large enough for anything."""
        if end > self._searched_from:
            behind = self._regions.following(end - 1)
            self._searched_from = min(MMAP_BASE, behind.start) if behind else MMAP_BASE

    def choose(self, hint: int, size: int, wish: Wish = ANYWHERE) -> int:
        """Where `size` bytes go. ENOMEM, EINVAL, EPERM where they cannot."""
        if size > TASK_SIZE:
            raise Errno(ENOMEM)
        if wish.huge_aligned and not hint and size % _HUGE_PAGE == 0:
            place = self._huge_aligned(size, wish)
        else:
            place = self._plain(hint, size, wish)
        return _checked(place, size)

    def _huge_aligned(self, size: int, wish: Wish) -> int:
        try:
            place = self._plain(0, size + _HUGE_PAGE, wish)
        except Errno:
            return self._plain(0, size, wish)
        if place == 0:
            return 0
        return place + (-place % _HUGE_PAGE or _HUGE_PAGE)

    def _plain(self, hint: int, size: int, wish: Wish) -> int:
        if size > TASK_SIZE:
            raise Errno(ENOMEM)
        if wish.fixed:
            return hint
        if wish.in_low_2g:
            return self._bottom_up(hint, size, *_LOW_2G)
        place = page_down(hint)
        if place and place <= TASK_SIZE - size and self._fits(place, size):
            return place
        found = self._top_down(size, _4G if wish.above_4g else MMAP_MIN_ADDR)
        return self._bottom_up(hint, size, BOTTOM_UP_BASE, TASK_SIZE) if found is None else found

    def _fits(self, place: int, size: int) -> bool:
        region = self._regions.following(place)
        return region is None or place + size <= start_with_gap(region)

    def _top_down(self, size: int, low: int) -> int | None:
        known = size >= self._searched_size
        high = self._searched_from if known else MMAP_BASE
        regions, index = self._regions.all, self._regions.count_below(high)
        ceiling = min(high, start_with_gap(regions[index])) if index < len(regions) else high
        while index and ceiling - low >= size:
            index -= 1
            region = regions[index]
            if ceiling - region.end >= size:
                break
            ceiling = min(ceiling, start_with_gap(region))
        if ceiling - low < size:
            return None
        self._searched_size, self._searched_from = size, max(ceiling, PAGE)
        return ceiling - size

    def _bottom_up(self, hint: int, size: int, low: int, high: int) -> int:
        if size > high:
            raise Errno(ENOMEM)
        place = page_up(hint)
        if place and place <= high - size and self._fits(place, size):
            return place
        floor = low
        regions, index = self._regions.all, self._regions.count_below(low)
        index -= bool(index and regions[index - 1].end > low)
        while index < len(regions):
            region = regions[index]
            if start_with_gap(region) - floor >= size or floor + size > high:
                break
            floor = max(floor, region.end)
            index += 1
        if floor + size > high:
            raise Errno(ENOMEM)
        return floor


def _checked(place: int, size: int) -> int:
    """The last questions, whoever chose the place."""
    if place > _ERRORS:  # Linux takes such a place for an errno, and answers it
        raise Errno((1 << 64) - place)
    if place > TASK_SIZE - size:
        raise Errno(ENOMEM)
    if place % PAGE:
        raise Errno(EINVAL)
    if place < MMAP_MIN_ADDR:
        raise Errno(EPERM)
    return place
