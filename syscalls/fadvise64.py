"""posix_fadvise(2), readahead(2): advice, which changes nothing that a program could see."""

from __future__ import annotations

from syscalls.abi import EBADF, EINVAL, ESPIPE, Errno
from syscalls.context import Context
from syscalls.files.numbers import S_IFIFO, S_IFREG

_LAST_ADVICE = 5


def fadvise64(context: Context, fd: int, _: int, length: int, advice: int) -> int:
    file = context.files.at(fd)
    if file.stat().kind == S_IFIFO:
        raise Errno(ESPIPE)
    if length < 0 or not 0 <= advice <= _LAST_ADVICE:
        raise Errno(EINVAL)
    return 0


def readahead(context: Context, fd: int, _: int, __: int) -> int:
    file = context.files.at(fd)
    if not file.readable:
        raise Errno(EBADF)
    if file.stat().kind != S_IFREG:
        raise Errno(EINVAL)
    return 0
