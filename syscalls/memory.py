"""What the kernel needs of memory. It looks at no rights: the kernel has looked already.

A page of the guest has nothing yet, shows zeros, has contents of its own, or shows a frame: a
page of memory that several pages may show, as those of a file do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Protocol


class TooMuchTouched(Exception):
    """More memory is needed than the process may have."""


class Memory(Protocol):
    """Bytes by address. Pages that nobody wrote read as zero.

    Addresses of pages and of frames are multiples of the page. Whatever needs memory raises
    TooMuchTouched where there is no more.
    """

    def read(self, address: int, size: int) -> bytes:
        """The bytes at [address, address + size)."""

    def write(self, address: int, data: bytes) -> None:
        """Stores the bytes."""

    def discard(self, start: int, end: int) -> None:
        """Pages lose their contents, and have nothing again."""

    def rights_changed(self, start: int, end: int) -> None:
        """Pages may allow less than before."""

    def move(self, start: int, end: int, to: int) -> None:
        """What pages have goes to `to` and behind; they have nothing then."""

    def holds(self, page: int) -> bool:
        """Whether a page has contents of its own."""

    def resident(self, start: int, end: int) -> Iterable[int]:
        """Pages of a range that have something: zeros, contents, a frame."""

    def see(self, page: int) -> None:
        """A page that had nothing shows zeros."""

    def own(self, page: int, frame: int | None = None) -> None:
        """A page has contents of its own from now on: zeros, or a copy of what it shows."""

    def show(self, page: int, frame: int) -> None:
        """A page shows a frame."""

    def new_frame(self, data: bytes) -> int:
        """The address of a frame with these bytes, at most a page of them, and zeros."""

    def frame_bytes(self, frame: int) -> bytes:
        """What a frame holds."""

    def refill(self, frame: int, data: bytes) -> None:
        """The first bytes of a frame are others now."""

    def hide(self, frames: Collection[int]) -> None:
        """No page shows one of the frames any more."""

    def free_frame(self, frame: int) -> None:
        """Nobody needs a frame any more, and no page shows it."""


class NoMemory:
    """Forgets everything: for a kernel of which only the answers matter."""

    def __init__(self) -> None:
        self._frames = 0

    def read(self, address: int, size: int) -> bytes:
        return bytes(size)

    def write(self, address: int, data: bytes) -> None:
        pass

    def discard(self, start: int, end: int) -> None:
        pass

    def rights_changed(self, start: int, end: int) -> None:
        pass

    def move(self, start: int, end: int, to: int) -> None:
        pass

    def holds(self, page: int) -> bool:
        return False

    def resident(self, start: int, end: int) -> Iterable[int]:
        return ()

    def see(self, page: int) -> None:
        pass

    def own(self, page: int, frame: int | None = None) -> None:
        pass

    def show(self, page: int, frame: int) -> None:
        pass

    def new_frame(self, data: bytes) -> int:
        self._frames += 1
        return self._frames << 12

    def frame_bytes(self, frame: int) -> bytes:
        return b""

    def refill(self, frame: int, data: bytes) -> None:
        pass

    def hide(self, frames: Collection[int]) -> None:
        pass

    def free_frame(self, frame: int) -> None:
        pass
