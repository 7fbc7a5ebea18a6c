"""The recorder: what a machine's probes and its kernel tell, gathered to a Trace."""

from __future__ import annotations

from dataclasses import replace
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from emu.process.event import (
    Called,
    Effect,
    Event,
    Faulted,
    Interrupted,
    PageFaulted,
    Returned,
    SystemCalled,
)
from emu.process.machine import NOBODY, Machine
from emu.process.slots import UNKNOWN
from emu.process.sources import Sources
from emu.process.stop import Access
from emu.trace.accesses import AccessRecords
from emu.trace.blocks import Blocks, Places
from emu.trace.entries import Entries
from emu.trace.steps import StepRecords
from emu.trace.trace import REGISTERS, Registers, Trace
from syscalls import SystemCall

_Block = tuple[int, int, bytes]
"""Address, instructions, code."""


class Recorder:
    """Records a machine from `start` to `stop`; a context manager does both.

        with Recorder(process, accesses=True) as recorder:
            process.call("os_malloc", 100)
        recorder.trace

    Costs nothing before and after. accesses, registers: those too, not only instructions and
    events; registers take 152 bytes an instruction, and 144 more in the trace. sources: what is
    known of the code. Not while the machine runs.
    """

    def __init__(
        self,
        machine: Machine,
        *,
        accesses: bool = False,
        registers: bool = False,
        sources: Sources | None = None,
    ) -> None:
        self._machine = machine
        self._sources = sources or Sources()
        self._rows: dict[_Block, int] = {}
        self._entries = Entries()
        self._cuts: list[tuple[int, int]] = []
        self._accesses = AccessRecords() if accesses else None
        self._steps = StepRecords() if registers else None
        self._after: Registers | None = None
        self._events: list[Event] = []
        self._effects: list[Effect] = []
        self._changed_at = 0, 0, 0
        self._first_count = self._calls = 0

    @property
    def records_accesses(self) -> bool:
        return self._accesses is not None

    @property
    def calls(self) -> int:
        """Calls of the allocator so far."""
        return self._calls

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """From now on it records."""
        cpu = self._machine.cpu
        self._first_count = cpu.counter.count
        on_accesses = self._accesses.append if self._accesses else None
        cpu.record(self, on_accesses, self._steps.append if self._steps else None)
        self._machine.watcher = self._machine.memory.watcher = self

    def stop(self) -> None:
        """What happens from now on is not in the trace."""
        self._after = self._registers_now()
        self._interrupted()
        self._machine.watcher = NOBODY
        self._machine.memory.watcher = None
        self._machine.cpu.record(None)

    # What the counter tells

    def learned(self, number: int, address: int, size: int, instructions: int) -> None:
        """A block was translated, and has a number from now on."""
        if instructions >= UNKNOWN:
            return  # it will not be entered as it stands
        code = self._machine.cpu.read_code(address, size)
        row = self._rows.setdefault((address, instructions, code), len(self._rows))
        self._entries.learn(number, row)

    def entered(self, numbers: memoryview) -> None:
        """Blocks were entered, in order."""
        self._entries.append(numbers)

    def cut(self, instructions: int) -> None:
        """So many of the last block entered did not run."""
        self._cuts.append((len(self._entries) - 1, instructions))

    def _registers_now(self) -> Registers | None:
        if self._steps is None:
            return None
        state = self._machine.cpu.state()
        return np.array(tuple(map(state.__getitem__, REGISTERS.names or ())), REGISTERS)

    # What the machine tells

    def called(self, function: str, arguments: tuple[int, ...]) -> None:
        """The program is about to call a function."""
        self._interrupted()
        self._calls += 1
        self._events.append(Called(*self._now(), self._calls, function, arguments))

    def begins(self) -> None:
        """The call is set up."""
        last = self._events[-1] if self._events else None
        if isinstance(last, Called) and not last.effects:
            self._events[-1] = replace(last, effects=self._taken())
        self._interrupted()

    def returned(self, result: int) -> None:
        """It came back."""
        self._interrupted()
        self._events.append(Returned(*self._now(), self._calls, result))

    def asked(self) -> None:
        """A system call begins."""
        self._interrupted()

    def answered(self, call: SystemCall) -> None:
        """It was answered."""
        self._events.append(SystemCalled(*self._now(), call, self._taken()))

    def faulted(self, rip: int, what: str, address: int | None) -> None:
        """An exception of the CPU."""
        self._interrupted()
        self._events.append(Faulted(*self._now(), rip, what, address))

    # What the memory tells

    def changed(self, effect: Effect) -> None:
        """Something is done to memory."""
        if not self._effects:
            self._changed_at = self._now()
        self._effects.append(effect)

    def walking(self) -> None:
        """The CPU asks for a page: what was done before was not for that."""
        self._interrupted()

    def walked(self, page: int, access: int, *, new: bool) -> None:
        """It was given one. The block has been counted whole, and a store been told of."""
        if new or self._effects:
            at, entry, accesses = self._now()
            if access != Access.EXECUTE and entry:
                at, entry = at - self._machine.cpu.counter.length, entry - 1
            accesses -= access == Access.WRITE and accesses > 0
            kind, effects = str(Access(access)), self._taken()
            self._events.append(PageFaulted(at, entry, accesses, page, kind, effects))

    def _interrupted(self) -> None:
        """What was done to memory was no system call's."""
        if self._effects:
            self._events.append(Interrupted(*self._changed_at, self._taken()))

    def _taken(self) -> tuple[Effect, ...]:
        taken = tuple(self._effects)
        self._effects.clear()
        return taken

    def _now(self) -> tuple[int, int, int]:
        counter, probe = self._machine.cpu.counter, self._machine.cpu.probes.accesses
        return counter.count - self._first_count, counter.entered, probe.made if probe else 0

    # The trace

    @property
    def trace(self) -> Trace:
        """What was recorded so far."""
        self._machine.cpu.counter.drain()
        self._interrupted()
        entries, blocks = self._entries.rows, self._blocks()
        cuts = self._cut_entries(blocks, entries)
        events = tuple(self._events)
        trace = Trace(blocks, entries, cuts, None, events, self._sources)
        if self._accesses:
            accesses, dropped = self._accesses.of(trace)
            trace = replace(trace, accesses=accesses, events=_counted_anew(events, dropped))
        if self._steps is None:
            return trace
        after = self._registers_now() if self._after is None else self._after
        return replace(trace, registers=self._steps.of(trace), registers_after=after)

    def _blocks(self) -> Blocks:
        address, instructions, code = zip(*self._rows, strict=True) if self._rows else ((), (), ())
        counts = np.array(instructions, np.int64)
        return Blocks(np.array(address, np.uint64), counts, tuple(code))

    def _cut_entries(self, blocks: Blocks, entries: NDArray[np.uint32]) -> Places:
        cuts = np.array(self._cuts, np.int64).reshape(-1, 2)
        cuts[:, 1] = blocks.instructions[entries[cuts[:, 0]]] - cuts[:, 1]
        return cuts


def _counted_anew(events: tuple[Event, ...], dropped: Places) -> tuple[Event, ...]:
    """Events with the number of accesses that were kept before them."""
    told = np.array([event.accesses for event in events], np.int64)
    kept = told - np.searchsorted(dropped, told)
    return tuple(
        replace(event, accesses=count) for event, count in zip(events, kept.tolist(), strict=True)
    )
