"""mlock(2), mlock2(2), munlock(2), mlockall(2), munlockall(2).

Pages here are never moved out of memory; what can be seen is that they are touched at once, what
RLIMIT_MEMLOCK allows, and what other calls refuse to do to them. The process is not privileged
(CAP_IPC_LOCK). Source: mm/mlock.c.
"""

from __future__ import annotations

from syscalls import vm_flags as vm
from syscalls.abi import (
    EFAULT,
    EINVAL,
    ENOMEM,
    EPERM,
    MLOCK_ONFAULT,
    PAGE,
    TASK_SIZE,
    Errno,
    LockAll,
    page_down,
    page_up,
)
from syscalls.address_space import AddressSpace
from syscalls.context import Context
from syscalls.populate import populate
from syscalls.region import Region

_WORD = (1 << 64) - 1
_CURRENT, _FUTURE, _ON_FAULT = (
    int(LockAll.MCL_CURRENT),
    int(LockAll.MCL_FUTURE),
    int(LockAll.MCL_ONFAULT),
)


def mlock(context: Context, address: int, length: int) -> int:
    return _lock(context.space, address, length, vm.LOCKED)


def mlock2(context: Context, address: int, length: int, flags: int) -> int:
    if flags & ~MLOCK_ONFAULT:
        raise Errno(EINVAL)
    return _lock(context.space, address, length, vm.LOCKS if flags else vm.LOCKED)


def munlock(context: Context, address: int, length: int) -> int:
    start, size = _pages(address, length)
    _set_locks(context.space, start, size, 0)
    return 0


def mlockall(context: Context, flags: int) -> int:
    space = context.space
    known = _CURRENT | _FUTURE | _ON_FAULT
    if not flags or flags & ~known or flags == _ON_FAULT:
        raise Errno(EINVAL)
    limit = space.limits.locked
    if limit == 0:
        raise Errno(EPERM)
    if flags & _CURRENT and limit is not None and space.pages > limit // PAGE:
        raise Errno(ENOMEM)
    locks = vm.LOCKS if flags & _ON_FAULT else vm.LOCKED
    space.lock_new = locks if flags & _FUTURE else 0
    if flags & _CURRENT:
        _set_all(space, locks)
        populate(space, 0, TASK_SIZE, strict=False)
    return 0


def munlockall(context: Context) -> int:
    context.space.lock_new = 0
    _set_all(context.space, 0)
    return 0


def _pages(address: int, length: int) -> tuple[int, int]:
    """The first page of a range, and the bytes of all of them."""
    return page_down(address), page_up(length + address % PAGE & _WORD) & _WORD


def _lock(space: AddressSpace, address: int, length: int, locks: int) -> int:
    limit = space.limits.locked
    if limit == 0:
        raise Errno(EPERM)
    start, size = _pages(address, length)
    if limit is not None:
        most = limit // PAGE
        wanted = size // PAGE + space.locked_pages
        if wanted > most and wanted - _already_locked(space, start, start + size) > most:
            raise Errno(ENOMEM)
    _set_locks(space, start, size, locks)
    try:
        populate(space, start, start + size, strict=True)
    except Errno as error:
        raise Errno(ENOMEM if error.number == EFAULT else error.number) from None
    return 0


def _already_locked(space: AddressSpace, start: int, end: int) -> int:
    """Pages of [start, end) that are locked."""
    return (
        sum(
            min(end, region.end) - max(start, region.start)
            for region in space.overlapping(start, end)
            if region.flags & vm.LOCKED
        )
        // PAGE
    )


def _set_locks(space: AddressSpace, start: int, size: int, locks: int) -> None:
    """Region by region; ENOMEM at a hole, and what came before it is done."""
    end = start + size
    if end >= 1 << 64:
        raise Errno(EINVAL)
    reached = start
    while reached < end:
        region = space.at(reached)
        if region is None:
            raise Errno(ENOMEM)
        reached = _set(space, region, reached, min(region.end, end), locks).end


def _set_all(space: AddressSpace, locks: int) -> None:
    place = 0
    while (region := space.areas.following(place)) is not None:
        try:
            place = _set(space, region, region.start, region.end, locks).end
        except Errno:  # too many regions: Linux goes on with the next
            place = region.end


def _set(space: AddressSpace, region: Region, start: int, end: int, locks: int) -> Region:
    old = region.flags
    flags = old & ~vm.LOCKS | locks
    if flags == old or flags & vm.DROPPABLE:
        return region
    changed = space.areas.change(region, start, end, flags)
    if (old ^ flags) & vm.LOCKED:
        pages = (end - start) // PAGE
        space.locked_pages += pages if locks else -pages
    return changed
