"""Bytes between open files and the guest's memory: what every read and write is made of.

At most 2 GiB move at once, as on Linux, and in pieces of 1 MiB, so that they cost no memory. What
cannot be reached of a buffer ends the transfer; EFAULT where it ends before it began.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import TypeVar

from syscalls.abi import (
    EAGAIN,
    EBADF,
    EFAULT,
    EINVAL,
    EOPNOTSUPP,
    EPIPE,
    ESPIPE,
    MAX_RW_COUNT,
    TASK_SIZE,
    Errno,
)
from syscalls.context import Context
from syscalls.files.file import File, WouldWait
from syscalls.files.numbers import MOST_OFFSET
from syscalls.identity import PID, UID
from syscalls.signal_numbers import Code, Signal
from syscalls.signals import SignalInfo

T = TypeVar("T")

_PIECE = 1 << 20
_HARMLESS_FLAGS = 1 | 2 | 4
"""RWF_HIPRI, RWF_DSYNC, RWF_SYNC: they change nothing for one process."""
_MOST_SEGMENTS = 1024
_IOVEC = struct.Struct("<QQ")


class Buffers:
    """Where bytes come from or go to in the guest's memory: (address, size) each."""

    def __init__(self, segments: list[tuple[int, int]]) -> None:
        self.segments = segments
        self.total = sum(size for _, size in segments)

    def reach(self, probe: Callable[[int, int], int]) -> int:
        """How many bytes there are before the first that cannot be reached."""
        reached = 0
        for address, size in self.segments:
            good = probe(address, size)
            reached += good
            if good < size:
                break
        return reached

    def parts(self, start: int, size: int) -> Iterator[tuple[int, int]]:
        """The pieces of memory that hold the bytes [start, start + size)."""
        for address, length in self.segments:
            skipped = min(start, length)
            part = min(size, length - skipped)
            if part:
                yield address + skipped, part
            start, size = start - skipped, size - part
            if not size:
                return


def buffer(address: int, size: int) -> Buffers:
    """One buffer. EFAULT where it is no user memory at all."""
    if address + size > TASK_SIZE:
        raise Errno(EFAULT)
    return Buffers([(address, min(size, MAX_RW_COUNT))])


def vector(context: Context, address: int, count: int) -> Buffers:
    """readv(2): the buffers of an array of struct iovec."""
    if count > _MOST_SEGMENTS:
        raise Errno(EINVAL)
    raw = context.user.read(address, count * _IOVEC.size)
    segments = []
    left = MAX_RW_COUNT
    for base, size in _IOVEC.iter_unpack(raw):
        if size > MOST_OFFSET:
            raise Errno(EINVAL)
        if base + size > TASK_SIZE:
            raise Errno(EFAULT)
        segments.append((base, min(size, left)))
        left -= segments[-1][1]
    return Buffers(segments)


def readable_file(context: Context, fd: int) -> File:
    """EBADF where it is not open, or not to be read."""
    file = context.files.at(fd)
    if not file.readable:
        raise Errno(EBADF)
    return file


def writable_file(context: Context, fd: int) -> File:
    """EBADF where it is not open, or not to be written."""
    file = context.files.at(fd)
    if not file.writable:
        raise Errno(EBADF)
    return file


def check_position(context: Context, fd: int, offset: int) -> None:
    """EINVAL, EBADF, ESPIPE: a place to read or write that the file cannot have."""
    if offset < 0:
        raise Errno(EINVAL)
    if not context.files.at(fd).seekable:
        raise Errno(ESPIPE)


def check_flags(context: Context, fd: int, flags: int) -> None:
    """Of preadv2 and pwritev2: EOPNOTSUPP, or EBADF before it."""
    if flags & ~_HARMLESS_FLAGS:
        context.files.at(fd)
        raise Errno(EOPNOTSUPP)


def check_offset(offset: int, size: int) -> None:
    """EINVAL where a file cannot reach so far."""
    if offset < 0 or offset + size > MOST_OFFSET:
        raise Errno(EINVAL)


def fill(context: Context, file: File, into: Buffers, offset: int | None = None) -> int:
    """Reads. offset: from there, and not from where the file stands."""
    if offset is not None and not file.seekable:
        raise Errno(ESPIPE)
    total, room = into.total, into.reach(context.user.writable)
    if room < total:
        room = file.readable_into(room, total)

    def read(done: int, size: int) -> int:
        if not size and total:
            if file.exhausted(offset):
                return 0
            raise Errno(EFAULT)
        data = file.read(size) if offset is None else file.read_at(size, offset + done)
        position = 0
        for address, part in into.parts(done, len(data)):
            context.user.write(address, data[position : position + part])
            position += part
        return len(data)

    return _repeat(context, read, room, file, ends_short=True)


def drain(context: Context, file: File, out_of: Buffers, offset: int | None = None) -> int:
    """Writes. offset: to there, and not to where the file stands."""
    if offset is not None and not file.seekable:
        raise Errno(ESPIPE)
    total, reach = out_of.total, out_of.reach(context.user.readable)
    taken = signalling(context, lambda: file.take_blindly(total))
    if taken is not None:
        return taken
    if reach < total:
        reach = file.writable_from(reach, total)
    if not reach and total:
        raise Errno(EFAULT)

    def write(done: int, size: int) -> int:
        data = b"".join(context.user.read(*part) for part in out_of.parts(done, size))
        return put(context, file, data, None if offset is None else offset + done)

    return _repeat(context, write, reach, file, ends_short=False)


def put(context: Context, file: File, data: bytes, offset: int | None = None) -> int:
    """Writes bytes of the kernel's own. EPIPE comes with a SIGPIPE."""
    if file.counted:
        context.spend(len(data))
    if offset is not None:
        return file.write_at(data, offset)
    return signalling(context, lambda: file.write(data))


def signalling(context: Context, write: Callable[[], T]) -> T:
    """What it answers; EPIPE comes with a SIGPIPE."""
    try:
        return write()
    except Errno as error:
        if error.number == EPIPE:
            context.signals.send(SignalInfo(Signal.SIGPIPE, Code.SI_USER, pid=PID, uid=UID))
        raise


def _repeat(
    context: Context, move: Callable[[int, int], int], size: int, file: File, *, ends_short: bool
) -> int:
    """Moves `size` bytes piece by piece; an error after the first byte only ends it.

    ends_short: a piece that was not moved in full was the last one.
    """
    done = 0
    while True:
        asked = min(_PIECE, size - done)
        try:
            moved = move(done, asked)
        except WouldWait:
            if done and (ends_short or file.nonblocking):
                return done
            if file.nonblocking:
                raise Errno(EAGAIN) from None
            context.timers.wait_for_signal("a pipe")
        except Errno:
            if done:
                return done
            raise
        done += moved
        short = moved < asked and (ends_short or not moved)
        if done >= size or short or (ends_short and file.at_once):
            return done
