"""What recording costs: guest code that is watched, against the same code unwatched."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from time import process_time

from asm.assembler import assemble_cached
from asm.source import PACKAGE
from emu.process.process import Process
from emu.trace.recorder import Recorder
from emu.trace.trace import Trace
from tests.bench.bench_guest import LOOP
from tests.bench.engines import Engine, pieces
from tests.bench.measure import Figure, seconds

_OSMEM = assemble_cached(PACKAGE / "osmem" / "osmem.s")
_TURNS, _FEW_TURNS = 3_000_000, 200_000
"""Of the loop; where each instruction calls Python."""
_CALLS, _FEW_CALLS = 4000, 2500
_ROUNDS, _SLOW_ROUNDS = 9, 3
_HEAP_ROOM = 16 << 20
_ALLOCATING = 0.7
"""Of the calls, so that the heap grows."""

Workload = Callable[[Callable[..., int]], list[int]]
"""Makes its calls by a function that calls the guest: what malloc answered."""


def figures() -> list[Figure]:
    return [*_of_loop(), *_of_osmem()]


def _of_loop() -> list[Figure]:
    function = LOOP.symbols["f"]
    default, hooked = Engine(pieces(LOOP)), Engine(pieces(LOOP))
    hooked.hook_instructions()
    with Process(LOOP) as process:

        def bare(turns: int) -> Callable[[], object]:
            return lambda: process.call(function, turns)

        def recorded(turns: int, **what: bool) -> Callable[[], object]:
            def run() -> Trace:
                with Recorder(process, **what) as recorder:
                    process.call(function, turns)
                return recorder.trace

            return run

        return _compared(
            "the loop",
            12 * _TURNS,
            12 * _FEW_TURNS,
            [bare(_TURNS), lambda: default.call(function, _TURNS), recorded(_TURNS)],
            [
                lambda: hooked.call(function, _FEW_TURNS),
                recorded(_FEW_TURNS, accesses=True),
                recorded(_FEW_TURNS, registers=True),
                recorded(_FEW_TURNS, registers=True, accesses=True),
            ],
        )


def _of_osmem() -> list[Figure]:
    many, few = _workload(_CALLS), _workload(_FEW_CALLS)
    assert _bare(many) == _default(many), "the two heaps differ"
    return _compared(
        f"osmem, {_CALLS} calls",
        _instructions(many),
        _instructions(few),
        [lambda: _bare(many), lambda: _default(many), lambda: _recorded(many)],
        [
            lambda: _default(few, hooked=True),
            lambda: _recorded(few, accesses=True),
            lambda: _recorded(few, registers=True),
            lambda: _recorded(few, registers=True, accesses=True),
        ],
    )


def _compared(
    what: str,
    instructions: int,
    few_instructions: int,
    fast: list[Callable[[], object]],
    slow: list[Callable[[], object]],
) -> list[Figure]:
    """fast: bare, default Unicorn, by blocks. slow: a hook in Python, and what records more."""
    bare, default, blocks = seconds(*fast, rounds=_ROUNDS, clock=process_time)
    hooked, *recorded = seconds(*slow, rounds=_SLOW_ROUNDS, clock=process_time)
    of_default, of_bare = default / bare, bare / blocks
    speed = f"{instructions / bare / 1e6:.0f} M/s"
    traced = f"{instructions / blocks / 1e6:.0f} M/s"
    found = [
        Figure(f"{what}: unwatched", speed, of_default, "default Unicorn", ">= 3", of_default >= 3),
        Figure(f"{what}: instructions", traced, of_bare, "unwatched", ">= 0.6", of_bare >= 0.6),
    ]
    goals = (10, 0, 0)
    names = ("and accesses", "and registers", "and both")
    for name, taken, goal in zip(names, recorded, goals, strict=True):
        times = hooked / taken
        told = f">= {goal}" if goal else ""
        value = f"{few_instructions / taken / 1e6:.1f} M/s"
        against = "an empty instruction hook in Python"
        found.append(Figure(f"{what}: {name}", value, times, against, told, times >= goal))
    return found


def _workload(calls: int) -> Workload:
    """Mallocs and frees as a trace of the malloc lab has them, on a heap that grows."""
    random = Random(calls)
    chosen = [
        (random.random() < _ALLOCATING, random.randrange(8, 600), random.random())
        for _ in range(calls)
    ]
    malloc, free = _OSMEM.symbols["os_malloc"], _OSMEM.symbols["os_free"]

    def play(call: Callable[..., int]) -> list[int]:
        live: list[int] = []
        answers: list[int] = []
        for allocates, size, which in chosen:
            if allocates or not live:
                live.append(call(malloc, size))
                answers.append(live[-1])
            else:
                call(free, live.pop(int(which * len(live))))
        return answers

    return play


def _bare(workload: Workload) -> list[int]:
    with Process(_OSMEM) as process:
        return workload(lambda *call: process.call(*call).result)


def _recorded(workload: Workload, **what: bool) -> Trace:
    with Process(_OSMEM) as process:
        with Recorder(process, **what) as recorder:
            workload(lambda *call: process.call(*call).result)
        return recorder.trace


def _instructions(workload: Workload) -> int:
    return len(_recorded(workload))


def _default(workload: Workload, *, hooked: bool = False) -> list[int]:
    with Process(_OSMEM) as process:
        start = process.kernel.space.heap_start
    engine = Engine([*pieces(_OSMEM), (start, bytes(_HEAP_ROOM), False)])
    engine.answer_brk(start)
    if hooked:
        engine.hook_instructions()
    return workload(engine.call)
