"""The packets m, M and X: memory read and written."""

from __future__ import annotations

from errno import EFAULT

from emu.debug import packets
from emu.debug.replies import MALFORMED, NUMBER, OK, error, groups, numbers, pattern, unhex
from emu.debug.target import Target

_READ = pattern(NUMBER, rb",", NUMBER)
_WRITE = pattern(NUMBER, rb",", NUMBER, rb":(.*)")
_END = 1 << 64


def read(target: Target, data: bytes) -> bytes:
    """m address,length: as much of it as there is."""
    address, length = numbers(_READ, data)
    if not length:
        return MALFORMED
    size = min(length, packets.MOST // 2, _END - address)
    return target.read(address, size).hex().encode() or error(EFAULT)


def write_hex(target: Target, data: bytes) -> bytes:
    """M address,length:digits."""
    address, length, digits = groups(_WRITE, data)
    return _write(target, int(address, 16), int(length, 16), unhex(digits))


def write_binary(target: Target, data: bytes) -> bytes:
    """X address,length:bytes. Of length 0 it is how gdb asks whether there is the packet."""
    address, length, given = groups(_WRITE, data)
    return _write(target, int(address, 16), int(length, 16), packets.unescaped(given))


def _write(target: Target, address: int, length: int, data: bytes) -> bytes:
    if length != len(data):
        return MALFORMED
    if not data:
        return OK
    if address + length > _END:
        return error(EFAULT)
    return OK if target.write(address, data) else error(EFAULT)
