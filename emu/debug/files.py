"""vFile: the program's ELF file, and the map of its memory, under their paths. All read-only.

So gdb has symbols and lines of a program that is no file anywhere.
"""

from __future__ import annotations

import os.path
import struct
from collections.abc import Callable
from errno import EBADF, EINVAL, EMFILE, ENOENT, EROFS
from itertools import count

from emu.debug import packets
from emu.debug.maps import maps_text
from emu.debug.replies import HEX, NUMBER, UNKNOWN, Malformed, groups, numbers, pattern
from emu.debug.target import Target

MAPS = "/proc/1/maps"
_OPEN = pattern(HEX, rb",", NUMBER, rb",", NUMBER)
_PREAD = pattern(NUMBER, rb",", NUMBER, rb",", NUMBER)
_ONE = pattern(NUMBER)
_WRITING = 0xE0B
"""Flags of the protocol's O_WRONLY, O_RDWR, O_APPEND, O_CREAT, O_TRUNC and O_EXCL."""
_MOST_OPEN = 64
_HEAD = len(b"Fffffffff;")
_STAT = struct.Struct(">7I3Q3I")
"""dev ino mode nlink uid gid rdev; size blksize blocks; atime mtime ctime (gdb/fileio.h)."""
_REGULAR_FOR_READING = 0o100444
_BLOCK, _SECTOR = 4096, 512


def executable_path(target: Target) -> str:
    """From the root on, since gdb looks for it there; "" where there is no file."""
    path, _ = target.executable()
    return os.path.normpath(os.path.join("/", path)) if path else ""


class Files:
    """What is open, by descriptor."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._open: dict[int, bytes] = {}
        self._operations: dict[bytes, Callable[[bytes], bytes]] = {
            b"setfs": self._set_filesystem,
            b"open": self._open_file,
            b"pread": self._read,
            b"fstat": self._stat,
            b"close": self._close,
        }

    def answer(self, data: bytes) -> bytes:
        """vFile:operation:parameters."""
        operation, _, parameters = data.partition(b":")
        try:
            return self._operations.get(operation, _unknown)(parameters)
        except Malformed:
            return _error(EINVAL)

    def _set_filesystem(self, data: bytes) -> bytes:
        numbers(_ONE, data)  # whose: there is one process
        return b"F0"

    def _open_file(self, data: bytes) -> bytes:
        name, flags, _ = groups(_OPEN, data)
        if int(flags, 16) & _WRITING:
            return _error(EROFS)
        if len(self._open) >= _MOST_OPEN:
            return _error(EMFILE)
        found = self._contents(bytes.fromhex(name.decode()))
        if found is None:
            return _error(ENOENT)
        descriptor = next(number for number in count() if number not in self._open)
        self._open[descriptor] = found
        return b"F%x" % descriptor

    def _contents(self, name: bytes) -> bytes | None:
        path = os.path.normpath(os.fsdecode(name))
        if path == executable_path(self._target):
            return self._target.executable()[1]
        return maps_text(self._target).encode() if path == MAPS else None

    def _read(self, data: bytes) -> bytes:
        descriptor, size, offset = numbers(_PREAD, data)
        if descriptor not in self._open:
            return _error(EBADF)
        room = packets.MOST - _HEAD
        read = self._open[descriptor][offset : offset + min(size, room)]
        return _with_data(packets.fitting(read, room))

    def _stat(self, data: bytes) -> bytes:
        (descriptor,) = numbers(_ONE, data)
        if descriptor not in self._open:
            return _error(EBADF)
        size = len(self._open[descriptor])
        sectors = -(-size // _BLOCK) * _BLOCK // _SECTOR
        fields = 0, 0, _REGULAR_FOR_READING, 1, 0, 0, 0, size, _BLOCK, sectors, 0, 0, 0
        return _with_data(_STAT.pack(*fields))

    def _close(self, data: bytes) -> bytes:
        (descriptor,) = numbers(_ONE, data)
        return b"F0" if self._open.pop(descriptor, None) is not None else _error(EBADF)


def _unknown(_: bytes) -> bytes:
    return UNKNOWN


def _error(number: int) -> bytes:
    """The protocol's numbers of these errors are Linux's."""
    return b"F-1,%x" % number


def _with_data(data: bytes) -> bytes:
    return b"F%x;%b" % (len(data), packets.escaped(data))
