"""mprotect(2).

A hole in the range answers ENOMEM, and the pages before it have their new rights by then.
Deviation, so far: PROT_GROWSDOWN and PROT_GROWSUP answer EINVAL, as they do on Linux for a
mapping that does not grow.
"""

from __future__ import annotations

from syscalls.abi import EINVAL, ENOMEM, PAGE, Errno, Prot, page_up
from syscalls.call import Context
from syscalls.region import Rights

_KNOWN = int(Prot.PROT_READ | Prot.PROT_WRITE | Prot.PROT_EXEC | Prot.PROT_SEM)
_GROWS = int(Prot.PROT_GROWSDOWN | Prot.PROT_GROWSUP)


def mprotect(context: Context, address: int, length: int, prot: int) -> int:
    if prot & _GROWS == _GROWS or address % PAGE:
        raise Errno(EINVAL)
    if length == 0:
        return 0
    size = page_up(length) & (1 << 64) - 1
    if address + size >= 1 << 64 or size == 0:
        raise Errno(ENOMEM)
    if prot & ~_GROWS & ~_KNOWN:
        raise Errno(EINVAL)
    if prot & Prot.PROT_GROWSDOWN and not context.space.is_free(address, address + size):
        raise Errno(EINVAL)
    if context.space.at(address) is None:
        raise Errno(ENOMEM)
    if prot & Prot.PROT_GROWSUP:
        raise Errno(EINVAL)
    context.space.protect(address, size, rights_of(prot))
    return 0


def rights_of(prot: int) -> Rights:
    """The door's translation: a word of flags to named rights."""
    return Rights(
        read=bool(prot & Prot.PROT_READ),
        write=bool(prot & Prot.PROT_WRITE),
        execute=bool(prot & Prot.PROT_EXEC),
    )
