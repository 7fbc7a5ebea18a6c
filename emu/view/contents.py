"""The contents of pages, remembered, so that a change by anyone can be seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from syscalls.abi import PAGE
from syscalls.memory import Memory


class TouchedMemory(Memory, Protocol):
    """Memory that knows which of its pages may hold other bytes than zero."""

    def touched(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Runs of such pages within [start, end), cut to it."""


class Contents:
    """Pages as they were when they were last looked at; what is not here was zero."""

    def __init__(self, memory: TouchedMemory) -> None:
        self._memory = memory
        self._pages: dict[int, bytes] = {}

    def changes(self, start: int, end: int) -> Iterator[tuple[int, bytes, bytes]]:
        """(address, before, now) of each page in [start, end) that is not as it was."""
        for page in self._candidates(start, end):
            now = self._memory.read(page, PAGE)
            before = self._pages.get(page, _ZERO)
            if now != before:
                self._pages[page] = now
                yield page, before, now

    def accept(self, start: int, size: int) -> None:
        """These bytes are as they should be."""
        for page in self._candidates(start, start + size):
            now = self._memory.read(page, PAGE)
            before = self._pages.get(page, _ZERO)
            first, last = max(start - page, 0), min(start + size - page, PAGE)
            self._pages[page] = before[:first] + now[first:last] + before[last:]

    def _candidates(self, start: int, end: int) -> list[int]:
        touched = {
            page
            for run_start, run_end in self._memory.touched(start, end)
            for page in range(run_start & -PAGE, run_end, PAGE)
        }
        if (end - start) // PAGE < len(self._pages):
            touched.update(p for p in range(start & -PAGE, end, PAGE) if p in self._pages)
        else:
            touched.update(p for p in self._pages if start - PAGE < p < end)
        return sorted(touched)


_ZERO = bytes(PAGE)
