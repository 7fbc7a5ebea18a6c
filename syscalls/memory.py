"""What the kernel needs of memory. It looks at no rights: the kernel has looked already."""

from __future__ import annotations

from typing import Protocol


class Memory(Protocol):
    """Bytes by address. Pages that nobody wrote read as zero."""

    def read(self, address: int, size: int) -> bytes:
        """The bytes at [address, address + size)."""

    def write(self, address: int, data: bytes) -> None:
        """Stores the bytes."""

    def discard(self, start: int, end: int) -> None:
        """Pages lose their contents and their place: unmapped, or mapped anew."""

    def rights_changed(self, start: int, end: int) -> None:
        """Pages may allow less than before."""


class NoMemory:
    """Forgets everything: for a kernel of which only the answers matter."""

    def read(self, address: int, size: int) -> bytes:
        return bytes(size)

    def write(self, address: int, data: bytes) -> None:
        pass

    def discard(self, start: int, end: int) -> None:
        pass

    def rights_changed(self, start: int, end: int) -> None:
        pass
