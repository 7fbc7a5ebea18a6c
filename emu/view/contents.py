"""The contents of pages, remembered, so that a change by anyone can be seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from syscalls.abi import PAGE
from syscalls.memory import Memory
from syscalls.page_sets import runs


class TouchedMemory(Memory, Protocol):
    """Memory that knows which of its pages may hold other bytes than zero."""

    def has_touched(self, page: int) -> bool:
        """Whether it is such a page."""

    def touched(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Runs of such pages within [start, end), cut to it."""


class Contents:
    """Pages as they were when they were last looked at; what is not here was zero."""

    def __init__(self, memory: TouchedMemory) -> None:
        self._memory = memory
        self._pages: dict[int, bytes] = {}

    def saved(self) -> dict[int, bytes]:
        """All that it remembers."""
        return dict(self._pages)

    def put_back(self, saved: dict[int, bytes]) -> None:
        """What `saved` gave."""
        self._pages = dict(saved)

    def changes(self, start: int, end: int) -> Iterator[tuple[int, bytes, bytes]]:
        """(address, before, now) of each page in [start, end) that is not as it was."""
        pages, known = self._candidates(start, end), self._pages
        for run_start, run_end in runs(pages):
            bytes_of_run = self._memory.read(run_start, run_end - run_start)
            for page in range(run_start, run_end, PAGE):
                before = known.get(page, _ZERO)
                if not bytes_of_run.startswith(before, page - run_start):
                    now = bytes_of_run[page - run_start : page - run_start + PAGE]
                    known[page] = now
                    yield page, before, now

    def accept(self, start: int, size: int) -> None:
        """These bytes are as they should be."""
        for page in self._candidates(start, start + size):
            before = self._pages.get(page, _ZERO)
            first, last = max(start - page, 0), min(start + size - page, PAGE)
            now = self._memory.read(page + first, last - first)
            self._pages[page] = before[:first] + now + before[last:]

    def _candidates(self, start: int, end: int) -> list[int]:
        """Pages of a range that may hold something, or held something once."""
        first = start & -PAGE
        if end - first <= _FEW * PAGE:
            touched, known = self._memory.has_touched, self._pages
            return [p for p in range(first, end, PAGE) if p in known or touched(p)]
        pages = {p for p in self._pages if first <= p < end}
        for run_start, run_end in self._memory.touched(start, end):
            pages.update(range(run_start & -PAGE, run_end, PAGE))
        return sorted(pages)


_ZERO = bytes(PAGE)
_FEW = 64
