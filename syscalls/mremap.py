"""mremap(2): a mapping becomes larger or smaller where it is, or goes elsewhere with its contents.

A range may lie in several regions only where it is cut, or moved to a fixed place as it is. An
old size of 0 makes a second view of shared memory. What Linux does before it finds that it cannot
go on (the place is emptied, the end is cut off) is done here too. Source: mm/mremap.c.
"""

from __future__ import annotations

from dataclasses import dataclass

from syscalls import vm_flags as vm
from syscalls.abi import (
    EAGAIN,
    EFAULT,
    EINVAL,
    ENOMEM,
    MAX_MAP_COUNT,
    PAGE,
    TASK_SIZE,
    Errno,
    Remap,
    page_up,
)
from syscalls.address_space import AddressSpace
from syscalls.context import Context
from syscalls.munmap import unmap
from syscalls.placement import Wish
from syscalls.populate import populate
from syscalls.region import Region

_MAY_MOVE, _FIXED, _KEEP = (
    int(Remap.MREMAP_MAYMOVE),
    int(Remap.MREMAP_FIXED),
    int(Remap.MREMAP_DONTUNMAP),
)
_SPARE_REGIONS = 3
"""Moving may split regions, and must not fail half way."""


@dataclass(slots=True)
class _Wanted:
    """[start, start + old) becomes [to, to + new). keep: the old pages stay mapped, and empty."""

    start: int
    old: int
    new: int
    to: int
    may_move: bool
    fixed: bool
    keep: bool

    @property
    def elsewhere(self) -> bool:
        """Whether the place is named, so that it moves for certain."""
        return self.fixed or self.keep

    @property
    def grows(self) -> int:
        return self.new - self.old


def mremap(
    context: Context, address: int, old_length: int, new_length: int, flags: int, to: int
) -> int:
    space = context.space
    old, new = (page_up(length) & (1 << 64) - 1 for length in (old_length, new_length))
    wanted = _Wanted(
        address, old, new, to, bool(flags & _MAY_MOVE), bool(flags & _FIXED), bool(flags & _KEEP)
    )
    if flags & ~(_MAY_MOVE | _FIXED | _KEEP):
        raise Errno(EINVAL)
    _check(space, wanted)
    if wanted.fixed and old == new:
        return _move_all(space, wanted)
    region = _checked(space, wanted)
    if wanted.elsewhere:
        return _move_to(space, wanted)
    if new > old:
        return _grow(space, region, wanted)
    if new < old:
        unmap(space, address + new, old - new)
    return address


def _check(space: AddressSpace, wanted: _Wanted) -> None:
    """What is wrong with the numbers."""
    start, old, new, to = wanted.start, wanted.old, wanted.new, wanted.to
    if start % PAGE or not new or new > TASK_SIZE:
        raise Errno(EINVAL)
    if not wanted.elsewhere:
        return
    if to > TASK_SIZE - new or to % PAGE or not wanted.may_move:
        raise Errno(EINVAL)
    if wanted.keep and old != new:
        raise Errno(EINVAL)
    if start + old & (1 << 64) - 1 > to and to + new > start:
        raise Errno(EINVAL)
    if len(space.areas) + 2 >= MAX_MAP_COUNT - _SPARE_REGIONS:
        raise Errno(ENOMEM)


def _checked(space: AddressSpace, wanted: _Wanted) -> Region:
    """The region that is to change, once nothing speaks against it."""
    region = space.at(wanted.start)
    if region is None:
        raise Errno(EFAULT)
    if wanted.grows <= 0 and not wanted.elsewhere:
        return region
    if not wanted.old and not region.flags & (vm.SHARED | vm.MAY_SHARE):
        raise Errno(EINVAL)
    if min(wanted.old, wanted.new) > region.end - wanted.start:
        raise Errno(EFAULT)
    if wanted.grows > 0:
        _may_grow(space, region, wanted)
    return region


