"""mincore(2).

Anonymous pages are in memory once they were touched. Of a file all pages are taken to be: the
files here are small, and have just been used. Source: mm/mincore.c.
"""

from __future__ import annotations

from syscalls.abi import EFAULT, EINVAL, ENOMEM, PAGE, TASK_SIZE, Errno
from syscalls.address_space import AddressSpace
from syscalls.context import Context

_PART = PAGE
"""Pages that are answered at once; what was answered before an error stays."""


def mincore(context: Context, address: int, length: int, vector: int) -> int:
    if address % PAGE:
        raise Errno(EINVAL)
    if address + length > TASK_SIZE:
        raise Errno(ENOMEM)
    pages = -(-length // PAGE)
    if vector + pages > TASK_SIZE:
        raise Errno(EFAULT)
    while pages:
        part = _residence(context.space, address, min(pages, _PART))
        context.user.write(vector, part)
        pages -= len(part)
        vector += len(part)
        address += len(part) * PAGE
    return 0


def _residence(space: AddressSpace, start: int, pages: int) -> bytes:
    """A byte a page, for as many as are in the first region. ENOMEM where there is none."""
    region = space.at(start)
    if region is None:
        raise Errno(ENOMEM)
    end = min(region.end, start + pages * PAGE)
    found = bytearray((end - start) // PAGE)
    for page in space.memory.resident(start, end):
        found[(page - start) // PAGE] = 1
    if region.cache is not None:
        first = region.page_at(start)
        for index in region.cache.resident(first, first + len(found)):
            found[index - first] = 1
    return bytes(found)
