"""The guest's memory as a system call reaches it: through the regions and their rights.

Every failure is EFAULT, never a Python exception: what the guest passes is only a number.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from syscalls.abi import EFAULT, PAGE, TASK_SIZE, Errno

if TYPE_CHECKING:
    from syscalls.address_space import AddressSpace


class UserMemory:
    """copy_from_user and copy_to_user of the one process there is."""

    def __init__(self, space: AddressSpace) -> None:
        self._space = space

    def readable(self, address: int, size: int) -> int:
        """How many of `size` bytes can be read from `address` on."""
        if address >= TASK_SIZE:
            return 0
        return self._space.readable(address, min(size, TASK_SIZE - address))

    def writable(self, address: int, size: int) -> int:
        """How many of `size` bytes can be written from `address` on."""
        if address >= TASK_SIZE:
            return 0
        return self._space.writable(address, min(size, TASK_SIZE - address))

    def read(self, address: int, size: int) -> bytes:
        """EFAULT unless all of them can be read."""
        if self.readable(address, size) < size:
            raise Errno(EFAULT)
        if not size:
            return b""
        self._space.touch(address, size, "r")
        return self._space.memory.read(address, size)

    def write(self, address: int, data: bytes) -> None:
        """EFAULT unless all of them can be written; nothing is written then."""
        if self.writable(address, len(data)) < len(data):
            raise Errno(EFAULT)
        if data:
            self._space.touch(address, len(data), "w")
            self._space.memory.write(address, data)

    def string(self, address: int, longest: int, too_long: int) -> bytes:
        """The bytes up to the NUL; `longest` with it, or the errno `too_long`."""
        found = b""
        while b"\0" not in found:
            if len(found) >= longest:
                raise Errno(too_long)
            part = min(PAGE - (address + len(found)) % PAGE, longest - len(found))
            found += self.read(address + len(found), part)
        return found[: found.index(b"\0")]

    def unpack(self, layout: struct.Struct, address: int) -> tuple[int, ...]:
        """The fields of a structure."""
        return layout.unpack(self.read(address, layout.size))

    def pack(self, layout: struct.Struct, address: int, *values: int | bytes) -> None:
        """A structure from its fields."""
        self.write(address, layout.pack(*values))
