"""madvise(2).

Advice for one region after the other; a hole answers ENOMEM at the end, and what is mapped has
been advised by then. What the advice is about often cannot be seen by one process, but its
flags can: neighbours of different advice do not join.

Deviations: MADV_REMOVE of a file answers EOPNOTSUPP, as a file system does that cannot make
holes; of shared anonymous memory it works. MADV_FREE never takes the pages, which it may.
MADV_PAGEOUT pages nothing out. MADV_COLLAPSE answers EINVAL, as for memory in which no huge page
fits. Poisoning memory (MADV_HWPOISON, MADV_SOFT_OFFLINE) answers EINVAL, as kernels without it do.
Source: mm/madvise.c.
"""

from __future__ import annotations

from collections.abc import Callable

from syscalls import vm_flags as vm
from syscalls.abi import (
    EACCES,
    EAGAIN,
    EINVAL,
    ENOMEM,
    EOPNOTSUPP,
    PAGE,
    Advice,
    Errno,
    page_up,
)
from syscalls.address_space import AddressSpace
from syscalls.context import Context
from syscalls.populate import Budget, touch_pages
from syscalls.region import Region


def madvise(context: Context, address: int, length: int, advice: int) -> int:
    end = address + page_up(length)
    known = advice in _FLAGS or advice in _ACTIONS or advice in _POPULATE
    if not known or address % PAGE or page_up(length) >= 1 << 64 or end >= 1 << 64:
        raise Errno(EINVAL)
    if advice in _POPULATE:
        _populate(context.space, address, end, *_POPULATE[advice])
    elif address < end:
        _advise_all(context.space, address, end, advice)
    return 0


def _advise_all(space: AddressSpace, start: int, end: int, advice: int) -> None:
    reached, hole = start, False
    while reached < end:
        region = space.areas.following(reached)
        if region is None:
            raise Errno(ENOMEM)
        if region.start > reached:
            hole = True
            reached = region.start
        if reached < end:
            stop = min(region.end, end)
            _advise(space, region, reached, stop, advice)
            reached = stop
    if hole:
        raise Errno(ENOMEM)


def _advise(space: AddressSpace, region: Region, start: int, end: int, advice: int) -> None:
    action = _ACTIONS.get(advice)
    if action is not None:
        action(space, region, start, end)
        return
    forbidden, removed, added = _FLAGS[advice]
    if region.flags & forbidden:
        raise Errno(EINVAL)
    if advice == Advice.MADV_WIPEONFORK and region.cache is not None:
        raise Errno(EINVAL)
    flags = region.flags & ~removed | added
    if advice == Advice.MADV_MERGEABLE and not _may_be_merged(region):
        flags = region.flags
    if flags != region.flags:
        try:
            space.areas.change(region, start, end, flags)
        except Errno:
            raise Errno(EAGAIN) from None


def _may_be_merged(region: Region) -> bool:
    """By KSM, which looks at private memory alone."""
    return not region.flags & (vm.SHARED | vm.MAY_SHARE | vm.DROPPABLE)


# Advice that changes pages


def _not_needed(space: AddressSpace, region: Region, start: int, end: int) -> None:
    if region.flags & vm.LOCKED:
        raise Errno(EINVAL)
    space.memory.discard(start, end)


def _not_needed_locked(space: AddressSpace, _: Region, start: int, end: int) -> None:
    space.memory.discard(start, end)


def _free(_: AddressSpace, region: Region, __: int, ___: int) -> None:
    if region.flags & vm.LOCKED or region.cache is not None:
        raise Errno(EINVAL)


def _cold(_: AddressSpace, region: Region, __: int, ___: int) -> None:
    if region.flags & vm.LOCKED:
        raise Errno(EINVAL)


def _nothing(_: AddressSpace, __: Region, ___: int, ____: int) -> None:
    pass


def _collapse(_: AddressSpace, __: Region, ___: int, ____: int) -> None:
    raise Errno(EINVAL)


