"""Where the instructions of some calls went, line by line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emu.trace.trace import Span, Trace


@dataclass(frozen=True, slots=True)
class HotLine:
    """function: the name, or the address where there is none. place, text: "" where not known."""

    function: str
    place: str
    text: str


def hot_lines(trace: Trace, spans: Sequence[Span]) -> Counter[HotLine]:
    """How many instructions ran of each line of source, within some calls.

    Where a call died, its last block counts whole.
    """
    parts = [trace.entries[span.first_entry : span.last_entry] for span in spans]
    entered = np.concatenate(parts) if parts else trace.entries[:0]
    blocks, found = trace.blocks, Counter[HotLine]()
    runs = np.repeat(np.bincount(entered, minlength=len(blocks)), blocks.instructions)
    for number in np.flatnonzero(runs).tolist():
        found[_line_of(trace, int(blocks.places[number]))] += int(runs[number])
    return found


def _line_of(trace: Trace, address: int) -> HotLine:
    function, line = trace.sources.function_at(address), trace.sources.line_at(address)
    return HotLine(function, line.place, line.text.strip()) if line else HotLine(function, "", "")
