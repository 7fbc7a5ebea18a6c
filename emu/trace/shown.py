"""Pages that show frames: the same bytes under several addresses.

An access to such a page is recorded where its frame is, beyond all pages. What the kernel did to
memory says which page showed which frame, and when.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from emu.process.event import (
    Discarded,
    Effect,
    Event,
    Interrupted,
    Moved,
    Owned,
    PageFaulted,
    Shown,
    SystemCalled,
)
from emu.process.frames import FRAMES
from syscalls.abi import PAGE


def effects_of(event: Event) -> tuple[Effect, ...]:
    """What an event did to memory."""
    if isinstance(event, SystemCalled | PageFaulted | Interrupted):
        return event.effects
    return ()


@dataclass(frozen=True, slots=True)
class Stretch:
    """While accesses [first, last) were made, the bytes of [start, end) were at `at`."""

    start: int
    end: int
    at: int
    first: int
    last: int


class ShownPages:
    """What the pages of a trace showed. accesses: how many there are."""

    def __init__(self, events: tuple[Event, ...], accesses: int) -> None:
        self._accesses = accesses
        self._periods: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
        self._pages: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
        now: dict[int, tuple[int, int]] = {}
        for event in events:
            for effect in effects_of(event):
                self._apply(effect, event.accesses, now)
        for page in list(now):
            self._end(page, accesses, now)

    def _apply(self, effect: Effect, at: int, now: dict[int, tuple[int, int]]) -> None:
        match effect:
            case Shown(page, frame):
                self._end(page, at, now)
                now[page] = frame, at
            case Owned(page):
                self._end(page, at, now)
            case Discarded(start, end):
                for page in [page for page in now if start <= page < end]:
                    self._end(page, at, now)
            case Moved(start, end, to):
                moved = {page: now[page][0] for page in now if start <= page < end}
                for page, frame in moved.items():
                    self._end(page, at, now)
                    now[page - start + to] = frame, at

    def _end(self, page: int, at: int, now: dict[int, tuple[int, int]]) -> None:
        if page in now:
            frame, since = now.pop(page)
            self._periods[page].append((since, at, frame))
            self._pages[frame].append((since, at, page))

    def stretches(self, start: int, end: int) -> Iterator[Stretch]:
        """Where the bytes of [start, end) were, and while which accesses were made."""
        if not self._periods:
            yield Stretch(start, end, start, 0, self._accesses)
            return
        for page in range(start & -PAGE, end, PAGE):
            low, high = max(start, page), min(end, page + PAGE)
            done = 0
            for since, until, frame in self._periods.get(page, ()):
                yield Stretch(low, high, low, done, since)
                yield Stretch(low, high, low - page + frame, since, until)
                done = until
            yield Stretch(low, high, low, done, self._accesses)

    def virtual(self, address: int, access: int) -> int:
        """An address as the program has it; of several, the lowest."""
        if address < FRAMES:
            return address
        frame = address & -PAGE
        pages = [page for first, last, page in self._pages[frame] if first <= access < last]
        return min(pages) + address - frame if pages else address

    def showing(self, frame: int, access: int) -> list[int]:
        """The pages that show a frame, at an access."""
        return sorted(page for first, last, page in self._pages[frame] if first <= access < last)
