"""What callgrind_annotate and KCachegrind read: costs by instruction and line, and by call.

Ir is instructions; Dr and Dw, where accesses were recorded, what read and what wrote. One of 16
bytes is two of 8. A jump into another function is written as a call of it (callstack.py). What
Linux or a person calls, a handler too, is called by "(outside)".
https://valgrind.org/docs/manual/cl-format.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emu.report.export.target import Target, write_lines
from emu.trace.blocks import Places, Words
from emu.trace.callstack import CallStack, call_stack
from emu.trace.coverage import by_address, runs
from emu.trace.trace import Trace

_NO_FILE = "???"
_OUTSIDE = -1
"""Who calls what nobody of the program calls: callgrind_annotate sums a function's callers."""


def callgrind(trace: Trace, target: Target) -> None:
    """Writes the costs of a whole trace."""
    write_lines(_Profile(trace).text(), target)


@dataclass(frozen=True, slots=True)
class _Arc:
    """A place of code that called a function: how often, and what that cost with all it called."""

    site: int
    callee: int
    calls: int
    costs: tuple[int, ...]


class _Profile:
    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._stack = call_stack(trace)
        self._functions = self._stack.functions
        self._events = ["Ir"] if trace.accesses is None else ["Ir", "Dr", "Dw"]
        self._arcs = _arcs(trace, self._stack)
        self._own = _own(trace)

    def text(self) -> Iterator[str]:
        addresses, costs = self._own
        yield from ("# callgrind format", "version: 1", "creator: osmem-emu")
        yield from ("positions: instr line", f"events: {' '.join(self._events)}")
        yield f"summary: {_spelled(costs.sum(axis=0).tolist())}"
        of_function = defaultdict(list)
        functions = self._functions.at(addresses).tolist()
        for function, row in zip(functions, range(len(addresses)), strict=True):
            of_function[function].append(row)
        for function, rows in of_function.items():
            yield ""
            yield from self._function(function, addresses[rows].tolist(), costs[rows].tolist())
        yield from ("", f"fl={_NO_FILE}", "fn=(outside)")
        for arc in self._arcs.get((_OUTSIDE, 0), ()):
            yield from self._call(arc)

    def _function(self, number: int, places: list[int], costs: list[list[int]]) -> Iterator[str]:
        file = self._file(self._functions.start(number))
        yield f"fl={file}"
        yield f"fn={self._functions.name(number)}"
        for place, cost in zip(places, costs, strict=True):
            here = self._file(place)
            if here != file:
                yield f"fi={here}"
                file = here
            yield f"{self._place(place)} {_spelled(cost)}"
            for arc in self._arcs.get((number, place), ()):
                yield from self._call(arc)

    def _call(self, arc: _Arc) -> Iterator[str]:
        start = self._functions.start(arc.callee)
        yield f"cfi={self._file(start)}"
        yield f"cfn={self._functions.name(arc.callee)}"
        yield f"calls={arc.calls} {self._place(start)}"
        yield f"{self._place(arc.site)} {_spelled(arc.costs)}"

    def _place(self, address: int) -> str:
        line = self._trace.sources.line_at(address)
        return f"{address:#x} {line.line if line else 0}"

    def _file(self, address: int) -> str:
        line = self._trace.sources.line_at(address)
        return line.file if line else _NO_FILE


def _spelled(costs: list[int] | tuple[int, ...]) -> str:
    return " ".join(map(str, costs))


def _own(trace: Trace) -> tuple[Words, NDArray[np.int64]]:
    """Addresses that ran, in order, and what each cost: a column an event."""
    columns = [runs(trace)]
    if trace.accesses is not None:
        rows = trace.entries[trace.accesses["entry"]].astype(np.int64)
        offsets = trace.accesses["offset"].astype(np.int64)
        which = trace.blocks.first[rows] + trace.blocks.number_at(rows, offsets)
        written = trace.accesses["write"]
        columns += [
            np.bincount(which[chosen], minlength=len(columns[0])) for chosen in (~written, written)
        ]
    summed = [by_address(trace, column) for column in columns]
    costs = np.stack([sums for _, sums in summed], axis=1)
    ran = costs[:, 0] > 0
    return summed[0][0][ran], costs[ran]


def _arcs(trace: Trace, stack: CallStack) -> dict[tuple[int, int], list[_Arc]]:
    """By the caller and the address of the calling instruction."""
    paths = stack.paths
    key = np.empty(len(stack), [("caller", "<i8"), ("site", "<u8"), ("callee", "<i8")])
    callers = paths.function[paths.caller[stack.path]]
    key["caller"] = np.where(stack.site == 0, _OUTSIDE, callers)
    key["site"], key["callee"] = stack.site, stack.function
    arcs, which = np.unique(key, return_inverse=True)
    calls = np.bincount(which, minlength=len(arcs))
    costs = [
        np.bincount(which, weights=column, minlength=len(arcs)).astype(np.int64).tolist()
        for column in _inclusive(trace, stack)
    ]
    found: dict[tuple[int, int], list[_Arc]] = defaultdict(list)
    for (caller, site, callee), count, *cost in zip(
        arcs.tolist(), calls.tolist(), *costs, strict=True
    ):
        found[caller, site].append(_Arc(site, callee, count, tuple(cost)))
    return found


def _inclusive(trace: Trace, stack: CallStack) -> list[Places]:
    """What each run of a function cost: a column an event."""
    columns = [stack.end - stack.begin]
    if trace.accesses is not None:
        begin, end = (np.searchsorted(trace.moments, when) for when in (stack.begin, stack.end))
        written = np.concatenate(([0], np.cumsum(trace.accesses["write"], dtype=np.int64)))
        writes = written[end] - written[begin]
        columns += [end - begin - writes, writes]
    return columns
