"""Who called whom: the calls and returns of a trace matched, as a debugger would see the stack.

    call              begins a function, which ends when a `ret` goes behind that call
    a jump, or going on, into another function
                      is a call at its end: the new function ends with the one that it came from.
                      Into one that this has come from: that goes on, as in a loop. Into the middle
                      of one that is on the stack: what is above it ends (longjmp)
    ret               to no caller is a jump. What is above the caller ends too
    a signal          begins its handler, on top of what it interrupts; rt_sigreturn ends it

What Linux or a person calls has nobody below it. Jumps within a function say nothing.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emu.trace.blocks import Places, Words
from emu.trace.detours import CHUNK, Detour, cuts_within, detours
from emu.trace.endings import Ending, endings
from emu.trace.functions import Functions, Stretches, stretches
from emu.trace.trace import Span, Trace

_CALL, _RETURN, _GATE = map(int, (Ending.CALL, Ending.RETURN, Ending.GATE))
_ROOT = 0
_NOWHERE = -1
"""Where a handler returns to: by rt_sigreturn."""


@dataclass(frozen=True, eq=False)
class Paths:
    """A table of ways down the stack: the function of each, by number, and the path to its caller.

    Row 0 is what has nobody below it. A path comes behind that to its caller. outermost: whether
    its function does not stand on the path to the caller.
    """

    function: Places
    caller: Places
    outermost: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.function)


@dataclass(frozen=True, eq=False)
class CallStack:
    """Every run of a function, in the order in which they began: columns of a table.

    path: a row of `paths`. begin, end: moments. site: the address of the instruction that it was
    called by; 0 where nobody called it.
    """

    functions: Functions
    paths: Paths
    path: Places
    begin: Places
    end: Places
    site: Words

    def __len__(self) -> int:
        return len(self.path)

    @cached_property
    def function(self) -> Places:
        """By number."""
        return self.paths.function[self.path]


def call_stack(trace: Trace, span: Span | None = None) -> CallStack:
    """Of a trace, or of one call of the allocator."""
    functions = Functions(trace.sources, trace.blocks)
    matcher = _Matcher(functions)
    for passage in _passages(trace, functions, span):
        matcher.passes(passage)
    last = len(trace) if span is None else span.last
    return matcher.finished(last)


# What a trace is taken apart to


class _Passage(NamedTuple):
    """From one stretch of a function to the next: a call, a return, or to another function.

    kind: the Ending of the one; detour: a Detour, or 0. site: its last instruction, behind: what
    comes after that. function, address, moment: of the next. gate: whether the next is one.
    """

    kind: list[int]
    detour: list[int]
    site: list[int]
    behind: list[int]
    function: list[int]
    address: list[int]
    moment: list[int]
    gate: list[bool]


def _passages(trace: Trace, functions: Functions, span: Span | None) -> Iterator[_Passage]:
    """Those that matter, a list for each column, some at a time. The first is the way in."""
    first, last = (span.first_entry, span.last_entry) if span else (0, len(trace.entries))
    if first >= last:
        return
    ends = endings(trace.blocks)
    pieces = stretches(trace.blocks, ends, functions)
    led = detours(trace, ends).at
    away = np.array(sorted(led), np.int64)
    begun = pieces.first[trace.entries[first]]
    yield _Passage(
        [_GATE], [0], [0], [0], [int(pieces.function[begun])], [int(pieces.address[begun])],
        [int(trace.starts[first])], [bool(pieces.kind[begun] == Ending.GATE)],
    )  # fmt: skip
    for start in range(first, last, CHUNK):
        end = min(start + CHUNK + 1, last)
        entry, piece, kind = _laid_out(trace, pieces, start, end)
        before, after = piece[:-1], piece[1:]
        detour = np.zeros(len(before), np.uint8)
        within = away[np.searchsorted(away, start) : np.searchsorted(away, end - 1)]
        behind_entry = np.searchsorted(entry, within, side="right") - 1
        detour[behind_entry] = [led[number] for number in within.tolist()]
        kind = kind[:-1]
        matters = (pieces.function[before] != pieces.function[after]) | (detour != 0)
        matters |= (kind == Ending.CALL) | (kind == Ending.RETURN) | (kind == Ending.GATE)
        matters |= pieces.kind[after] == Ending.GATE
        at = np.flatnonzero(matters)
        before, after = before[at], after[at]
        moments = trace.starts[entry[at + 1]] + pieces.offset[after]
        yield _Passage(*(column.tolist() for column in (
            kind[at], detour[at], pieces.last[before], pieces.behind[before],
            pieces.function[after], pieces.address[after], moments,
            pieces.kind[after] == Ending.GATE,
        )))  # fmt: skip


def _laid_out(
    trace: Trace, pieces: Stretches, start: int, end: int
) -> tuple[Places, Places, NDArray[np.uint8]]:
    """The stretches of the entries of [start, end): entry, row of the table, and their ends."""
    rows = trace.entries[start:end]
    count = pieces.count[rows]
    entry = np.repeat(np.arange(start, end), count)
    piece = np.repeat(pieces.first[rows] - (np.cumsum(count) - count), count)
    piece += np.arange(len(piece))
    kind = pieces.kind[piece]
    cuts = cuts_within(trace, start, end)
    if len(cuts):
        ran = np.repeat(trace.lengths[start:end], count)
        kept = (pieces.offset[piece] < ran) | (pieces.offset[piece] == 0)
        entry, piece, kind = entry[kept], piece[kept], kind[kept]
        kind[np.searchsorted(entry, cuts[:, 0], side="right") - 1] = Ending.NEXT
    return entry, piece, kind


# How it is put together


class _Matcher:
    """Told of passages, keeps the stack: parallel lists, the innermost run last."""

    def __init__(self, functions: Functions) -> None:
        self._functions = functions
        self._numbers: dict[tuple[int, int], int] = {}
        self._function, self._caller, self._outermost = [-1], [_ROOT], [True]
        self._above: list[frozenset[int]] = [frozenset()]
        self._paths: list[int] = []
        self._returns: list[int] = []
        self._tails: list[bool] = []
        self._runs: list[int] = []
        self._led: list[tuple[int, int, int]] = []
        """For each handler: how many are below it, and the kind and `behind` that it came after."""
        self._path, self._begin = array("q"), array("q")
        self._end, self._site = array("q"), array("Q")

    def passes(self, passage: _Passage) -> None:
        """More of the trace. A call, and a return to the caller, are nearly all there is."""
        paths, returns, tails, function_of = self._paths, self._returns, self._tails, self._function
        runs, numbers, path, begin = self._runs, self._numbers, self._path, self._begin
        end, called_by = self._end, self._site
        for kind, detour, site, behind, function, address, moment, gate in zip(
            *passage, strict=True
        ):
            if detour or gate or kind == _GATE:
                self._turns(kind, detour, site, behind, function, address, moment, gate)
            elif kind == _CALL and paths and (paths[-1], function) in numbers:
                runs.append(len(path))  # as _push does
                number = numbers[paths[-1], function]
                paths.append(number)
                returns.append(behind)
                tails.append(False)
                path.append(number)
                begin.append(moment)
                end.append(moment)
                called_by.append(site)
            elif kind == _CALL:
                self._push(function, behind, site, moment, tail=False)
            else:
                if kind == _RETURN:
                    if returns and returns[-1] == address and not tails[-1]:
                        paths.pop()
                        returns.pop()
                        tails.pop()
                        end[runs.pop()] = moment
                    else:
                        self._return(address, moment)
                if not paths or function_of[paths[-1]] != function:
                    self._move(function, address, site, moment)

    def finished(self, moment: int) -> CallStack:
        """The table, when nothing follows."""
        self._cut(0, moment)
        paths = Paths(
            np.array(self._function, np.int64),
            np.array(self._caller, np.int64),
            np.array(self._outermost, bool),
        )
        path, begin, end = (
            np.frombuffer(column, np.int64) if column else np.zeros(0, np.int64)
            for column in (self._path, self._begin, self._end)
        )
        site = np.frombuffer(self._site, np.uint64) if self._site else np.zeros(0, np.uint64)
        return CallStack(self._functions, paths, path, begin, end, site)

    def _push(self, function: int, behind: int, site: int, moment: int, *, tail: bool) -> None:
        caller = self._paths[-1] if self._paths else _ROOT
        number = self._numbers.get((caller, function))
        if number is None:
            number = self._new_path(caller, function)
        self._runs.append(len(self._path))
        self._paths.append(number)
        self._returns.append(behind)
        self._tails.append(tail)
        self._path.append(number)
        self._begin.append(moment)
        self._end.append(moment)
        self._site.append(site)

    def _new_path(self, caller: int, function: int) -> int:
        number = self._numbers[caller, function] = len(self._function)
        above = self._above[caller]
        self._function.append(function)
        self._caller.append(caller)
        self._outermost.append(function not in above)
        self._above.append(above if function in above else above | {function})
        return number

    def _cut(self, depth: int, moment: int) -> None:
        """What is above `depth` runs has ended."""
        for run in self._runs[depth:]:
            self._end[run] = moment
        for column in (self._paths, self._returns, self._tails, self._runs):
            del column[depth:]
        while self._led and self._led[-1][0] >= depth:
            self._led.pop()

    def _base(self) -> int:
        """The run that the innermost call began; jumps may have led from it to others."""
        index = len(self._tails) - 1
        while index > 0 and self._tails[index]:
            index -= 1
        return index

    def _return(self, address: int, moment: int) -> None:
        for index in range(len(self._returns) - 1, -1, -1):
            if self._returns[index] == address and not self._tails[index]:
                self._cut(index, moment)
                return

    def _move(self, function: int, address: int, site: int, moment: int) -> None:
        """To another function, not by a call."""
        lowest = max(0, self._base())
        begins = self._functions.start(function) == address
        for index in range(len(self._paths) - 1, -1, -1):
            if begins and index < lowest:
                break
            if self._function[self._paths[index]] == function:
                self._cut(index + 1, moment)
                return
        called = bool(self._paths)
        self._push(function, _NOWHERE, site if called else 0, moment, tail=called)

    def _turns(
        self, kind: int, detour: int, site: int, behind: int, function: int, address: int,
        moment: int, gate: bool,
    ) -> None:  # fmt: skip
        """What does not happen often: a gate, a handler."""
        if kind == _GATE or gate:
            self._cut(0, moment)
            if not gate:
                self._push(function, _NOWHERE, 0, moment, tail=False)
            return
        if detour & Detour.BACK:
            if not self._led:
                self._arrive(_RETURN, behind, site, function, address, moment)
                return
            depth, kind, behind = self._led[-1]
            self._cut(depth, moment)
        if detour & Detour.AWAY:
            depth = len(self._paths)
            self._push(function, _NOWHERE, 0, moment, tail=False)
            self._led.append((depth, kind, behind))
        else:
            self._arrive(kind, behind, site, function, address, moment)

    def _arrive(
        self, kind: int, behind: int, site: int, function: int, address: int, moment: int
    ) -> None:
        """What a handler had come before."""
        if kind == _CALL:
            self._push(function, behind, behind and site, moment, tail=False)
            return
        if kind == _RETURN:
            self._return(address, moment)
        if not self._paths or self._function[self._paths[-1]] != function:
            self._move(function, address, site, moment)
