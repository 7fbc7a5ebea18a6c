"""Touching pages ahead: MAP_POPULATE, mlock, MADV_POPULATE_READ and _WRITE. Source: mm/gup.c."""

from __future__ import annotations

from syscalls import vm_flags as vm
from syscalls.abi import EFAULT, PAGE, Errno
from syscalls.address_space import AddressSpace
from syscalls.memory import TooMuchTouched
from syscalls.region import Region


def populate(space: AddressSpace, start: int, end: int, *, strict: bool) -> None:
    """Pages as their regions are used: written to where they are private and writable.

    strict: EFAULT at the first page that cannot be touched; else the rest of its region is left.
    """
    budget = Budget(space)
    for region in space.overlapping(start, end):
        try:
            populate_region(space, region, max(start, region.start), min(end, region.end), budget)
        except Errno:
            if strict:
                raise


def populate_region(
    space: AddressSpace, region: Region, start: int, end: int, budget: Budget
) -> None:
    """The same for a part of a region; nothing where pages are locked when they are touched."""
    flags = region.flags
    if flags & vm.LOCK_ON_FAULT:
        return
    if not flags & vm.ACCESS:
        raise Errno(EFAULT)
    access = "w" if flags & (vm.WRITE | vm.SHARED) == vm.WRITE else "r"
    touch_pages(space, start, end, access, budget)


def touch_pages(space: AddressSpace, start: int, end: int, access: str, budget: Budget) -> None:
    """EFAULT at the first page that refuses; TooMuchTouched where the budget ends first."""
    for page in range(start, end, PAGE):
        if not budget.pages:
            raise TooMuchTouched
        budget.pages -= 1
        if not space.fault(page, access):
            raise Errno(EFAULT)


class Budget:
    """How many pages one system call may touch: as many as the process may have."""

    __slots__ = ("pages",)

    def __init__(self, space: AddressSpace) -> None:
        self.pages = space.limits.touched // PAGE