def _remove(_: AddressSpace, region: Region, start: int, end: int) -> None:
    if region.flags & vm.LOCKED or region.cache is None:
        raise Errno(EINVAL)
    if region.flags & (vm.SHARED | vm.MAY_WRITE) != vm.SHARED | vm.MAY_WRITE:
        raise Errno(EACCES)
    if region.cache.source is not None:
        raise Errno(EOPNOTSUPP)
    region.cache.remove(region.page_at(start), region.page_at(end))


def _guard(space: AddressSpace, region: Region, start: int, end: int) -> None:
    """Pages that nobody may touch, without a region of their own; they lose their contents."""
    if region.flags & vm.LOCKED:
        raise Errno(EINVAL)
    space.faults.prepare(region)
    region.flags |= vm.MAYBE_GUARDED
    space.memory.discard(start, end)
    space.faults.guard(start, end)


def _unguard(space: AddressSpace, _: Region, start: int, end: int) -> None:
    space.faults.unguard(start, end)


# Advice that touches pages


def _populate(space: AddressSpace, start: int, end: int, needed: int, access: str) -> None:
    """All pages up to the first that refuses: ENOMEM for a hole, EINVAL for rights, else EFAULT."""
    reached, budget = start, Budget(space)
    while reached < end:
        region = space.at(reached)
        if region is None:
            raise Errno(ENOMEM)
        if not region.flags & needed:
            raise Errno(EINVAL)
        stop = min(region.end, end)
        touch_pages(space, reached, stop, access, budget)
        reached = stop


_Action = Callable[[AddressSpace, Region, int, int], None]
_ACTIONS: dict[int, _Action] = {
    Advice.MADV_WILLNEED: _nothing,
    Advice.MADV_DONTNEED: _not_needed,
    Advice.MADV_DONTNEED_LOCKED: _not_needed_locked,
    Advice.MADV_FREE: _free,
    Advice.MADV_REMOVE: _remove,
    Advice.MADV_COLD: _cold,
    Advice.MADV_PAGEOUT: _cold,
    Advice.MADV_COLLAPSE: _collapse,
    Advice.MADV_GUARD_INSTALL: _guard,
    Advice.MADV_GUARD_REMOVE: _unguard,
}
_POPULATE = {
    int(Advice.MADV_POPULATE_READ): (vm.READ, "r"),
    int(Advice.MADV_POPULATE_WRITE): (vm.WRITE, "w"),
}
_FLAGS: dict[int, tuple[int, int, int]] = {
    Advice.MADV_NORMAL: (0, vm.RANDOM | vm.SEQUENTIAL, 0),
    Advice.MADV_SEQUENTIAL: (0, vm.RANDOM, vm.SEQUENTIAL),
    Advice.MADV_RANDOM: (0, vm.SEQUENTIAL, vm.RANDOM),
    Advice.MADV_DONTFORK: (0, 0, vm.NOT_FORKED),
    Advice.MADV_DOFORK: (0, vm.NOT_FORKED, 0),
    Advice.MADV_WIPEONFORK: (vm.SHARED, 0, vm.WIPED_ON_FORK),
    Advice.MADV_KEEPONFORK: (vm.DROPPABLE, vm.WIPED_ON_FORK, 0),
    Advice.MADV_DONTDUMP: (0, 0, vm.NOT_DUMPED),
    Advice.MADV_DODUMP: (vm.DROPPABLE, vm.NOT_DUMPED, 0),
    Advice.MADV_MERGEABLE: (0, 0, vm.MERGEABLE),
    Advice.MADV_UNMERGEABLE: (0, vm.MERGEABLE, 0),
    Advice.MADV_HUGEPAGE: (0, vm.NOT_HUGE, vm.HUGE),
    Advice.MADV_NOHUGEPAGE: (0, vm.HUGE, vm.NOT_HUGE),
}
"""Flags that forbid it, flags that it takes away, flags that it sets."""
