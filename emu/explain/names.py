"""Addresses of a trace by names: places, as they were at a moment, and symbols of data."""

from __future__ import annotations

from bisect import bisect_right

from emu.process.event import SystemCalled
from emu.trace.trace import Trace
from emu.view.places import NamedSyscall, Places

_NOWHERE = 1 << 64


class Names:
    """heap_start: the first break; where it is not known, what the first brk of the trace says."""

    def __init__(self, trace: Trace, heap_start: int | None = None) -> None:
        self._sources = trace.sources
        if heap_start is None:
            heap_start = _first_break(trace)
        self._places = Places(_NOWHERE if heap_start is None else heap_start)
        self._made_at: list[int] = []
        self.syscalls: list[tuple[SystemCalled, NamedSyscall]] = []
        """The system calls of the trace, with places for addresses."""
        for event in trace.of_kind(SystemCalled):
            self.syscalls.append((event, self._places.learn(event.call)))
            self._made_at += [event.at] * (self._places.mappings - len(self._made_at))

    @property
    def heap_start(self) -> int | None:
        """The first break, where it is known."""
        start = self._places.heap_start
        return None if start == _NOWHERE else start

    @property
    def heap_end(self) -> int:
        """The highest break there was; the heap's start where there was none."""
        return self._places.heap_end

    def place(self, address: int, moment: int | None = None) -> str | int:
        """heap+0x20; the number itself where the address is in nothing known.

        The end of the heap has a name too: the break is an address that allocators keep.
        """
        if address == self.heap_end and self.heap_start is not None and address > self.heap_start:
            return f"heap+{address - self.heap_start:#x}"
        made = None if moment is None else bisect_right(self._made_at, moment)
        return self._places.place(address, made)

    def spelled(self, address: int, moment: int | None = None) -> str:
        """The same for people: also heap_tail, and other numbers in hexadecimal."""
        place = self.place(address, moment)
        return place if isinstance(place, str) else self._sources.spelled(address)

    def address(self, base: str, offset: int) -> int | None:
        """Of heap, map1, map2, ... or a symbol; None where there is none."""
        start = self._places.address(base, 0)
        if start is None or start == _NOWHERE:
            start = self._sources.address_of(base)
        return None if start is None else start + offset

    @property
    def mappings(self) -> int:
        """map1 to map of this number are known."""
        return self._places.mappings


def _first_break(trace: Trace) -> int | None:
    """The first answer of brk, to a question or to a wish."""
    calls = (event.call for event in trace.of_kind(SystemCalled))
    return next((call.result for call in calls if call.name == "brk"), None)
