"""The hunt for one bug: the tasks of a check, until one of its rules is met.

A whole check tries everything, and then makes small whatever it has found. This makes a tour
through the same tasks, short sequences first, and stops at the first failure that has the right
name. So whatever it finds, a whole check has among its failures.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

from planting import Bug

from emu.allocators import Choice
from emu.judge.check import case_of, conclude, examinations, tasks
from emu.judge.evidence import examine
from emu.judge.plan import Plan
from emu.judge.task import Task, perform
from emu.judge.verdict import Defect, Verdict
from emu.scenario import operations as op
from emu.scenario.load import from_text

ROUNDS = ((2, 40), (2, 400), (3, 4000), (Plan().depth, 100_000))
"""The depth of the walks, and the calls that each task may make."""


@dataclass(frozen=True)
class Caught:
    """A defect, as a check tells of it. calls, seconds: what it took to find it."""

    defect: Defect
    calls: int
    seconds: float

    @property
    def needs(self) -> int:
        """Calls of the scenario that shows it."""
        statements = from_text(self.defect.scenario, "defect.heap").statements
        return sum(isinstance(one.operation, op.Allocation) for one in statements)


def hunt(bug: Bug, allocator: Path) -> Caught | None:
    """None where it is not found in the tour."""
    return hunt_for(bug.rules, Choice(str(allocator)), Plan(alignment=bug.alignment))


def hunt_for(rules: Collection[str], subject: Choice, plan: Plan) -> Caught | None:
    """The first defect of these names."""
    case = case_of(subject, plan)
    begun, calls = perf_counter(), 0
    for task in _tour(subject, plan):
        result = perform(task)
        calls += result.calls
        for one in examinations(case, [result]):
            if one.failure.cause.rule in rules:
                return Caught(examine(one).defect, calls, perf_counter() - begun)
    return None


def short_check(subject: Choice, plan: Plan, limit: int) -> Verdict:
    """A check that makes no more than some calls of each task."""
    results = [perform(replace(task, limit=limit)) for task in tasks(subject, plan)]
    return conclude(subject, plan, results)


def _tour(subject: Choice, plan: Plan) -> Iterator[Task]:
    for depth, limit in ROUNDS:
        for task in tasks(subject, replace(plan, depth=depth)):
            yield replace(task, limit=min(limit, task.limit))
