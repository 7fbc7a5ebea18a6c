"""Which calls read or wrote a range of memory, and by which functions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emu.trace.blocks import Places
from emu.trace.trace import Trace


@dataclass(frozen=True, slots=True)
class Toucher:
    """A function that touched a range: how often it read there, and wrote."""

    function: str
    reads: int
    writes: int


@dataclass(frozen=True, slots=True)
class Touching:
    """A call that did. call: its index, None for what the program did outside of calls.

    by: its functions, the busiest first.
    """

    call: int | None
    reads: int
    writes: int
    by: tuple[Toucher, ...]


def calls_touching(trace: Trace, start: int, end: int) -> tuple[Touching, ...]:
    """The calls that touched a byte of [start, end), in order; what was outside of them first."""
    found = trace.touching(start, end)
    accesses = trace.recorded_accesses[found]
    calls = call_of(trace, found)
    numbers = trace.numbers_of(accesses)
    order = np.argsort(calls, kind="stable")
    cuts = np.flatnonzero(np.diff(calls[order])) + 1
    return tuple(
        _touching(trace, int(calls[part[0]]), numbers[part], accesses["write"][part])
        for part in np.split(order, cuts)
        if len(part)
    )


def call_of(trace: Trace, accesses: Places) -> Places:
    """The index of the call that made each access, by its number; 0 outside of calls."""
    calls = trace.calls
    total = len(trace.recorded_accesses)
    starts = np.array([call.called.accesses for call in calls], np.int64)
    ends = np.array(
        [call.returned.accesses if call.returned else total for call in calls], np.int64
    )
    which = np.searchsorted(starts, accesses, side="right") - 1
    found = np.zeros(len(accesses), np.int64)
    inside = which >= 0
    inside[inside] = accesses[inside] < ends[which[inside]]
    indices = np.array([call.index for call in calls], np.int64)
    found[inside] = indices[which[inside]]
    return found


def _touching(trace: Trace, call: int, numbers: Places, written: Places) -> Touching:
    by: dict[str, list[int]] = {}
    _, which, counts = np.unique(numbers * 2 + written, return_index=True, return_counts=True)
    for place, times in zip(which.tolist(), counts.tolist(), strict=True):
        function = trace.listing[int(numbers[place])].function
        by.setdefault(function, [0, 0])[int(written[place])] += times
    touchers = sorted((Toucher(name, *both) for name, both in by.items()), key=_busiest)
    writes = int(np.count_nonzero(written))
    return Touching(call or None, len(numbers) - writes, writes, tuple(touchers))


def _busiest(toucher: Toucher) -> tuple[int, str]:
    return -toucher.reads - toucher.writes, toucher.function
