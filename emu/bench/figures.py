"""Figures of many calls: what one costs in the mean, in the middle, and at worst."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from emu.bench.bench import COUNTERS, Bench, Counts
from emu.process.event import KINDS


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one counter over some calls.

    median, p99: the least count that half of the calls do not exceed, and 99 of 100: counts that
    there are. worst_call: the first that has the worst count, from 1 on.
    """

    calls: int
    total: int
    median: int
    p99: int
    worst: int
    worst_call: int

    @property
    def mean(self) -> float:
        return self.total / self.calls


def figures(counts: Counts, which: Counts) -> Figures:
    """which: the numbers of the calls, one at least, from 0 on."""
    of_these = counts[which]
    ordered = np.sort(of_these)
    return Figures(
        len(which),
        int(of_these.sum()),
        int(ordered[_rank(50, len(which))]),
        int(ordered[_rank(99, len(which))]),
        int(ordered[-1]),
        int(which[of_these.argmax()]) + 1,
    )


def _rank(percent: int, count: int) -> int:
    return -(-percent * count // 100) - 1


NOT_COPYING = "not copying"
"""Instructions without those that copy or clear."""


def by_kind(of: Bench) -> Iterator[tuple[str, dict[str, Figures]]]:
    """For each kind of call that there is: its figures by counter.

    NOT_COPYING is among them where such calls copy or clear at all.
    """
    for kind in KINDS:
        which = of.of_kind(kind)
        if len(which):
            yield kind, _counters(of, which)


def _counters(of: Bench, which: Counts) -> dict[str, Figures]:
    counts = of.counts
    found = {name: figures(counts[name], which) for name in COUNTERS if name in counts}
    if counts["copying"][which].any():
        rest = figures(counts["instructions"] - counts["copying"], which)
        found = {"instructions": found.pop("instructions"), NOT_COPYING: rest, **found}
    return found
