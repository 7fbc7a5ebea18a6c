"""The past of a scenario or a program: any moment is reached again, and searched both ways.

It is run to its end once, and snapshots are taken on the way: at the beginning of each call, and
where it is far from one to the next. A moment is a count of instructions. It is reached by going
back to the last snapshot before it, and running so many instructions more. What is looked for (an
instruction, an access) is found in traces of pieces, from one snapshot to the next, recorded when
they are first searched.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from emu.allocators import Choice
from emu.closing import Closing
from emu.heap import Heap
from emu.process.machine import NOBODY, Machine, Snapshot
from emu.process.process import BUDGET, INTERRUPT_LENGTH, CallableProcess
from emu.process.program import Program
from emu.process.stop import Stop
from emu.process.watcher import Nobody
from emu.run import Run, play
from emu.scenario.load import load
from emu.scenario.operations import Scenario
from emu.trace.recorder import Recorder
from emu.trace.trace import Trace
from syscalls.ending import Killed

_KEPT = 8
"""Traces: enough to search around one place."""
STRIDE = 1 << 22
"""Instructions between two snapshots, at the most twice as many."""


class Piece(NamedTuple):
    """From a snapshot, by number, to the next: the instructions [began, end)."""

    number: int
    began: int
    end: int


class _Beginnings(Nobody):
    """Takes a snapshot where a call begins: everything is set up, nothing has run."""

    def __init__(self, process: CallableProcess) -> None:
        self._process = process
        self.snapshots: list[Snapshot] = []
        self.counts: list[int] = []
        self.numbers: list[int] = []
        self._number = 0

    def called(self, function: str, arguments: tuple[int, ...]) -> None:
        self._number += 1

    def begins(self) -> None:
        self.snapshots.append(self._process.snapshot())
        self.counts.append(self._process.cpu.counter.count)
        self.numbers.append(self._number)


class Timeline(Closing):
    """Stands at `now`, the number of instructions that have run; at 0 first. Close it.

    machine: what goes back. end: the last moment. signal: of which it died there, if it did.
    """

    signal: int | None = None

    def __init__(self, machine: Machine, snapshots: list[Snapshot], counts: list[int]) -> None:
        self.machine = machine
        self._first = counts[0] if counts else 0
        self._snapshots, self._counts = snapshots, [count - self._first for count in counts]
        self.end = self._elapsed()
        self._traces: OrderedDict[tuple[int, int, bool], Trace] = OrderedDict()
        self.now = 0
        if isinstance(machine.ending, Killed):
            self.signal = machine.ending.number
        if snapshots:
            self.go_to(0)

    def close(self) -> None:
        self._snapshots.clear()
        self._traces.clear()
        self.machine.close()

    def _elapsed(self) -> int:
        """Instructions since the first snapshot; a program's start-up may have been before it."""
        return self.machine.cpu.counter.count - self._first

    @property
    def is_empty(self) -> bool:
        """Whether nothing ran at all."""
        return not self._snapshots

    def where(self, moment: int) -> str:
        """A moment for people."""
        return f"+{moment}"

    def _last(self, starts: list[int], moment: int) -> int:
        """Which of the starts is the last one before the instruction at a moment."""
        return max(0, bisect_right(starts, min(moment, self.end - 1)) - 1)

    def go_to(self, moment: int) -> None:
        """The process is as it was when so many instructions had run."""
        if not 0 <= moment <= self.end:
            raise ValueError(f"{moment} is no moment: {self.end} instructions ran")
        machine = self.machine
        machine.restore(self._snapshots[self._reach(moment)])
        stop = machine.run(machine.cpu.get("rip"), moment - self._elapsed())
        while stop is Stop.BUDGET and self._elapsed() < moment:
            machine.cpu.run_part(moment - self._elapsed())
            stop = machine.run(machine.cpu.get("rip"), moment - self._elapsed())
        if stop is Stop.HALTED and machine.way_out:
            machine.cpu.set("rip", machine.way_out - INTERRUPT_LENGTH)  # it will leave
        self.now = moment

    def _reach(self, moment: int) -> int:
        """The last snapshot before a moment. Where it is far away, more are taken on the way."""
        index = self._last(self._counts, moment)
        machine = self.machine
        while self._length(index) > 2 * STRIDE and moment - self._counts[index] > STRIDE:
            machine.restore(self._snapshots[index])
            machine.run(machine.cpu.get("rip"), STRIDE)
            index += 1
            self._snapshots.insert(index, machine.snapshot())
            self._counts.insert(index, self._elapsed())
        return index

    def _length(self, index: int) -> int:
        """Instructions from one snapshot to the next."""
        end = self._counts[index + 1] if index + 1 < len(self._counts) else self.end
        return end - self._counts[index]

    # Searching

    def piece_at(self, moment: int) -> Piece:
        """The piece that the instruction at a moment is in."""
        index = self._reach(moment)
        began = self._counts[index]
        return Piece(index, began, began + self._length(index))

    def ahead(self, moment: int) -> Iterator[Piece]:
        """Pieces from the one with the instruction at a moment to the end."""
        while moment < self.end:
            piece = self.piece_at(moment)
            yield piece
            moment = piece.end

    def behind(self, moment: int) -> Iterator[Piece]:
        """Pieces from the one with the instruction before a moment back to the beginning."""
        while moment > 0:
            piece = self.piece_at(moment - 1)
            yield piece
            moment = piece.began

    def trace(self, piece: Piece, *, accesses: bool) -> Trace:
        """What ran in a piece; its moments count from where the piece began."""
        key = piece.began, piece.end, accesses
        made = self._traces.get(key)
        if made is None:
            made = self._traces[key] = self._recorded(piece, accesses)
            if len(self._traces) > _KEPT:
                self._traces.popitem(last=False)
        return made

    def _recorded(self, piece: Piece, accesses: bool) -> Trace:
        machine = self.machine
        machine.restore(self._snapshots[piece.number])
        recorder = Recorder(machine, accesses=accesses)
        with recorder:
            machine.run(machine.cpu.get("rip"), piece.end - piece.began)
        trace = recorder.trace
        self.go_to(self.now)
        return trace


