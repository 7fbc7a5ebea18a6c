"""fcntl(2): descriptors, status flags, locks, pipes and seals.

Deviations: leases, notification (F_NOTIFY) and hints answer EINVAL; an owner of a file is accepted
and forgotten, since no signal would ever be sent.
"""

from __future__ import annotations

from collections.abc import Callable

from syscalls.abi import EBADF, EINVAL, Errno
from syscalls.context import Context
from syscalls.fcntl_locks import get_file_lock, get_lock, set_file_lock, set_lock
from syscalls.files.file import File
from syscalls.files.host_file import HostFile
from syscalls.files.numbers import Open
from syscalls.files.pipe import PipeEnd

_SETTABLE = int(Open.APPEND | Open.NONBLOCK | Open.DIRECT | Open.NOATIME | Open.ASYNC)
_UNLOCKED = 2
_CLOSE_ON_EXEC = 1
_WITH_PATH = (0, 1, 2, 3, 1027, 1030)
"""What may be asked of a file that was opened with O_PATH."""


def fcntl(context: Context, fd: int, command: int, argument: int) -> int:
    file = context.files.at(fd, path_too=True)
    if file.path_only and command not in _WITH_PATH:
        raise Errno(EBADF)
    if command in _ON_DESCRIPTORS:
        return _ON_DESCRIPTORS[command](context, fd, argument & 0xFFFF_FFFF)
    if command in _ON_FILES:
        return _ON_FILES[command](context, file, argument)
    raise Errno(EINVAL)


def _duplicate(context: Context, fd: int, lowest: int, *, close_on_exec: bool = False) -> int:
    if lowest >= context.files.most:
        raise Errno(EINVAL)
    file = context.files.at(fd, path_too=True)
    return context.files.add(file, lowest, close_on_exec=close_on_exec)


def _duplicate_to_close(context: Context, fd: int, lowest: int) -> int:
    return _duplicate(context, fd, lowest, close_on_exec=True)


def _get_descriptor_flags(context: Context, fd: int, _: int) -> int:
    return _CLOSE_ON_EXEC if context.files.close_on_exec(fd) else 0


def _set_descriptor_flags(context: Context, fd: int, flags: int) -> int:
    context.files.set_close_on_exec(fd, bool(flags & _CLOSE_ON_EXEC))
    return 0


def _is_same(context: Context, fd: int, other: int) -> int:
    """F_DUPFD_QUERY: whether two descriptors name one open file."""
    others = context.files.at(other, path_too=True)
    return int(context.files.at(fd, path_too=True) is others)


def _get_flags(_: Context, file: File, __: int) -> int:
    return file.flags


def _set_flags(_: Context, file: File, flags: int) -> int:
    file.set_flags(flags & _SETTABLE | file.flags & ~_SETTABLE)
    return 0


def _nothing(_: Context, __: File, ___: int) -> int:
    return 0


def _get_lease(_: Context, __: File, ___: int) -> int:
    return _UNLOCKED


def _pipe_of(file: File) -> PipeEnd:
    if not isinstance(file, PipeEnd):
        raise Errno(EBADF)
    return file


def _get_pipe_size(_: Context, file: File, __: int) -> int:
    return _pipe_of(file).pipe.room


def _set_pipe_size(_: Context, file: File, size: int) -> int:
    return _pipe_of(file).pipe.resize(size & 0xFFFF_FFFF)


def _memory_file(file: File) -> HostFile:
    if not isinstance(file, HostFile):
        raise Errno(EINVAL)
    return file


def _add_seals(_: Context, file: File, seals: int) -> int:
    _memory_file(file).seal(seals & 0xFFFF_FFFF)
    return 0


def _get_seals(_: Context, file: File, __: int) -> int:
    return _memory_file(file).seals()


_ON_DESCRIPTORS: dict[int, Callable[[Context, int, int], int]] = {
    0: _duplicate,
    1: _get_descriptor_flags,
    2: _set_descriptor_flags,
    1027: _is_same,
    1030: _duplicate_to_close,
}
_ON_FILES: dict[int, Callable[[Context, File, int], int]] = {
    3: _get_flags,
    4: _set_flags,
    5: get_lock,
    6: set_lock,
    7: set_lock,
    8: _nothing,  # F_SETOWN
    9: _nothing,  # F_GETOWN
    10: _nothing,  # F_SETSIG
    11: _nothing,  # F_GETSIG
    36: get_file_lock,
    37: set_file_lock,
    38: set_file_lock,
    1025: _get_lease,
    1031: _set_pipe_size,
    1032: _get_pipe_size,
    1033: _add_seals,
    1034: _get_seals,
}
