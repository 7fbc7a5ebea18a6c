"""The past of a scenario: any moment of it is reached again, and searched in both directions.

The scenario is run to its end once; a snapshot is taken at the beginning of each call. A moment is
a count of instructions. It is reached by going back to the last snapshot before it, and running so
many instructions more; long calls get more snapshots on the way. What is looked for (an
instruction, an access) is found in traces from one snapshot to the next, recorded when they are
first searched.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path

from emu.closing import Closing
from emu.heap import Heap
from emu.process.machine import Snapshot
from emu.process.process import INTERRUPT_LENGTH
from emu.process.stop import Stop
from emu.process.watcher import Nobody
from emu.run import Run, play
from emu.scenario.load import load
from emu.scenario.operations import Scenario
from emu.trace.recorder import Recorder
from emu.trace.trace import Trace

_KEPT = 8
"""Traces: enough to search around one place."""
STRIDE = 1 << 22
"""Instructions between two snapshots, at the most twice as many."""

Search = Callable[[Trace], list[int]]
"""Which instructions of a trace are looked for, in order."""


class _Beginnings(Nobody):
    """Takes a snapshot where a call begins: everything is set up, nothing has run."""

    def __init__(self, heap: Heap) -> None:
        self._heap = heap
        self.snapshots: list[Snapshot] = []
        self.counts: list[int] = []
        self.numbers: list[int] = []
        self._number = 0

    def called(self, function: str, arguments: tuple[int, ...]) -> None:
        self._number += 1

    def begins(self) -> None:
        process = self._heap.process
        self.snapshots.append(process.snapshot())
        self.counts.append(process.cpu.counter.count)
        self.numbers.append(self._number)


class Timeline(Closing):
    """Stands at `now`, the number of instructions that have run; at 0 first. Close it.

    run: what came of the scenario. end: the last moment. InputError where there is no scenario.
    """

    def __init__(self, scenario: Scenario | Path | str, allocator: str | Path = "osmem") -> None:
        if not isinstance(scenario, Scenario):
            scenario = load(scenario)
        self.heap = Heap(allocator)
        self.process = self.heap.process
        beginnings = _Beginnings(self.heap)
        self.process.watcher = beginnings
        self.run: Run = play(scenario, self.heap)
        self.process.watcher = Nobody()
        self._snapshots, self._counts = beginnings.snapshots, beginnings.counts
        self._numbers, self._call_starts = beginnings.numbers, list(beginnings.counts)
        self.end = self.process.cpu.counter.count
        self._traces: OrderedDict[tuple[int, int, bool], Trace] = OrderedDict()
        self.now = 0
        if self._snapshots:
            self.go_to(0)

    def close(self) -> None:
        self._snapshots.clear()
        self._traces.clear()
        self.heap.close()

    @property
    def is_empty(self) -> bool:
        """Whether nothing ran at all."""
        return not self._snapshots

    def where(self, moment: int) -> str:
        """A moment as #12 +345: by call and instruction.

        What the program itself writes belongs to the call before.
        """
        call = self._last(self._call_starts, moment)
        return f"#{self._numbers[call]} +{moment - self._call_starts[call]}"

    def _last(self, starts: list[int], moment: int) -> int:
        """Which of the starts is the last one before the instruction at a moment."""
        return max(0, bisect_right(starts, min(moment, self.end - 1)) - 1)

    def go_to(self, moment: int) -> None:
        """The process is as it was when so many instructions had run."""
        if not 0 <= moment <= self.end:
            raise ValueError(f"{moment} is no moment: the scenario ran {self.end} instructions")
        process = self.process
        process.restore(self._snapshots[self._reach(moment)])
        left = moment - process.cpu.counter.count
        stop = process.run(process.cpu.get("rip"), left)
        if stop is Stop.HALTED and process.way_out:
            process.cpu.set("rip", process.way_out - INTERRUPT_LENGTH)  # it will leave
        missing = moment - process.cpu.counter.count
        if stop is Stop.BUDGET and missing:
            process.cpu.run_part(missing)
        self.now = moment

    def _reach(self, moment: int) -> int:
        """The last snapshot before a moment. Where it is far away, more are taken on the way."""
        index = self._last(self._counts, moment)
        process = self.process
        while self._length(index) > 2 * STRIDE and moment - self._counts[index] > STRIDE:
            process.restore(self._snapshots[index])
            process.run(process.cpu.get("rip"), STRIDE)
            index += 1
            self._snapshots.insert(index, process.snapshot())
            self._counts.insert(index, process.cpu.counter.count)
        return index

    def _length(self, index: int) -> int:
        """Instructions from one snapshot to the next."""
        end = self._counts[index + 1] if index + 1 < len(self._counts) else self.end
        return end - self._counts[index]

    # Searching

    def first_after(self, moment: int, search: Search, *, accesses: bool) -> int | None:
        """The first instruction at `moment` or later that is looked for; None where none is."""
        while moment < self.end:
            index = self._reach(moment)
            found = [m for m in self._found(index, search, accesses) if m >= moment]
            if found:
                return found[0]
            moment = self._counts[index] + self._length(index)
        return None

    def last_before(self, moment: int, search: Search, *, accesses: bool) -> int | None:
        """The last instruction before `moment` that is looked for; None where none is."""
        while moment > 0:
            index = self._reach(moment - 1)
            found = [m for m in self._found(index, search, accesses) if m < moment]
            if found:
                return found[-1]
            moment = self._counts[index]
        return None

    def _found(self, index: int, search: Search, accesses: bool) -> Iterator[int]:
        began = self._counts[index]
        return (began + found for found in search(self._trace(index, accesses)))

    def _trace(self, index: int, accesses: bool) -> Trace:
        """From a snapshot to the next."""
        key = self._counts[index], self._length(index), accesses
        made = self._traces.get(key)
        if made is None:
            made = self._traces[key] = self._recorded(index, accesses)
            if len(self._traces) > _KEPT:
                self._traces.popitem(last=False)
        return made

    def _recorded(self, index: int, accesses: bool) -> Trace:
        process = self.process
        process.restore(self._snapshots[index])
        recorder = Recorder(process, accesses=accesses, sources=process.sources)
        with recorder:
            process.run(process.cpu.get("rip"), self._length(index))
        trace = recorder.trace
        self.go_to(self.now)
        return trace
