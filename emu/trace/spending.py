"""What calls of the allocator cost while somebody looks: by their own counts, or by a recorder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from emu.errors import GuestDied, SnapshotError
from emu.process.event import Call, PageFaulted
from emu.process.machine import Snapshot
from emu.process.process import CallableProcess
from emu.trace.costs import Cost, costs
from emu.trace.hot_lines import HotLine, hot_lines
from emu.trace.recorder import Recorder
from emu.trace.trace import Span, Trace

_EXECUTE = "execute"


@dataclass(frozen=True, slots=True)
class Spent:
    """A call, by its number, and what it cost, by counter."""

    index: int
    name: str
    args: tuple[int, ...]
    counts: Mapping[str, int]


class Spending(Protocol):
    """Begins when it is made."""

    def end(self) -> tuple[Spent, ...]:
        """The calls since then."""

    def lines(self, of: Sequence[Spent]) -> Counter[HotLine] | None:
        """How many instructions ran of each line in some of them; None where that is not known."""


class Unrecorded:
    """Instructions and system calls, which a call knows of itself. Costs a snapshot.

    To tell lines, the calls are made once more, from the snapshot. made: the heap's calls so far.
    """

    def __init__(self, process: CallableProcess, made: Callable[[], Sequence[Call]]) -> None:
        self._process, self._made, self._first = process, made, len(made())
        self._before: Snapshot | None = None
        with suppress(SnapshotError):
            self._before = process.snapshot()

    @property
    def _calls(self) -> Sequence[Call]:
        return self._made()[self._first :]

    def end(self) -> tuple[Spent, ...]:
        return tuple(
            Spent(
                call.index, call.name, call.args,
                {"instructions": call.instructions, "syscalls": len(call.syscalls)},
            )
            for call in self._calls
        )  # fmt: skip

    def lines(self, of: Sequence[Spent]) -> Counter[HotLine] | None:
        calls, trace = self._calls, self._made_again()
        if trace is None or _lengths(trace.calls) != _lengths(calls):
            return None  # something else mattered: what was written between the calls
        wanted = {one.index for one in of}
        pairs = zip(trace.calls, calls, strict=True)
        return hot_lines(trace, [span for span, call in pairs if call.index in wanted])

    def _made_again(self) -> Trace | None:
        process = self._process
        if self._before is None or process.closed or process.cpu.counter.recording:
            return None
        now = process.snapshot()
        process.restore(self._before)
        try:
            with Recorder(process, sources=process.sources) as recorder:
                for call in self._calls:
                    process.call(call.name, *call.args)
        except GuestDied:
            return None
        finally:
            process.restore(now)
        return recorder.trace


def _lengths(calls: Sequence[Span] | Sequence[Call]) -> list[int]:
    return [call.instructions for call in calls]


class Recorded:
    """All counters, by a recorder that is running, or by one of its own. end: at most once."""

    def __init__(
        self, process: CallableProcess, made: int, running: Recorder | None = None
    ) -> None:
        self._running = running
        self._recorder = running or Recorder(process, accesses=True, sources=process.sources)
        if running is None:
            self._recorder.start()
        self._first = self._recorder.calls
        self._offset = made - self._first

    def end(self) -> tuple[Spent, ...]:
        if self._running is None:
            self._recorder.stop()
        self._trace = self._recorder.trace
        found = costs(self._trace)[self._first :]
        return tuple(self._spent(cost, cost.span) for cost in found if cost.span)

    def lines(self, of: Sequence[Spent]) -> Counter[HotLine] | None:
        wanted = {one.index - self._offset for one in of}
        return hot_lines(self._trace, [s for s in self._trace.calls if s.index in wanted])

    def _spent(self, cost: Cost, span: Span) -> Spent:
        faults = sum(
            span.first <= event.at < span.last and event.access != _EXECUTE
            for event in self._trace.of_kind(PageFaulted)
        )
        counts = {"instructions": cost.instructions, "faults": faults, "syscalls": cost.syscalls}
        if cost.reads is not None and cost.writes is not None:
            counts["accesses"] = cost.reads + cost.writes
        if cost.lines is not None and cost.pages is not None:
            counts |= {"lines": cost.lines, "pages": cost.pages}
        return Spent(span.index + self._offset, span.called.name, span.called.args, counts)
