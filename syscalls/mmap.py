"""mmap(2): anonymous private memory, placed by the kernel, by a hint or by force.

Deviations, so far: mappings of files answer ENODEV, since no file can be open; MAP_SHARED is
private, since nobody is there to share with; MAP_GROWSDOWN answers EINVAL and MAP_HUGETLB ENOMEM
(no huge pages are set aside), rather than being ignored; MAP_32BIT is ignored.
"""

from __future__ import annotations

from syscalls.abi import (
    EBADF,
    EEXIST,
    EINVAL,
    ENODEV,
    ENOMEM,
    EPERM,
    MAP_TYPE_MASK,
    MMAP_MIN_ADDR,
    PAGE,
    TASK_SIZE,
    Errno,
    Map,
    MapType,
    page_down,
    page_up,
)
from syscalls.address_space import AddressSpace
from syscalls.call import Context
from syscalls.mprotect import rights_of

STANDARD_FILES = range(3)


def mmap(
    context: Context, address: int, length: int, prot: int, flags: int, fd: int, offset: int
) -> int:
    """The questions are asked in the order in which Linux asks them."""
    if offset % PAGE:
        raise Errno(EINVAL)
    if not flags & Map.MAP_ANONYMOUS and fd not in STANDARD_FILES:
        raise Errno(EBADF)
    if flags & Map.MAP_ANONYMOUS and flags & Map.MAP_HUGETLB:
        raise Errno(ENOMEM)
    if length == 0:
        raise Errno(EINVAL)
    size = page_up(length)
    if size > TASK_SIZE:
        raise Errno(ENOMEM)
    fixed = bool(flags & (Map.MAP_FIXED | Map.MAP_FIXED_NOREPLACE))
    place = _fixed_place(address, size) if fixed else _place(context.space, address, size)
    if flags & Map.MAP_FIXED_NOREPLACE and not context.space.is_free(place, place + size):
        raise Errno(EEXIST)
    _check_kind(flags)
    reserved = not flags & Map.MAP_NORESERVE
    context.space.map(place, size, rights_of(prot), reserved=reserved)
    return place


def _fixed_place(address: int, size: int) -> int:
    if address > (1 << 64) - PAGE:  # Linux takes such a place for an errno, and answers it
        raise Errno((1 << 64) - address)
    if address > TASK_SIZE - size:
        raise Errno(ENOMEM)
    if address % PAGE:
        raise Errno(EINVAL)
    if address < MMAP_MIN_ADDR:
        raise Errno(EPERM)
    return address


def _place(space: AddressSpace, hint: int, size: int) -> int:
    """The hint if nothing is there, else the highest gap."""
    hint = page_down(hint)
    if hint:
        hint = max(hint, MMAP_MIN_ADDR)
        if hint <= TASK_SIZE - size and space.is_free(hint, hint + size):
            return hint
    return space.find_gap(size)


def _check_kind(flags: int) -> None:
    if not flags & Map.MAP_ANONYMOUS:
        raise Errno(ENODEV)
    if flags & MAP_TYPE_MASK not in (MapType.MAP_PRIVATE, MapType.MAP_SHARED):
        raise Errno(EINVAL)
    if flags & Map.MAP_GROWSDOWN:
        raise Errno(EINVAL)
