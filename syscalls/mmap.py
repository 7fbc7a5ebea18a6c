"""mmap(2): memory and files, placed by the kernel, by a hint or by force.

Deviations: MAP_HUGETLB answers ENOMEM, as on a machine on which no huge pages are set aside, also
with MAP_NORESERVE, where Linux maps pages that cannot be touched. MAP_SYNC with
MAP_SHARED_VALIDATE answers EOPNOTSUPP, as for a file that is not on persistent memory. Where
Linux aligns a large mapping of a file for huge pages, which depends on the file system, ours is
not aligned. /proc/self/maps does not name /dev/zero. Source: mm/mmap.c.
"""

from __future__ import annotations

from syscalls import vm_flags as vm
from syscalls.abi import (
    EACCES,
    EAGAIN,
    EEXIST,
    EINVAL,
    ENODEV,
    ENOMEM,
    EOPNOTSUPP,
    EOVERFLOW,
    EPERM,
    LARGEST_FILE,
    MAP_TYPE_MASK,
    MAX_MAP_COUNT,
    MMAP_MIN_ADDR,
    PAGE,
    Errno,
    Map,
    MapType,
    Prot,
    page_down,
    page_up,
)
from syscalls.address_space import AddressSpace
from syscalls.context import Context
from syscalls.files.devices import Zero
from syscalls.files.file import File, Source
from syscalls.placement import Wish
from syscalls.populate import populate
from syscalls.region import Region

_WRITE = int(Prot.PROT_WRITE)
_ANONYMOUS, _HUGETLB = int(Map.MAP_ANONYMOUS), int(Map.MAP_HUGETLB)
_NO_REPLACE, _LOCKED = int(Map.MAP_FIXED_NOREPLACE), int(Map.MAP_LOCKED)
_FIXED = int(Map.MAP_FIXED | Map.MAP_FIXED_NOREPLACE)
_GROWS_DOWN = int(Map.MAP_GROWSDOWN)
_32BIT, _ABOVE4G = int(Map.MAP_32BIT), int(Map.MAP_ABOVE4G)
_POPULATE, _NONBLOCK = int(Map.MAP_POPULATE), int(Map.MAP_NONBLOCK)
_SHARED, _PRIVATE = int(MapType.MAP_SHARED), int(MapType.MAP_PRIVATE)
_VALIDATED, _DROPPABLE = int(MapType.MAP_SHARED_VALIDATE), int(MapType.MAP_DROPPABLE)

_BECOMES = (
    (_GROWS_DOWN, vm.GROWS_DOWN),
    (_LOCKED, vm.LOCKED),
    (int(Map.MAP_STACK), vm.NOT_HUGE),
    (int(Map.MAP_NORESERVE), vm.NO_RESERVE),
    (int(Map.MAP_SYNC), vm.SYNC),
)
_OF_A_REGION = sum(flag for flag, _ in _BECOMES)
_HUGE_SIZES = 21 << 26 | 30 << 26
_VALID = int(~(Map.MAP_SYNC | Map.MAP_FIXED_NOREPLACE) & sum(Map)) | MAP_TYPE_MASK & 3 | _HUGE_SIZES
"""What MAP_SHARED_VALIDATE lets through."""


def mmap(
    context: Context, address: int, length: int, prot: int, flags: int, fd: int, offset: int
) -> int:
    """The questions are asked in the order in which Linux asks them."""
    if offset % PAGE:
        raise Errno(EINVAL)
    if not flags & _ANONYMOUS:
        file = context.files.at(fd)
        if flags & _HUGETLB:
            raise Errno(EINVAL)
        return _map(context.space, address, length, prot, flags, file, offset)
    if flags & _HUGETLB:
        return _map_huge(context.space, address, length, prot, flags, offset)
    return _map(context.space, address, length, prot, flags, None, 0)


def _map(
    space: AddressSpace,
    address: int,
    length: int,
    prot: int,
    flags: int,
    file: File | None,
    offset: int,
) -> int:
    if length == 0:
        raise Errno(EINVAL)
    size = page_up(length)
    if len(space.areas) > MAX_MAP_COUNT:
        raise Errno(ENOMEM)
    start = _place(space, address, size, flags, private_memory=file is None and not flags & _SHARED)
    kept = _kept(space, prot, flags, size)
    if file is None:
        new = _memory(space, start, size, kept, flags)
    else:
        new = _file(space, start, size, kept, flags, file, offset)
    space.establish(new)
    if kept & vm.LOCKED or flags & (_POPULATE | _NONBLOCK) == _POPULATE:
        populate(space, start, start + size, strict=False)
    return start


def _place(space: AddressSpace, hint: int, size: int, flags: int, *, private_memory: bool) -> int:
    """Where it goes. A fixed place is not looked at before it is known to be possible."""
    fixed = bool(flags & _FIXED)
    if not fixed:
        hint = page_down(hint)
        hint = max(hint, MMAP_MIN_ADDR) if hint else 0
    wish = _wish(fixed, bool(flags & _32BIT), bool(flags & _ABOVE4G), private_memory)
    start = space.places.choose(hint, size, wish)
    if flags & _NO_REPLACE and not space.is_free(start, start + size):
        raise Errno(EEXIST)
    return start


