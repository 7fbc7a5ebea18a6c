"""follow(trace, call) -> Course: a call played again, and its accesses put to blocks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from emu.explain.call import accesses_of
from emu.explain.course import Change, Course
from emu.explain.headers import Headers
from emu.explain.replay import Replay
from emu.trace.questions import writes
from emu.trace.trace import Span, Trace


def follow(trace: Trace, span: Span, heap_start: int, heap_end: int) -> Course:
    """The course of a call. heap_end: the highest break of the trace."""
    replay = Replay(trace, span, heap_start, heap_end)
    replay.walk_through()
    headers = Headers(trace, span, replay)
    return Course(
        replay.walks[0][1], replay.walks[-1][1], tuple(headers.looks()),
        tuple(sorted([*headers.changes(), *_data_changes(trace, span)], key=_when)),
        tuple(replay.merges), replay.walks, replay.breaks,
    )  # fmt: skip


def _data_changes(trace: Trace, span: Span) -> Iterator[Change]:
    """Writes to the allocator's own variables: whatever has a name."""
    first, last = accesses_of(trace, span)
    accesses = trace.recorded_accesses[first:last]
    named = trace.sources.symbols
    if not named:
        return
    low, high = named[0].address, max(one.address + one.size for one in named)
    found = accesses["write"] & (accesses["address"] >= low) & (accesses["address"] < high)
    for index in (np.flatnonzero(found) + first).tolist():
        address = int(trace.recorded_accesses["address"][index])
        symbol = trace.sources.symbol_at(address)
        if symbol is not None:
            yield _data_change(trace, index, symbol.address, trace.sources.spelled(address))


def _data_change(trace: Trace, access: int, address: int, what: str) -> Change:
    one = trace.recorded_accesses[access : access + 1]
    moment = int(trace.moments_of(one)[0])
    start, size = int(one["address"][0]), int(one["size"][0])
    earlier = writes(trace, start, start + size, moment)
    old = earlier[-1].value if earlier else None
    new = int(one["value"][0]) & (1 << 8 * size) - 1
    where = trace.listing[int(trace.numbers_of(one)[0])]
    return Change(moment, access, where, what, address, old, new)


def _when(change: Change) -> int:
    return change.access
