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
    for region in space.overlapping(start, end):
        try:
            populate_region(space, region, max(start, region.start), min(end, region.end))
        except Errno:
            if strict:
                raise


def populate_region(space: AddressSpace, region: Region, start: int, end: int) -> None:
    """The same for a part of a region; nothing where pages are locked when they are touched."""
    flags = region.flags
    if flags & vm.LOCK_ON_FAULT:
        return
    if not flags & vm.ACCESS:
        raise Errno(EFAULT)
    touch_pages(space, start, end, "w" if flags & (vm.WRITE | vm.SHARED) == vm.WRITE else "r")


def touch_pages(space: AddressSpace, start: int, end: int, access: str) -> None:
    """EFAULT at the first page that refuses; TooMuchTouched where it is more than there may be."""
    most = start + space.limits.touched // PAGE * PAGE
    for page in range(start, min(end, most), PAGE):
        if not space.fault(page, access):
            raise Errno(EFAULT)
    if end > most:
        raise TooMuchTouched
