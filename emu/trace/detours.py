"""Where a program was led elsewhere: to the handlers of signals, and back.

A trace has no event for a signal's delivery. It shows in what ran: after a block came what that
block cannot go to, or a fault. rt_sigreturn shows the way back. Not seen is a handler that a timer
runs behind an indirect jump or a return, which may go anywhere: it is taken for where that went.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntFlag

import numpy as np

from emu.process.event import Faulted, SystemCalled
from emu.trace.blocks import Places
from emu.trace.endings import Ending, Endings
from emu.trace.trace import Trace

CHUNK = 1 << 20
"""Entries looked at at once."""


class Detour(IntFlag):
    """What happens between two entries: a handler is left, one is entered, or both."""

    BACK = 1
    AWAY = 2


@dataclass
class Detours:
    """at: by the entry before. next: the address that really followed such an entry, where known.

    What followed an entry before a handler ran is where the handler went back to.
    """

    at: dict[int, Detour] = field(default_factory=dict)
    next: dict[int, int] = field(default_factory=dict)


def detours(trace: Trace, ends: Endings) -> Detours:
    """All of a trace."""
    return _Search(trace, ends).found


class _Search:
    def __init__(self, trace: Trace, ends: Endings) -> None:
        self._trace, self._ends = trace, ends
        self._cut = {entry: _cut_address(trace, entry, ran) for entry, ran in trace.cuts.tolist()}
        faults = trace.of_kind(Faulted)
        self._faults = {fault.entry - 1: fault.rip for fault in faults if fault.entry}
        self._open: list[int] = []
        """Entries whose handler is not back, the innermost last."""
        self._handlers: set[int] = set()
        self.found = Detours()
        self._find()

    def _find(self) -> None:
        back = {
            event.entry - 1
            for event in self._trace.of_kind(SystemCalled)
            if event.call.name == "rt_sigreturn"
        }
        away = set(_led_away(self._trace, self._ends))
        away |= {entry for entry in self._faults if entry not in self._cut}
        last = len(self._trace.entries) - 1
        for entry in sorted(back | away):
            if entry in self._faults and entry not in self._cut:
                self.found.next[entry] = self._faults[entry]
            if entry < last:
                self._back(entry) if entry in back else self._away(entry)

    def _away(self, entry: int) -> None:
        self._handlers.add(self._next(entry))
        self._open.append(entry)
        self.found.at[entry] = Detour.AWAY

    def _back(self, entry: int) -> None:
        """The innermost that could have gone there has ended; or else another handler begins."""
        place = self._next(entry)
        for index in range(len(self._open) - 1, -1, -1):
            if self._may_go(self._open[index], place):
                self.found.next.setdefault(self._open[index], place)
                del self._open[index:]
                break
        else:
            if place in self._handlers or self._begins_function(place):
                self.found.at[entry] = Detour.BACK | Detour.AWAY
                return
            del self._open[-1:]
        self.found.at[entry] = Detour.BACK

    def _may_go(self, entry: int, place: int) -> bool:
        if entry in self._cut:
            return place == self._cut[entry]
        if entry in self.found.next:
            return place == self.found.next[entry]
        row, ends = int(self._trace.entries[entry]), self._ends
        kind = ends.kind[row]
        places = [ends.target[row]]
        if kind == Ending.CONDITION:
            places.append(ends.behind[row])
        elif kind == Ending.NEXT:
            places.append(ends.last[row])  # a system call that is made again
        return not ends.known[row] or place in places

    def _next(self, entry: int) -> int:
        return int(self._trace.blocks.address[self._trace.entries[entry + 1]])

    def _begins_function(self, place: int) -> bool:
        symbol = self._trace.sources.symbol_at(place)
        return symbol is not None and symbol.address == place


def _led_away(trace: Trace, ends: Endings) -> Iterator[int]:
    """Entries behind which came what they cannot go to."""
    address = trace.blocks.address
    for start in range(0, len(trace.entries) - 1, CHUNK):
        rows = trace.entries[start : start + CHUNK + 1]
        kind, following = ends.kind[rows], address[rows[1:]]
        gates = kind == Ending.GATE
        rows, kind = rows[:-1], kind[:-1]
        fits = (ends.target[rows] == following) | ~ends.known[rows] | gates[:-1] | gates[1:]
        fits |= (kind == Ending.CONDITION) & (ends.behind[rows] == following)
        fits |= (kind == Ending.NEXT) & (ends.last[rows] == following)
        cuts = cuts_within(trace, start, start + len(rows))
        fits[cuts[:, 0] - start] = [
            _cut_address(trace, entry, ran) == int(following[entry - start])
            for entry, ran in cuts.tolist()
        ]
        yield from (start + np.flatnonzero(~fits)).tolist()


def cuts_within(trace: Trace, first: int, last: int) -> Places:
    """The cuts of the entries of [first, last)."""
    begin, end = np.searchsorted(trace.cuts[:, 0], (first, last))
    return trace.cuts[begin:end]


def _cut_address(trace: Trace, entry: int, ran: int) -> int:
    """Of the first instruction that did not run."""
    return int(trace.blocks.places[trace.blocks.first[trace.entries[entry]] + ran])
