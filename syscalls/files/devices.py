"""The devices that are ours: null, zero, full, random, urandom (null(4), full(4), random(4))."""

from __future__ import annotations

from collections.abc import Callable

from syscalls.abi import ENOSPC, Errno
from syscalls.files.file import File
from syscalls.files.node import Node, Opening
from syscalls.files.numbers import S_IFCHR
from syscalls.files.place import Place
from syscalls.files.stat import Stat, device
from syscalls.random import RandomBytes

DEVICE = 6
_MEMORY = 1
"""The major number of the devices of memory."""


class Device(File):
    """Reads as endless zeros, and takes everything."""

    seekable = True

    def __init__(self, place: Place, flags: int) -> None:
        super().__init__(flags)
        self.place: Place = place

    def stat(self) -> Stat:
        return self.place.node.stat()

    def read(self, size: int) -> bytes:
        return bytes(size)

    def read_at(self, size: int, offset: int) -> bytes:
        return self.read(size)

    def write(self, data: bytes) -> int:
        return len(data)

    def write_at(self, data: bytes, offset: int) -> int:
        return self.write(data)

    def take_blindly(self, count: int) -> int | None:
        return count

    def seek(self, offset: int, whence: int) -> int:
        """It stands nowhere."""
        return 0


class Zero(Device):
    """What is mapped of it is memory of nobody's."""


class Null(Device):
    """Nothing to read."""

    def read(self, size: int) -> bytes:
        return b""

    def exhausted(self, _: int | None) -> bool:
        return True


class Full(Device):
    """No room to write."""

    def write(self, data: bytes) -> int:
        raise Errno(ENOSPC)

    def take_blindly(self, count: int) -> int | None:
        raise Errno(ENOSPC)


class Random(Device):
    """The random bytes of the process; what is written stirs nothing."""

    def __init__(self, place: Place, flags: int, source: RandomBytes) -> None:
        super().__init__(place, flags)
        self._source = source

    def read(self, size: int) -> bytes:
        return self._source.bytes(size)

    def take_blindly(self, count: int) -> int | None:
        return None


class DeviceNode(Node):
    """A name of a device. make: the open file, from where it was found and its flags."""

    kind = S_IFCHR

    def __init__(
        self, ino: int, major: int, minor: int, make: Callable[[Place, int], File]
    ) -> None:
        self.identity = (DEVICE, ino)
        self._rdev, self._make = device(major, minor), make

    def stat(self) -> Stat:
        return Stat(S_IFCHR | 0o666, self.identity[1], DEVICE, rdev=self._rdev)

    def open(self, place: Place, how: Opening) -> File:
        return self._make(place, how.flags)


def memory_devices(random: RandomBytes) -> dict[bytes, Node]:
    """By name, with Linux's numbers."""

    def make_random(place: Place, flags: int) -> File:
        return Random(place, flags, random)

    return {
        b"null": DeviceNode(4, _MEMORY, 3, Null),
        b"zero": DeviceNode(5, _MEMORY, 5, Zero),
        b"full": DeviceNode(6, _MEMORY, 7, Full),
        b"random": DeviceNode(7, _MEMORY, 8, make_random),
        b"urandom": DeviceNode(8, _MEMORY, 9, make_random),
    }
