"""What each call cost: instructions, memory, the kernel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emu.process.event import SystemCalled
from emu.trace.blocks import Words
from emu.trace.trace import Span, Trace

LINE, PAGE = 6, 12
"""Bits of an address within a cache line of 64 bytes, and within a page."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a stretch of a trace cost.

    span: the call; None for all there is. blocks: of code, each time it was entered. reads,
    writes: accesses, of which one of 16 bytes is two; lines, pages: different ones of memory that
    they touched. None where accesses were not recorded.
    """

    span: Span | None
    instructions: int
    blocks: int
    syscalls: int
    reads: int | None = None
    writes: int | None = None
    lines: int | None = None
    pages: int | None = None


def costs(trace: Trace) -> tuple[Cost, ...]:
    """What each call of the allocator cost, in order."""
    asked = np.array([event.at for event in trace.of_kind(SystemCalled)], np.int64)
    return tuple(_cost_of(trace, span, asked) for span in trace.calls)


def whole_cost(trace: Trace) -> Cost:
    """What all of it cost, with what the program did outside of calls."""
    asked = sum(1 for _ in trace.of_kind(SystemCalled))
    every = slice(0, _made(trace))
    return _cost(trace, None, len(trace), _entered(trace, 0, len(trace.entries)), asked, every)


def _cost_of(trace: Trace, span: Span, asked: NDArray[np.int64]) -> Cost:
    # The kernel is entered by an instruction: the first one of a call can have asked it.
    first, last = np.searchsorted(asked, (span.first, span.last), side="right")
    end = span.returned.accesses if span.returned else _made(trace)
    blocks = _entered(trace, span.first_entry, span.last_entry)
    accesses = slice(span.called.accesses, end)
    return _cost(trace, span, span.instructions, blocks, int(last - first), accesses)


def _cost(
    trace: Trace, span: Span | None, instructions: int, blocks: int, syscalls: int, which: slice
) -> Cost:
    if trace.accesses is None:
        return Cost(span, instructions, blocks, syscalls)
    made = trace.accesses[which]
    writes = int(np.count_nonzero(made["write"]))
    address = made["address"]
    last = address + np.maximum(made["size"], 1) - 1
    return Cost(
        span, instructions, blocks, syscalls, len(made) - writes, writes,
        _different(address, last, LINE), _different(address, last, PAGE),
    )  # fmt: skip


def _entered(trace: Trace, first: int, last: int) -> int:
    """Blocks with instructions: the ways in and out have none."""
    return int(np.count_nonzero(trace.lengths[first:last]))


def _different(first: Words, last: Words, bits: int) -> int:
    """How many pieces of 2^bits bytes the ranges [first, last] touch; each at most two."""
    shift = np.uint64(bits)
    low, high = first >> shift, last >> shift
    touched = np.concatenate((low, high[high != low]))
    if not len(touched):
        return 0
    fresh = np.append(True, touched[1:] != touched[:-1])  # neighbours are often the same
    return len(np.unique(touched[fresh]))


def _made(trace: Trace) -> int:
    return 0 if trace.accesses is None else len(trace.accesses)
