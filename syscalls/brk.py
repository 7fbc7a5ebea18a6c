"""brk(2).

"On success, the system call returns the new program break. On failure, the system call returns
the current break." So it never answers an errno, not even a planned one. Source: mm/mmap.c.
"""

from __future__ import annotations

from syscalls import vm_flags as vm
from syscalls.abi import MAX_MAP_COUNT, PAGE, STACK_GUARD_GAP, TASK_SIZE, Errno, page_up
from syscalls.address_space import AddressSpace
from syscalls.context import Context
from syscalls.placement import start_with_gap
from syscalls.populate import populate
from syscalls.region import Region


def brk(context: Context, address: int) -> int:
    space = context.space
    if context.planned_errno is None and address != space.brk and _move(space, address):
        space.brk = address
    return space.brk


def _move(space: AddressSpace, wanted: int) -> bool:
    """Whether the break can be there; the heap is changed by then."""
    limit = space.limits.data
    if wanted < space.heap_start:
        return False
    if limit is not None and wanted - space.heap_start + space.data_size > limit:
        return False
    old_end, new_end = page_up(space.brk), page_up(wanted)
    if old_end == new_end:
        return True
    if wanted <= space.brk:
        return _shrink(space, new_end, old_end)
    return _may_grow(space, old_end, new_end) and _grow(space, old_end, new_end)


def _shrink(space: AddressSpace, new_end: int, old_end: int) -> bool:
    """Not where nothing of it is mapped any more."""
    if space.is_free(new_end, old_end):
        return False
    try:
        space.unmap(new_end, old_end - new_end)
    except Errno:
        return False
    return True


def _may_grow(space: AddressSpace, old_end: int, new_end: int) -> bool:
    """Whether there is room, and a page of room behind it; of others Linux looks at the next."""
    if new_end > TASK_SIZE or not space.may_lock(space.lock_new, new_end - old_end):
        return False
    behind = space.areas.following(old_end)
    if behind is None or behind.start >= new_end + PAGE + STACK_GUARD_GAP:
        return True
    return new_end + PAGE <= start_with_gap(behind)


def _grow(space: AddressSpace, old_end: int, new_end: int) -> bool:
    flags = vm.WRITABLE_DATA | space.lock_new
    pages = (new_end - old_end) // PAGE
    if not (space.may_expand(flags, pages) and space.may_promise(pages)):
        return False
    if len(space.areas) > MAX_MAP_COUNT:
        return False
    space.areas.add(Region(old_end, new_end, flags, name="heap"), only_to_the_left=True)
    space.account(flags, pages)
    if flags & vm.LOCKED:
        space.locked_pages += pages
        populate(space, old_end, new_end, strict=False)
    return True
