"""socket(2) and its kin, in a world without a network.

No family of addresses is there: EAFNOSUPPORT, "The implementation does not support the specified
address family." So no descriptor is a socket, and the calls on sockets answer ENOTSOCK, or EBADF.
"""

from __future__ import annotations

from typing import NoReturn

from syscalls.abi import EAFNOSUPPORT, ENOTSOCK, Errno
from syscalls.context import Context


def socket(context: Context, family: int, kind: int, protocol: int) -> NoReturn:
    raise Errno(EAFNOSUPPORT)


def socketpair(context: Context, family: int, kind: int, protocol: int, pair: int) -> NoReturn:
    raise Errno(EAFNOSUPPORT)


def on_a_socket(context: Context, fd: int, *_: int) -> NoReturn:
    """Linux looks at the descriptor before anything else."""
    context.files.at(fd)
    raise Errno(ENOTSOCK)