def _wish(fixed: bool, in_low_2g: bool, above_4g: bool, huge_aligned: bool) -> Wish:
    return _WISHES[fixed][in_low_2g][above_4g][huge_aligned]


_BOTH = (False, True)
_WISHES = [[[[Wish(a, b, c, d) for d in _BOTH] for c in _BOTH] for b in _BOTH] for a in _BOTH]


def _kept(space: AddressSpace, prot: int, flags: int, size: int) -> int:
    """The flags of the region. EPERM, EAGAIN where it would be locked and must not be."""
    kept = prot & vm.ACCESS | vm.MAY_ALL | space.lock_new
    if flags & _OF_A_REGION:
        for flag, bit in _BECOMES:
            if flags & flag:
                kept |= bit
        if flags & _LOCKED and space.limits.locked == 0:
            raise Errno(EPERM)
    if kept & vm.LOCKED and not space.may_lock(kept, size):
        raise Errno(EAGAIN)
    return kept


def _memory(space: AddressSpace, start: int, size: int, kept: int, flags: int) -> Region:
    kind = flags & MAP_TYPE_MASK
    if kind == _PRIVATE:
        return Region(start, start + size, kept)
    if kind not in (_SHARED, _DROPPABLE) or flags & _GROWS_DOWN:
        raise Errno(EINVAL)
    if kind == _DROPPABLE:
        if flags & _LOCKED:
            raise Errno(EINVAL)
        kept |= vm.DROPPABLE | vm.NO_RESERVE | vm.WIPED_ON_FORK | vm.NOT_DUMPED
        return Region(start, start + size, kept)
    pages = space.caches.anonymous(size)
    return Region(start, start + size, kept | vm.SHARED | vm.MAY_SHARE, 0, pages, pages)


def _file(
    space: AddressSpace, start: int, size: int, kept: int, flags: int, file: File, offset: int
) -> Region:
    source = _source(file)
    if source is not None and offset + size > LARGEST_FILE:
        raise Errno(EOVERFLOW)
    kind = flags & MAP_TYPE_MASK
    if kind in (_SHARED, _VALIDATED):
        kept = _shared(kept, flags, file)
    elif kind != _PRIVATE:
        raise Errno(EINVAL)
    if not file.readable:
        raise Errno(EACCES)
    if source is None and not isinstance(file, Zero):
        raise Errno(ENODEV)
    if flags & _GROWS_DOWN:
        raise Errno(EINVAL)
    if source is None:
        return _zeros(space, start, size, kept, offset)
    return Region(start, start + size, kept, offset // PAGE, file, space.caches.of(source))


def _zeros(space: AddressSpace, start: int, size: int, kept: int, offset: int) -> Region:
    """Of /dev/zero. What is shared has `size` bytes, so that an offset leads beyond its end."""
    if not kept & vm.MAY_SHARE:
        return Region(start, start + size, kept)
    pages = space.caches.anonymous(size)
    return Region(start, start + size, kept, offset // PAGE, pages, pages)


def _source(file: File) -> Source | None:
    """None for a file that has no pages: other questions come first."""
    try:
        return file.source()
    except Errno:
        return None


def _shared(kept: int, flags: int, file: File) -> int:
    """What is shared with a file; never to be written to where the file is open for reading."""
    if flags & MAP_TYPE_MASK == _VALIDATED and flags & ~_VALID:
        raise Errno(EOPNOTSUPP)
    if file.writable:
        return kept | vm.SHARED | vm.MAY_SHARE
    if kept & _WRITE:
        raise Errno(EACCES)
    return kept & ~vm.MAY_WRITE | vm.MAY_SHARE


# Huge pages, of which there are none


def _map_huge(
    space: AddressSpace, address: int, length: int, prot: int, flags: int, offset: int
) -> int:
    """Never succeeds, but finds what else is wrong first; and a fixed place is emptied by then."""
    bits = flags >> 26 & 0x3F
    if bits not in (0, 21, 30):
        raise Errno(EINVAL)
    huge = 1 << (bits or 21)
    if length == 0:
        raise Errno(EINVAL)
    size = -(-length // huge) * huge
    fixed = bool(flags & _FIXED)
    if fixed and size < 1 << 64 and address % huge:
        raise Errno(ENOMEM if size >= 1 << 47 else EINVAL)
    start = _place(space, address, size, flags, private_memory=False)
    kept = _kept(space, prot, flags, size)
    kind = flags & MAP_TYPE_MASK
    if offset + size > LARGEST_FILE:
        raise Errno(EOVERFLOW)
    if kind == _VALIDATED and flags & ~_VALID:
        raise Errno(EOPNOTSUPP)
    if kind not in (_SHARED, _VALIDATED, _PRIVATE) or flags & _GROWS_DOWN:
        raise Errno(EINVAL)
    kept |= vm.SHARED if kind in (_SHARED, _VALIDATED) else 0
    if not space.may_expand(kept, size // PAGE):
        raise Errno(ENOMEM)
    if fixed:
        space.unmap(start, size)
    raise Errno(EINVAL if offset % huge else ENOMEM)