class ScenarioTimeline(Timeline):
    """Of a scenario. run: what came of it. InputError where there is none."""

    def __init__(
        self,
        scenario: Scenario | Path | str,
        allocator: str | Path | Choice = "osmem",
        *,
        budget: int = BUDGET,
    ) -> None:
        if not isinstance(scenario, Scenario):
            scenario = load(scenario)
        self.heap = Heap(allocator, budget=budget)
        beginnings = _Beginnings(self.heap.process)
        self.heap.process.watcher = beginnings
        self.run: Run = play(scenario, self.heap)
        self.heap.process.watcher = NOBODY
        super().__init__(self.heap.process, beginnings.snapshots, beginnings.counts)
        self._numbers, self._call_starts = beginnings.numbers, list(self._counts)

    def where(self, moment: int) -> str:
        """#12 +345: by call and instruction; what the program writes is of the call before."""
        call = self._last(self._call_starts, moment)
        return f"#{self._numbers[call]} +{moment - self._call_starts[call]}"


class ProgramTimeline(Timeline):
    """Of a program that has been loaded. SnapshotError where it cannot be taken back.

    Its standard files must be such as can be read again (Replayed, Capture).
    """

    def __init__(self, program: Program) -> None:
        snapshots, counts, stop = [], [], Stop.BUDGET
        counter = program.cpu.counter
        while stop is Stop.BUDGET and counter.count < program.budget:
            snapshots.append(program.snapshot())
            counts.append(counter.count)
            left = program.budget - counter.count
            stop = program.run(program.cpu.get("rip"), min(STRIDE, left))
        super().__init__(program, snapshots, counts)
