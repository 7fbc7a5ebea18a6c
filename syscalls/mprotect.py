"""mprotect(2), pkey_mprotect(2).

A hole in the range answers ENOMEM, and the pages before it have their new rights by then.
PROT_GROWSDOWN begins at the start of a region that grows down; none grows up on x86.
Deviation: there are no protection keys, as on a CPU that has none: any key but -1 answers EINVAL.
Source: mm/mprotect.c.
"""

from __future__ import annotations

from syscalls import vm_flags as vm
from syscalls.abi import EACCES, EINVAL, ENOMEM, PAGE, Errno, Prot, page_up
from syscalls.address_space import AddressSpace
from syscalls.context import Context
from syscalls.populate import Budget, populate_region
from syscalls.region import Region

_KNOWN = int(Prot.PROT_READ | Prot.PROT_WRITE | Prot.PROT_EXEC | Prot.PROT_SEM)
_DOWN, _UP = int(Prot.PROT_GROWSDOWN), int(Prot.PROT_GROWSUP)
_GROWS = _DOWN | _UP
_NO_KEY = -1


def mprotect(context: Context, address: int, length: int, prot: int) -> int:
    return pkey_mprotect(context, address, length, prot, _NO_KEY)


def pkey_mprotect(context: Context, address: int, length: int, prot: int, key: int) -> int:
    if prot & _GROWS == _GROWS or address % PAGE:
        raise Errno(EINVAL)
    if length == 0:
        return 0
    size = page_up(length) & (1 << 64) - 1
    end = address + size
    if end >= 1 << 64 or size == 0:
        raise Errno(ENOMEM)
    if prot & ~_GROWS & ~_KNOWN or key != _NO_KEY:
        raise Errno(EINVAL)
    space = context.space
    start = _start(space, address, end, down=bool(prot & _DOWN), up=bool(prot & _UP))
    _protect(space, start, end, prot & vm.ACCESS)
    return 0


def _start(space: AddressSpace, address: int, end: int, *, down: bool, up: bool) -> int:
    """Where to begin; the first questions about what is mapped."""
    first = space.areas.following(address)
    if first is None or first.start >= end:
        raise Errno(ENOMEM)
    if down:
        if not first.flags & vm.GROWS_DOWN:
            raise Errno(EINVAL)
        return first.start
    if first.start > address:
        raise Errno(ENOMEM)
    if up:
        raise Errno(EINVAL)
    return address


def _protect(space: AddressSpace, start: int, end: int, access: int) -> None:
    """Region by region; what came before an error is done."""
    reached = start
    try:
        while reached < end:
            region = space.at(reached)
            if region is None:
                raise Errno(ENOMEM)
            flags = region.flags & ~vm.ACCESS | access
            if flags & ~(flags >> 4) & vm.ACCESS:
                raise Errno(EACCES)
            if flags != region.flags:
                region = _change(space, region, reached, min(region.end, end), flags)
            reached = region.end
    finally:
        if reached > start:
            space.memory.rights_changed(start, min(reached, end))


def _change(space: AddressSpace, region: Region, start: int, end: int, flags: int) -> Region:
    """New rights for a part of a region: its promise of memory may change with them."""
    old, pages = region.flags, (end - start) // PAGE
    if flags & vm.WRITE:
        if not space.may_expand(flags, pages) and space.may_expand(old, pages):
            raise Errno(ENOMEM)
        if not old & (vm.ACCOUNTED | vm.WRITE | vm.SHARED | vm.NO_RESERVE):
            if not space.may_promise(pages):
                raise Errno(ENOMEM)
            flags |= vm.ACCOUNTED
    elif old & vm.ACCOUNTED and region.cache is None and region.written is None:
        flags &= ~vm.ACCOUNTED
    changed = space.areas.change(region, start, end, flags)
    space.account(old, -pages)
    space.account(flags, pages)
    if old & (vm.WRITE | vm.SHARED | vm.LOCKED) == vm.LOCKED and flags & vm.WRITE:
        _populate(space, changed, start, end)
    return changed


def _populate(space: AddressSpace, region: Region, start: int, end: int) -> None:
    """Locked pages that become writable are copied at once, where they can be."""
    try:
        populate_region(space, region, start, end, Budget(space))
    except Errno:
        return