def _may_grow(space: AddressSpace, region: Region, wanted: _Wanted) -> None:
    if not space.may_lock(region.flags, wanted.grows):
        raise Errno(EAGAIN)
    if not space.may_expand(region.flags, wanted.grows // PAGE):
        raise Errno(ENOMEM)


# In place


def _grow(space: AddressSpace, region: Region, wanted: _Wanted) -> int:
    end = region.end + wanted.grows
    at_its_end = region.end - wanted.start == wanted.old
    if not (at_its_end and end <= TASK_SIZE and space.is_free(region.end, end)):
        if not wanted.may_move:
            raise Errno(ENOMEM)
        return _move(space, region, wanted)
    _promise(space, region, wanted.grows)
    flags, old_end = region.flags, region.end
    space.areas.add(region.part(old_end, end))
    _account(space, flags, wanted.grows)
    if flags & vm.LOCKED:
        populate(space, old_end, end, strict=False)
    return wanted.start


def _promise(space: AddressSpace, region: Region, size: int) -> None:
    if region.flags & vm.ACCOUNTED and not space.may_promise(size // PAGE):
        raise Errno(ENOMEM)


def _account(space: AddressSpace, flags: int, size: int) -> None:
    space.account(flags, size // PAGE)
    if flags & vm.LOCKED:
        space.locked_pages += size // PAGE


# To another place


def _move_all(space: AddressSpace, wanted: _Wanted) -> int:
    """All regions of a range, with the holes between them; one after the other."""
    first = space.at(wanted.start)
    if first is None:
        raise Errno(EFAULT)
    start, end = wanted.start, wanted.start + wanted.old
    by = wanted.to - start
    place = start
    while place < end:
        region = space.areas.following(place)
        if region is None or region.start >= end:
            break
        place = max(place, region.start)
        size = min(end, region.end) - place
        part = _Wanted(place, size, size, place + by, True, True, wanted.keep)
        _checked(space, part)
        _move_to(space, part)
        place += size
    return wanted.to


def _move_to(space: AddressSpace, wanted: _Wanted) -> int:
    """To a place that was named: what is there goes first, and what is cut off, second."""
    if wanted.fixed:
        unmap(space, wanted.to, wanted.new)
    if wanted.grows < 0:
        unmap(space, wanted.start + wanted.new, -wanted.grows)
        wanted.old = wanted.new
    region = space.at(wanted.start)
    if region is None:
        raise Errno(EFAULT)
    if wanted.keep and not space.may_expand(region.flags, wanted.old // PAGE):
        raise Errno(ENOMEM)
    return _move(space, region, wanted)


def _move(space: AddressSpace, region: Region, wanted: _Wanted) -> int:
    """The region is copied, its pages change hands, and the old place is emptied."""
    start, old, new = wanted.start, wanted.old, wanted.new
    private_memory = region.cache is None
    wish = Wish(fixed=wanted.fixed, huge_aligned=private_memory)
    to = space.places.choose(wanted.to if wanted.elsewhere else 0, new, wish)
    if len(space.areas) >= MAX_MAP_COUNT - _SPARE_REGIONS:
        raise Errno(ENOMEM)
    _promise(space, region, new if wanted.keep else new - old)
    copy = region.part(start, start + new)
    if private_memory and region.written is None:
        copy.page_offset = to // PAGE
    copy.start, copy.end = to, to + new
    flags = region.flags
    space.areas.add(copy)
    space.memory.move(start, start + old, to)
    space.faults.move_guards(start, start + old, to)
    _account(space, flags, new)
    if wanted.keep:
        _leave(space, start, old)
    elif old:
        space.unmap(start, old)
    if flags & vm.LOCKED and new > old:
        populate(space, to + old, to + new, strict=False)
    return to


def _leave(space: AddressSpace, start: int, size: int) -> None:
    """The old region is locked no more, as a whole, and counts as never written to."""
    region = space.at(start)
    if region is None:
        return
    region.flags &= ~vm.LOCKS
    if region.start == start and region.size == size:
        region.written = None
