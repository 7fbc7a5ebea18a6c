"""Which part of a trace is meant: instructions, accesses and calls, in arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from emu.report.trace_view import Selection, Traced
from emu.trace.blocks import Places
from emu.trace.toucher import calls_touching
from emu.trace.trace import Span, Trace

_MOST = 1 << 63


def moments_of(traced: Traced, selection: Selection) -> Sequence[int] | Places:
    """The instructions that are meant, by moment."""
    trace = traced.trace
    spans = _stretches(trace, selection)
    if selection.function is None and selection.range is None:
        if len(spans) == 1:
            return range(*spans[0])
        return np.concatenate([np.arange(*span) for span in spans] or [np.zeros(0, np.int64)])
    if selection.range is not None:
        touching = trace.recorded_accesses[trace.touching(*selection.range)]
        found = within(np.unique(trace.moments_of(touching)), spans)
        meant: Places = found[in_function(trace, numbers_at(trace, found), selection.function)]
        return meant
    return np.concatenate([
        first + np.flatnonzero(in_function(trace, trace.numbers(first, last), selection.function))
        for first, last in _chunks(spans)
    ] or [np.zeros(0, np.int64)])  # fmt: skip


def accesses_of(traced: Traced, selection: Selection) -> Places:
    """The accesses that are meant, by number."""
    trace = traced.trace
    found = trace.touching(*(selection.range or (0, _MOST)))
    if selection.calls is not None:
        found = within_accesses(trace, found, selection.calls)
    if selection.function is not None:
        numbers = trace.numbers_of(trace.recorded_accesses[found])
        found = found[in_function(trace, numbers, selection.function)]
    return found


def within_accesses(trace: Trace, accesses: Places, calls: Sequence[Span]) -> Places:
    """Those that calls made."""
    total = len(trace.recorded_accesses)
    ends = [call.returned.accesses if call.returned else total for call in calls]
    starts = [call.called.accesses for call in calls]
    return within(accesses, list(zip(starts, ends, strict=True)))


def calls_of(traced: Traced, selection: Selection) -> list[Span]:
    """The calls that are meant: that ran the function, and touched the range."""
    trace = traced.trace
    calls = list(trace.calls if selection.calls is None else selection.calls)
    if selection.range is not None:
        touched = {one.call for one in calls_touching(trace, *selection.range)}
        calls = [call for call in calls if call.index in touched]
    if selection.function is not None:
        calls = [call for call in calls if _runs(trace, call, selection.function)]
    return calls


def _runs(trace: Trace, call: Span, function: str) -> bool:
    numbers = trace.numbers(call.first, call.last)
    return bool(in_function(trace, numbers, function).any())


def _stretches(trace: Trace, selection: Selection) -> list[tuple[int, int]]:
    if selection.calls is None:
        return [(0, len(trace))]
    return [(call.first, call.last) for call in selection.calls]


def _chunks(spans: list[tuple[int, int]], size: int = 1 << 20) -> Iterator[tuple[int, int]]:
    for first, last in spans:
        for start in range(first, last, size):
            yield start, min(last, start + size)


def within(numbers: Places, ranges: list[tuple[int, int]]) -> Places:
    """Those, of sorted numbers, that lie in one of some sorted ranges."""
    parts = [numbers[slice(*np.searchsorted(numbers, bounds))] for bounds in ranges]
    return np.concatenate(parts or [np.zeros(0, np.int64)])


def in_function(trace: Trace, numbers: Places, function: str | None) -> Any:
    """Which instructions, by number, stand in a function."""
    if function is None:
        return np.ones(len(numbers), bool)
    places = trace.blocks.places[numbers]
    found = np.zeros(len(numbers), bool)
    for symbol in trace.sources.symbols:
        if symbol.name == function:
            found |= (places >= symbol.address) & (places < symbol.address + symbol.size)
    return found


def numbers_at(trace: Trace, moments: Places) -> Places:
    """The instructions of some moments, by number."""
    entries = np.searchsorted(trace.starts, moments, side="right") - 1
    found: Places = trace.blocks.first[trace.entries[entries]] + moments - trace.starts[entries]
    return found
