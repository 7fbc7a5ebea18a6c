"""sendfile(2), copy_file_range(2): bytes from file to file, past the guest's memory.

Deviation: what Linux would share between two files on the disk is copied.
"""

from __future__ import annotations

import struct
from typing import NoReturn

from syscalls.abi import (
    EAGAIN,
    EBADF,
    EFBIG,
    EINVAL,
    EISDIR,
    EOVERFLOW,
    ESPIPE,
    MAX_RW_COUNT,
    Errno,
)
from syscalls.context import Context
from syscalls.files.file import File, WouldWait
from syscalls.files.numbers import MOST_OFFSET, S_IFDIR, S_IFREG, SEEK_CUR, SEEK_SET
from syscalls.files.pipe import PipeEnd
from syscalls.transfer import check_offset, put, readable_file, signalling, writable_file

_PIECE = 1 << 20
_WORD = (1 << 64) - 1
_OFFSET = struct.Struct("<q")


def sendfile(context: Context, out_fd: int, in_fd: int, address: int, count: int) -> int:
    """address: of the offset to read from, which is moved instead of where the file stands."""
    given = context.user.unpack(_OFFSET, address)[0] if address else None
    source = readable_file(context, in_fd)
    if given is not None and not source.seekable:
        raise Errno(ESPIPE)
    start = source.seek(0, SEEK_CUR) if given is None and source.seekable else given
    check_offset(start or 0, count)
    count = min(count, MAX_RW_COUNT)
    target = writable_file(context, out_fd)
    if isinstance(target, PipeEnd):
        _await_room(context, target)
        if not count:
            return 0
    if start is None or source.stat().kind == S_IFDIR or (target.appends and target.seekable):
        raise Errno(EINVAL)
    done = _copy(context, source, target, start, None, count)
    if given is not None:
        context.user.pack(_OFFSET, address, given + done)
    else:
        source.seek(start + done, SEEK_SET)
    return done


def _await_room(context: Context, target: PipeEnd) -> None:
    """EPIPE before anything is copied, and even where nothing is to be."""
    signalling(context, lambda: target.take_blindly(1))
    if target.pipe.full:
        _wait(context, target.nonblocking)


def _wait(context: Context, nonblocking: bool) -> NoReturn:
    if nonblocking:
        raise Errno(EAGAIN)
    context.timers.wait_for_signal("a pipe")


def copy_file_range(
    context: Context, in_fd: int, in_at: int, out_fd: int, out_at: int, count: int, flags: int
) -> int:
    """in_at, out_at: addresses of offsets, as for sendfile."""
    source, target = context.files.at(in_fd), context.files.at(out_fd)
    in_given = context.user.unpack(_OFFSET, in_at)[0] if in_at else None
    out_given = context.user.unpack(_OFFSET, out_at)[0] if out_at else None
    if flags:
        raise Errno(EINVAL)
    _check_range(source, target)
    start = source.seek(0, SEEK_CUR) if in_given is None else in_given
    to = target.seek(0, SEEK_CUR) if out_given is None else out_given
    _check_offsets(start, to, count)
    count = min(count, MAX_RW_COUNT, max(0, source.stat().size - start))
    if to == MOST_OFFSET and count:
        raise Errno(EFBIG)
    same = source.stat().ino == target.stat().ino and source.stat().dev == target.stat().dev
    if same and start < to + count and to < start + count:
        raise Errno(EINVAL)
    done = _copy(context, source, target, start, to, count)
    _advance(context, source, in_at, start + done)
    _advance(context, target, out_at, to + done)
    return done


def _check_range(source: File, target: File) -> None:
    kinds = (source.stat().kind, target.stat().kind)
    if S_IFDIR in kinds:
        raise Errno(EISDIR)
    if kinds != (S_IFREG, S_IFREG):
        raise Errno(EINVAL)
    if not source.readable or not target.writable or target.appends:
        raise Errno(EBADF)


def _check_offsets(start: int, to: int, count: int) -> None:
    """Linux adds them without a sign, and looks only at what leaves 64 bits."""
    if any((offset & _WORD) + count > _WORD for offset in (start, to)):
        raise Errno(EOVERFLOW)
    if start < 0 or to < 0:
        raise Errno(EINVAL)


def _advance(context: Context, file: File, address: int, offset: int) -> None:
    if address:
        context.user.pack(_OFFSET, address, offset)
    else:
        file.seek(offset, SEEK_SET)


def _copy(
    context: Context, source: File, target: File, start: int | None, to: int | None, count: int
) -> int:
    """How many bytes were copied; an error after the first only ends it."""
    done = 0
    while done < count:
        size = min(_PIECE, count - done)
        try:
            data = source.read(size) if start is None else source.read_at(size, start + done)
            taken = put(context, target, data, None if to is None else to + done) if data else 0
        except Errno:
            if done:
                return done
            raise
        except WouldWait:
            if done:
                return done
            _wait(context, source.nonblocking or target.nonblocking)
        done += taken
        if not data or taken < len(data):
            break
    return done
