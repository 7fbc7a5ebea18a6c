"""What `emu check` says of a mutant: the first thing that it finds, or nothing."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from emu.allocators import Choice
from emu.judge import check
from emu.judge.failure import Found, Operations
from emu.judge.gathering import Gathering
from emu.judge.plan import Budget, Plan
from emu.judge.task import Task
from emu.judge.topics import LONG

PLAN = Plan(contract="osmem", budget=Budget(calls=24_000))
"""A short check: what it sees, a longer one sees, too."""


class _Caught(Exception):
    """The first failure."""


class _First(Gathering):
    """Does not gather: one is enough."""

    def found(self, operations: Operations, found: Iterable[Found]) -> None:
        for one in found:
            raise _Caught(f"{one.rule}: {self.topic}")


def caught(allocator: Path, plan: Plan = PLAN) -> str | None:
    """The rule that it breaks, and where that was seen; None for an allocator that passes."""
    subject = Choice(str(allocator))
    try:
        for task in _quick_ones_first(check.tasks(subject, plan)):
            task.work.perform(task.case, _First(task.topic, task.limit))
    except _Caught as first:
        return str(first)
    return None


def _quick_ones_first(tasks: Iterable[Task]) -> list[Task]:
    return sorted(tasks, key=lambda task: task.topic == LONG)
