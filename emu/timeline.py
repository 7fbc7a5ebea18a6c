"""The past of a scenario: any moment of it is reached again, and searched in both directions.

The scenario is run to its end once; a snapshot is taken at the beginning of each call. A moment is
a count of instructions. It is reached by going back to the last snapshot before it, and running so
many instructions more. What is looked for (an instruction, an access) is found in the traces of
the calls, recorded when they are first searched.
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
"""Traces of calls: enough to search around one place."""

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
        self._numbers = beginnings.numbers
        self.end = self.process.cpu.counter.count
        self._traces: OrderedDict[tuple[int, bool], Trace] = OrderedDict()
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
        call = self._call_at(moment)
        return f"#{self._numbers[call]} +{moment - self._counts[call]}"

    def _call_at(self, moment: int) -> int:
        """The call, or the program's own writing, that the instruction at a moment is of."""
        return max(0, bisect_right(self._counts, min(moment, self.end - 1)) - 1)

    def go_to(self, moment: int) -> None:
        """The process is as it was when so many instructions had run."""
        if not 0 <= moment <= self.end:
            raise ValueError(f"{moment} is no moment: the scenario ran {self.end} instructions")
        call = self._call_at(moment)
        process = self.process
        process.restore(self._snapshots[call])
        left = moment - self._counts[call]
        stop = process.run(process.cpu.get("rip"), left)
        if stop is Stop.HALTED and process.way_out:
            process.cpu.set("rip", process.way_out - INTERRUPT_LENGTH)  # it will leave
        missing = moment - process.cpu.counter.count
        if stop is Stop.BUDGET and missing:
            process.cpu.run_part(missing)
        self.now = moment

    # Searching

    def first_after(self, moment: int, search: Search, *, accesses: bool) -> int | None:
        """The first instruction at `moment` or later that is looked for; None where none is."""
        for call in range(self._call_at(moment), len(self._counts)):
            found = [m for m in self._found(call, search, accesses) if m >= moment]
            if found:
                return found[0]
        return None

    def last_before(self, moment: int, search: Search, *, accesses: bool) -> int | None:
        """The last instruction before `moment` that is looked for; None where none is."""
        for call in range(self._call_at(moment), -1, -1):
            found = [m for m in self._found(call, search, accesses) if m < moment]
            if found:
                return found[-1]
        return None

    def _found(self, call: int, search: Search, accesses: bool) -> Iterator[int]:
        began = self._counts[call]
        return (began + found for found in search(self._trace(call, accesses)))

    def _trace(self, call: int, accesses: bool) -> Trace:
        made = self._traces.get((call, accesses))
        if made is None:
            made = self._traces[call, accesses] = self._recorded(call, accesses)
            if len(self._traces) > _KEPT:
                self._traces.popitem(last=False)
        return made

    def _recorded(self, call: int, accesses: bool) -> Trace:
        process = self.process
        ends = self._counts[call + 1] if call + 1 < len(self._counts) else self.end
        process.restore(self._snapshots[call])
        recorder = Recorder(process, accesses=accesses, sources=process.sources)
        with recorder:
            process.run(process.cpu.get("rip"), ends - self._counts[call])
        trace = recorder.trace
        self.go_to(self.now)
        return trace
