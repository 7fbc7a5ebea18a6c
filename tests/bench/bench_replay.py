"""What a replay takes: a trace of the malloc lab, in the guest, against Unicorn as it comes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from random import Random
from time import process_time

from emu import Heap
from emu.bench.bench import bench, functions_of
from emu.bench.plan import plan, table
from emu.process.process import Process
from emu.process.replay import Planned
from emu.scenario import rep
from emu.scenario.operations import Scenario
from tests.bench.bare_replay import OSMEM, in_ours, in_unicorn
from tests.bench.measure import Figure, seconds

_CALLS = 10_000
_LIVE = 300
"""Blocks in use at a time, more or less."""
_ROUNDS = 5


def figures() -> list[Figure]:
    bare, untraced, counted, whole = _seconds(
        lambda: in_unicorn(_table()), lambda: in_ours(_table()), _counted, _whole
    )
    what = f"{_CALLS} calls"
    seconds_ = "in under 1 s"
    return [
        Figure(f"{what}, untraced", f"{untraced:.2f} s", untraced / bare, "bare engine",
               "<= 2", untraced <= 2 * bare),
        Figure(f"{what}, instructions of each", f"{counted:.2f} s", counted / bare, "bare engine",
               seconds_, counted < 1),
        Figure(f"{what}, accesses and lines too", f"{whole:.2f} s", whole / bare, "bare engine"),
        _one_by_one(),
    ]  # fmt: skip


def _seconds(*variants: Callable[[], object]) -> list[float]:
    return seconds(*variants, rounds=_ROUNDS, clock=process_time)


def _counted() -> object:
    return bench(_scenario(), accesses=False)


def _whole() -> object:
    return bench(_scenario())


def _one_by_one() -> Figure:
    """What the loop in the guest saves: a way to the host and back for each call."""

    def calls() -> None:
        with Process(OSMEM) as process:
            answers: list[int] = []
            for call in _table():
                first = call.first if call.of is None else answers[call.of]
                answers.append(process.call(call.function, first).result)

    apart, together = _seconds(calls, lambda: in_ours(_table()))
    return Figure(f"{_CALLS} calls from Python", f"{apart:.2f} s", apart / together, "replayed")


def _scenario() -> Scenario:
    return _made(_CALLS, _LIVE)


@cache
def _made(calls: int, most: int) -> Scenario:
    random, live, lines = Random(calls), list[int](), list[str]()
    for number in range(calls):
        if len(live) < most or random.random() < 0.5:
            lines.append(f"a {number} {random.randrange(8, 4000)}")
            live.append(number)
        else:
            lines.append(f"f {live.pop(random.randrange(len(live)))}")
    return Scenario("lab", "lab.rep", rep.parse("\n".join(lines), "lab.rep"))


def _table() -> list[Planned]:
    return _planned(_CALLS, _LIVE)


@cache
def _planned(calls: int, most: int) -> list[Planned]:
    with Heap("osmem") as heap:
        return table(plan(_made(calls, most)), functions_of(heap))
