"""select(2), pselect6(2): which of many files are ready, in sets of bits.

"On Linux, select() modifies timeout to reflect the amount of time not slept."
"""

from __future__ import annotations

import struct

from syscalls.abi import EBADF, EINVAL, Errno
from syscalls.clock import MICROSECOND, MICROSECONDS, NANOSECONDS
from syscalls.context import Context
from syscalls.files import numbers as n
from syscalls.files.file import File
from syscalls.readiness import await_ready, left, masked
from syscalls.timespec import duration, read_timespec

_PAIR = struct.Struct("<qq")
_MASK = struct.Struct("<QQ")
_WORD = 64
_SETS = (
    n.READABLE_NOW | n.POLLHUP | n.POLLERR,
    n.WRITABLE_NOW | n.POLLERR,
    n.POLLPRI,
)
"""What makes a descriptor ready in each of the three sets."""


def select(
    context: Context, count: int, reads: int, writes: int, exceptions: int, timeout_at: int
) -> int:
    """timeout_at: of a struct timeval; 0 for ever."""
    timeout = None
    if timeout_at:
        seconds, rest = context.user.unpack(_PAIR, timeout_at)
        if rest < 0:
            raise Errno(EINVAL)
        seconds, rest = seconds + rest // MICROSECONDS, rest % MICROSECONDS
        timeout = duration(seconds, rest * MICROSECOND)
    since = context.clock.monotonic()
    found = _select(context, count, (reads, writes, exceptions), timeout)
    _store_left(context, timeout_at, left(context, timeout, since), MICROSECOND)
    return found


def pselect6(
    context: Context,
    count: int,
    reads: int,
    writes: int,
    exceptions: int,
    timeout_at: int,
    mask_at: int,
) -> int:
    """timeout_at: of a struct timespec; mask_at: of the address and the size of a signal mask."""
    mask, size = context.user.unpack(_MASK, mask_at) if mask_at else (0, 0)
    timeout = read_timespec(context.user, timeout_at) if timeout_at else None
    since = context.clock.monotonic()
    with masked(context, mask, size):
        found = _select(context, count, (reads, writes, exceptions), timeout)
    _store_left(context, timeout_at, left(context, timeout, since), 1)
    return found


def _store_left(context: Context, address: int, rest: int, unit: int) -> None:
    """Where that cannot be stored, nobody is told."""
    if context.user.writable(address, _PAIR.size) == _PAIR.size:
        seconds, nanos = divmod(rest, NANOSECONDS)
        context.user.pack(_PAIR, address, seconds, nanos // unit)


def _select(context: Context, count: int, addresses: tuple[int, ...], timeout: int | None) -> int:
    """The sets have as many bits as the table of descriptors has room for, at most."""
    if count < 0:
        raise Errno(EINVAL)
    count = min(count, context.files.capacity)
    size = (count + _WORD - 1) // _WORD * 8
    given = [_bits(context, address, size, count) for address in addresses]
    files = {fd: context.files.find(fd) for fds in given for fd in fds}
    if None in files.values():
        raise Errno(EBADF)
    found: list[list[int]] = []

    def look() -> int:
        ready = {fd: file.ready() for fd, file in files.items() if file}
        found[:] = [
            [fd for fd in fds if ready[fd] & events]
            for fds, events in zip(given, _SETS, strict=True)
        ]
        return sum(map(len, found))

    count = await_ready(context, look, _watched(given, files), timeout)
    for address, fds in zip(addresses, found, strict=True):
        if address:
            bits = sum(1 << fd for fd in fds)
            context.user.write(address, bits.to_bytes(size, "little"))
    return count


def _bits(context: Context, address: int, size: int, count: int) -> list[int]:
    if not address:
        return []
    bits = int.from_bytes(context.user.read(address, size), "little")
    return [fd for fd in range(count) if bits >> fd & 1]


def _watched(given: list[list[int]], files: dict[int, File | None]) -> list[tuple[File, int]]:
    pairs = ((files[fd], events) for fds, events in zip(given, _SETS, strict=True) for fd in fds)
    return [(file, events) for file, events in pairs if file]
