"""What a checked call costs: drawn, made, judged; against the same heap called by a loop."""

from __future__ import annotations

from statistics import median
from time import process_time

from emu import Heap
from emu.allocators import Choice
from emu.judge.check import tasks
from emu.judge.plan import Plan
from emu.judge.task import Task, perform
from emu.judge.topics import EVERY, FAILING, LONG, RANDOM
from tests.bench.measure import Figure

_TASKS, _CALLS, _ROUNDS, _DEPTH = 3, 2000, 3, 4
_GOALS = {(RANDOM, "malloc"): 5000, (RANDOM, "osmem"): 2000}
"""Calls a second."""


def figures() -> list[Figure]:
    return [
        _rate(topic, contract)
        for topic in (RANDOM, LONG, EVERY, FAILING)
        for contract in ("malloc", "osmem")
    ]


def _rate(topic: str, contract: str) -> Figure:
    plan = Plan(contract, depth=_DEPTH)
    own = [task for task in tasks(Choice("osmem"), plan) if task.topic == topic][-_TASKS:]
    perform(own[0])
    with Heap("osmem") as heap:
        rounds = [(_checked(own), _unchecked(heap)) for _ in range(_ROUNDS)]
    checked, bare = (median(times) for times in zip(*rounds, strict=True))
    goal = _GOALS.get((topic, contract))
    value = f"{1 / checked:.0f} calls/s"
    met = goal is None or 1 / checked >= goal
    text = f"> {goal}/s" if goal else ""
    return Figure(f"checked: {topic}, {contract}", value, checked / bare, "a call", text, met)


def _checked(own: list[Task]) -> float:
    """Seconds a call."""
    begun = process_time()
    calls = sum(perform(task).calls for task in own)
    return (process_time() - begun) / calls


def _unchecked(heap: Heap) -> float:
    """Seconds a call of malloc and free in turns, with nothing drawn and no block but that one."""
    begun = process_time()
    for _ in range(_CALLS // 2):
        heap.free(heap.malloc(24))
    return (process_time() - begun) / _CALLS
