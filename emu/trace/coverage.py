"""What of the code ran, and how often: by instruction, by line of source, by conditional jump.

`rep` runs once for every repetition, and once more where it finds rcx at zero, as in the trace.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from asm.image import SourceLine
from emu.process.process import HARNESS
from emu.trace.blocks import Places, Words
from emu.trace.detours import CHUNK, cuts_within, detours
from emu.trace.endings import Ending, endings, is_conditional, is_directive
from emu.trace.trace import Trace


@dataclass(frozen=True, slots=True)
class LineRuns:
    """How often a line's first instruction ran; of a line that stands in several places, of each.

    Which is how often the line ran, unless it was jumped into.
    """

    file: str
    line: int
    runs: int


@dataclass(frozen=True, slots=True)
class Branch:
    """A conditional jump: how often it was taken, and how often not.

    line: None where it is not known. A jump to the instruction behind it is taken always. Where it
    went is not known of one behind which the trace ends, or a handler that never came back.
    """

    address: int
    line: SourceLine | None
    taken: int
    not_taken: int


def runs(trace: Trace) -> Places:
    """How often each instruction of each block ran: a number for each of `blocks.places`."""
    blocks = trace.blocks
    found = np.repeat(_entered(trace), blocks.instructions)
    changes = np.zeros(len(found) + 1, np.int64)
    rows, ran = trace.entries[trace.cuts[:, 0]], trace.cuts[:, 1]
    np.add.at(changes, blocks.first[rows] + ran, -1)
    np.add.at(changes, blocks.first[rows] + blocks.instructions[rows], 1)
    found += np.cumsum(changes)[:-1]
    return found


def instructions(trace: Trace) -> tuple[Words, Places]:
    """Addresses of instructions, in order, and how often each ran."""
    return by_address(trace, runs(trace))


def by_address(trace: Trace, counts: Places) -> tuple[Words, Places]:
    """A number for each of `blocks.places`, summed by address: several blocks may share one."""
    addresses, which = np.unique(trace.blocks.places, return_inverse=True)
    sums = np.bincount(which, weights=counts, minlength=len(addresses))
    return addresses, sums.astype(np.int64)


def lines(trace: Trace) -> tuple[LineRuns, ...]:
    """Every line of the source that became code, in order of file and number; 0 for what never ran.

    See `code_lines`.
    """
    counts = _counts(trace)
    found: dict[tuple[str, int], int] = {}
    for (file, number), parts in groupby(code_lines(trace), key=_key):
        first = next(parts)
        found[file, number] = found.get((file, number), 0) + counts.get(first.address, 0)
    return tuple(LineRuns(file, line, count) for (file, line), count in sorted(found.items()))


def code_lines(trace: Trace) -> Iterator[SourceLine]:
    """Lines of the source that became code, by address: not data.

    Not of the way into a call and out of it either, which are no part of the program.
    """
    counts = _counts(trace)
    for line in trace.sources.lines:
        ran = counts.get(line.address, 0) > 0
        if line.address < HARNESS and (ran or not is_directive(line.text)):
            yield line


def branches(trace: Trace) -> tuple[Branch, ...]:
    """Every conditional jump of the blocks that ran, and those that stand in lines that never did.

    In order of address.
    """
    taken, not_taken = _outcomes(trace)
    line_at = trace.sources.line_at
    met = {
        address: Branch(address, line_at(address), taken.get(address, 0), not_taken.get(address, 0))
        for address in _conditional(trace)
    }
    never = {line.address: Branch(line.address, line, 0, 0) for line in _never(trace)}
    return tuple(sorted({**never, **met}.values(), key=lambda branch: branch.address))


def _key(line: SourceLine) -> tuple[str, int]:
    return line.file, line.line


def _counts(trace: Trace) -> dict[int, int]:
    addresses, counts = instructions(trace)
    return dict(zip(addresses.tolist(), counts.tolist(), strict=True))


def _entered(trace: Trace) -> Places:
    """How often each row was."""
    found = np.zeros(len(trace.blocks), np.int64)
    for start in range(0, len(trace.entries), CHUNK):
        found += np.bincount(trace.entries[start : start + CHUNK], minlength=len(found))
    return found


def _conditional(trace: Trace) -> Iterable[int]:
    ends = endings(trace.blocks)
    found: list[int] = ends.last[ends.kind == Ending.CONDITION].tolist()
    return set(found)


def _never(trace: Trace) -> Iterator[SourceLine]:
    """Lines that did not run, and are conditional jumps."""
    counts = _counts(trace)
    for line in code_lines(trace):
        if not counts.get(line.address) and is_conditional(line.text):
            yield line


def _outcomes(trace: Trace) -> tuple[dict[int, int], dict[int, int]]:
    """By address of the jump: how often taken, how often not."""
    blocks, ends = trace.blocks, endings(trace.blocks)
    led = detours(trace, ends)
    taken, not_taken = (np.zeros(len(blocks), np.int64) for _ in range(2))
    for start in range(0, len(trace.entries), CHUNK):
        rows = trace.entries[start : start + CHUNK]
        jumps = ends.kind[rows] == Ending.CONDITION
        jumps[cuts_within(trace, start, start + len(rows))[:, 0] - start] = False
        at = np.flatnonzero(jumps)
        entries, rows = at + start, rows[at]
        following = _following(trace, entries, led.next, led.at)
        goes = following == ends.target[rows]
        passes = ~goes & (following == ends.behind[rows])
        taken += np.bincount(rows[goes], minlength=len(blocks))
        not_taken += np.bincount(rows[passes], minlength=len(blocks))
    return _by_place(ends.last, taken), _by_place(ends.last, not_taken)


def _following(trace: Trace, entries: Places, known: dict[int, int], led: Iterable[int]) -> Words:
    """Where the program went behind each entry; 0 where that is not known."""
    last = len(trace.entries) - 1
    after = trace.entries[np.minimum(entries + 1, last)]
    found = np.where(entries < last, trace.blocks.address[after], np.uint64(0))
    special = np.array(sorted({*led, *known}), np.int64)
    for index in np.flatnonzero(np.isin(entries, special)).tolist():
        found[index] = known.get(int(entries[index]), 0)
    return found


def _by_place(places: Words, counts: Places) -> dict[int, int]:
    found: dict[int, int] = {}
    for row in np.flatnonzero(counts).tolist():
        found[int(places[row])] = found.get(int(places[row]), 0) + int(counts[row])
    return found
