"""What recording costs: guest code that is watched, against the same code unwatched."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from random import Random
from time import process_time
from typing import Protocol

from emu.process.process import Process
from emu.process.replay import Planned, replay
from emu.trace.recorder import Recorder
from emu.trace.trace import Trace
from tests.bench.bare_replay import OSMEM, in_ours, in_unicorn
from tests.bench.bench_guest import LOOP
from tests.bench.engines import Engine, pieces
from tests.bench.measure import Figure, seconds

_TURNS, _FEW_TURNS, _FEWEST_TURNS = 3_000_000, 200_000, 50_000
"""Of the loop; where each instruction calls Python; where registers are recorded."""
_CALLS, _FEW_CALLS, _FEWEST_CALLS = 4000, 2500, 700
_ROUNDS, _SLOW_ROUNDS = 9, 3
_ALLOCATING = 0.7
"""Of the calls, so that the heap grows."""
_HOOK = "an empty hook in Python"


def figures() -> list[Figure]:
    with Process(LOOP) as process:
        turns = _compared(_Loop(process), _TURNS, _FEW_TURNS, _FEWEST_TURNS)
    return [*turns, *_compared(_Osmem(), _CALLS, _FEW_CALLS, _FEWEST_CALLS), _ceiling()]


def _ceiling() -> Figure:
    """osmem reads, and hardly writes: there is little that a virtual TLB could make faster."""
    osmem = _Osmem()
    virtual, default = _seconds(
        lambda: osmem.virtual(_CALLS), lambda: osmem.default(_CALLS), rounds=_ROUNDS
    )
    made = len(osmem.recorded(_CALLS))
    what = f"{osmem.what}, a bare engine in virtual TLB mode"
    return Figure(what, f"{made / virtual / 1e6:.0f} M/s", default / virtual, "default Unicorn")


class _Subject(Protocol):
    """Guest code of a given length: turns of a loop, or calls."""

    what: str

    def bare(self, length: int) -> object: ...

    def default(self, length: int) -> object:
        """In Unicorn as it comes."""

    def hooked(self, length: int) -> object:
        """There, with an instruction hook in Python that does nothing."""

    def recorded(self, length: int, **what: bool) -> Trace: ...


def _compared(subject: _Subject, many: int, few: int, fewest: int) -> list[Figure]:
    """Lengths: for what is fast, for accesses, for registers."""

    def recorded(length: int, **what: bool) -> Callable[[], object]:
        return lambda: subject.recorded(length, **what)

    bare, default, blocks = _seconds(
        lambda: subject.bare(many), lambda: subject.default(many), recorded(many), rounds=_ROUNDS
    )
    (hooked,) = _seconds(lambda: subject.hooked(few), rounds=_SLOW_ROUNDS)
    # not in turns: who runs between gets the memory that a recording gave back, and whoever
    # touches new memory waits for the host
    (accesses,) = _seconds(recorded(few, accesses=True), rounds=_ROUNDS)
    few_hooked, registers, both = _seconds(
        lambda: subject.hooked(fewest),
        recorded(fewest, registers=True),
        recorded(fewest, registers=True, accesses=True),
        rounds=_SLOW_ROUNDS,
    )
    made = {length: len(subject.recorded(length)) for length in (many, few, fewest)}

    def figure(
        name: str, length: int, taken: float, ratio: float, against: str, goal: float = 0
    ) -> Figure:
        speed = f"{made[length] / taken / 1e6:.0f} M/s"
        told = f">= {goal}" if goal else ""
        return Figure(f"{subject.what}, {name}", speed, ratio, against, told, ratio >= goal)

    return [
        figure("unwatched", many, bare, default / bare, "default Unicorn", 3),
        figure("instructions", many, blocks, bare / blocks, "unwatched", 0.6),
        figure("and accesses", few, accesses, hooked / accesses, _HOOK, 10),
        figure("and registers", fewest, registers, few_hooked / registers, _HOOK),
        figure("and both", fewest, both, few_hooked / both, _HOOK),
    ]


def _seconds(*variants: Callable[[], object], rounds: int) -> list[float]:
    return seconds(*variants, rounds=rounds, clock=process_time)


class _Loop:
    what = "loads and stores"

    def __init__(self, process: Process) -> None:
        self._process = process
        self._function = LOOP.symbols["f"]
        self._default, self._hooked = Engine(pieces(LOOP)), Engine(pieces(LOOP))
        self._hooked.hook_instructions()

    def bare(self, length: int) -> object:
        return self._process.call(self._function, length)

    def default(self, length: int) -> object:
        return self._default.call(self._function, length)

    def hooked(self, length: int) -> object:
        return self._hooked.call(self._function, length)

    def recorded(self, length: int, **what: bool) -> Trace:
        with Recorder(self._process, **what) as recorder:
            self._process.call(self._function, length)
        return recorder.trace


class _Osmem:
    """The calls of a trace, made by a loop in the guest: between them nothing is the host's."""

    what = "osmem, a real trace"

    def bare(self, length: int) -> list[int]:
        return in_ours(_table(length))

    def default(self, length: int) -> list[int]:
        return in_unicorn(_table(length))

    def hooked(self, length: int) -> list[int]:
        return in_unicorn(_table(length), hooked=True)

    def virtual(self, length: int) -> list[int]:
        """The virtual TLB alone: what is most to be had by it."""
        return in_unicorn(_table(length), virtual=True)

    def recorded(self, length: int, **what: bool) -> Trace:
        with Process(OSMEM) as process:
            with Recorder(process, **what) as recorder:
                replay(process, _table(length))
            return recorder.trace


@cache
def _table(calls: int) -> list[Planned]:
    """Mallocs and frees as a trace of the malloc lab has them, on a heap that grows."""
    random = Random(calls)
    malloc, free = OSMEM.symbols["os_malloc"], OSMEM.symbols["os_free"]
    live: list[int] = []
    table: list[Planned] = []
    for number in range(calls):
        if not live or random.random() < _ALLOCATING:
            live.append(number)
            table.append(Planned(malloc, random.randrange(8, 600)))
        else:
            table.append(Planned(free, of=live.pop(random.randrange(len(live)))))
    return table
