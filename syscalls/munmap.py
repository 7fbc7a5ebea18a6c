"""munmap(2).

"The address addr must be a multiple of the page size (but length need not be). ... It is not an
error if the indicated range does not contain any mapped pages."
"""

from __future__ import annotations

from syscalls.abi import EINVAL, PAGE, TASK_SIZE, Errno, page_up
from syscalls.address_space import AddressSpace
from syscalls.context import Context


def munmap(context: Context, address: int, length: int) -> int:
    unmap(context.space, address, length)
    return 0


def unmap(space: AddressSpace, address: int, length: int) -> None:
    if address % PAGE or address > TASK_SIZE or length > TASK_SIZE - address:
        raise Errno(EINVAL)
    if length == 0:
        raise Errno(EINVAL)
    space.unmap(address, page_up(length))
