"""msync(2).

MS_SYNC brings what a shared mapping changed to its file; MS_ASYNC only looks whether everything
is mapped, as on Linux; MS_INVALIDATE refuses locked pages. Source: mm/msync.c.
"""

from __future__ import annotations

from syscalls import vm_flags as vm
from syscalls.abi import EBUSY, EINVAL, ENOMEM, PAGE, Errno, Msync, page_up
from syscalls.address_space import AddressSpace
from syscalls.context import Context
from syscalls.region import Region

_ASYNC, _INVALIDATE, _SYNC = int(Msync.MS_ASYNC), int(Msync.MS_INVALIDATE), int(Msync.MS_SYNC)


def msync(context: Context, address: int, length: int, flags: int) -> int:
    if flags & ~(_ASYNC | _INVALIDATE | _SYNC) or address % PAGE:
        raise Errno(EINVAL)
    if flags & _ASYNC and flags & _SYNC:
        raise Errno(EINVAL)
    size = page_up(length) & (1 << 64) - 1
    if address + size >= 1 << 64:
        raise Errno(ENOMEM)
    _sync_all(context.space, address, address + size, flags)
    return 0


def _sync_all(space: AddressSpace, start: int, end: int, flags: int) -> None:
    reached, hole = start, False
    while reached < end:
        region = space.areas.following(reached)
        if region is None:
            raise Errno(ENOMEM)
        if region.start > reached:
            hole = True
            if flags == _ASYNC or region.start >= end:
                raise Errno(ENOMEM)
        if flags & _INVALIDATE and region.flags & vm.LOCKED:
            raise Errno(EBUSY)
        if flags & _SYNC:
            _sync(space, region)
        reached = region.end
    if hole:
        raise Errno(ENOMEM)


def _sync(space: AddressSpace, region: Region) -> None:
    cache = region.cache
    if region.flags & vm.SHARED and cache is not None and cache.source is not None:
        space.write_back(cache.source)
