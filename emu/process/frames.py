"""Addresses for frames: pages of memory that several pages of the guest may show."""

from __future__ import annotations

from syscalls.abi import PAGE

FRAMES = 1 << 48
"""Where frames begin: beyond what a process may map."""


class Frames:
    """The lowest addresses, again and again. used: how many somebody needs."""

    def __init__(self) -> None:
        self.used = 0
        self._free: list[int] = []
        self._next = FRAMES

    def take(self) -> int:
        self.used += 1
        if self._free:
            return self._free.pop()
        self._next += PAGE
        return self._next - PAGE

    def give_back(self, frame: int) -> None:
        self.used -= 1
        self._free.append(frame)

    def in_use(self) -> set[int]:
        """Those that somebody needs, shown or not."""
        return set(range(FRAMES, self._next, PAGE)).difference(self._free)

    def saved(self) -> tuple[int, tuple[int, ...], int]:
        """All that it remembers."""
        return self.used, tuple(self._free), self._next

    def put_back(self, saved: tuple[int, tuple[int, ...], int]) -> None:
        """As it was when `saved` was asked."""
        self.used, free, self._next = saved
        self._free = list(free)
