"""poll(2), ppoll(2): which of many files are ready.

A descriptor that is not open is POLLNVAL; a negative one is ignored.
"""

from __future__ import annotations

import struct

from syscalls.abi import EINVAL, Errno
from syscalls.context import Context
from syscalls.files.file import File
from syscalls.files.numbers import POLLERR, POLLHUP, POLLNVAL
from syscalls.readiness import await_ready, left, masked
from syscalls.timespec import TIMESPEC_SIZE, read_timespec, write_timespec

_POLLFD = struct.Struct("<ihh")
_MILLISECOND = 1_000_000


def poll(context: Context, address: int, count: int, timeout: int) -> int:
    """timeout: in milliseconds; negative for ever."""
    return _poll(context, address, count, None if timeout < 0 else timeout * _MILLISECOND)


def ppoll(context: Context, address: int, count: int, timeout_at: int, mask: int, size: int) -> int:
    """What is left of the timeout is stored, where that can be."""
    timeout = read_timespec(context.user, timeout_at) if timeout_at else None
    since = context.clock.monotonic()
    with masked(context, mask, size):
        found = _poll(context, address, count, timeout)
    if context.user.writable(timeout_at, TIMESPEC_SIZE) == TIMESPEC_SIZE:
        write_timespec(context.user, timeout_at, left(context, timeout, since))
    return found


def _poll(context: Context, address: int, count: int, timeout: int | None) -> int:
    count &= 0xFFFF_FFFF
    if count > context.files.most:
        raise Errno(EINVAL)
    raw = context.user.read(address, count * _POLLFD.size)
    asked = [(fd, events & 0xFFFF) for fd, events, _ in _POLLFD.iter_unpack(raw)]
    answers = [0] * len(asked)

    def look() -> int:
        answers[:] = [_ready(context, fd, events) for fd, events in asked]
        return sum(map(bool, answers))

    found = await_ready(context, look, _watched(context, asked), timeout)
    for i, answer in enumerate(answers):
        context.user.write(address + i * _POLLFD.size + 6, answer.to_bytes(2, "little"))
    return found


def _ready(context: Context, fd: int, events: int) -> int:
    if fd < 0:
        return 0
    file = context.files.find(fd)
    if file is None:
        return POLLNVAL
    return file.ready() & (events | POLLERR | POLLHUP)


def _watched(context: Context, asked: list[tuple[int, int]]) -> list[tuple[File, int]]:
    found = ((context.files.find(fd), events) for fd, events in asked)
    return [(file, events) for file, events in found if file]
