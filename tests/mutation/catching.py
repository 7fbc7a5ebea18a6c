"""What the project's own tests say of a mutant: the first thing that they find, or nothing.

At first `emu check`'s tasks, in the emulator, until one fails. What passes them all is then built
for the host and plays random scripts there, whose answers are osmem's: heaps of the emulator lie
below 4 GiB, and the host's do not.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from emu.judge import check
from emu.judge.failure import Found, Operations
from emu.judge.gathering import Gathering
from emu.judge.plan import Budget, Plan
from emu.judge.subject import Subject
from emu.judge.task import Task
from emu.judge.topics import LONG
from tests.native.building import HERE, build, link
from tests.native.playing import assert_same
from tests.native.scripts import Script, script

PLAN = Plan(contract="osmem", budget=Budget(calls=24_000))
"""A short check: what it sees, a longer one sees, too."""
SCRIPTS, CALLS = 2, 300


class _Caught(Exception):
    """The first failure."""


class _First(Gathering):
    """Does not gather: one is enough."""

    def found(self, operations: Operations, found: Iterable[Found]) -> None:
        for one in found:
            raise _Caught(f"{one.rule}: {self.topic}")


def caught(allocator: Path, plan: Plan = PLAN) -> str | None:
    """The rule that it breaks, and where that was seen; None for an allocator that passes."""
    return by_check(allocator, plan) or on_linux(allocator)


def by_check(allocator: Path, plan: Plan = PLAN) -> str | None:
    """In the emulator."""
    subject = Subject(str(allocator))
    try:
        for task in _quick_ones_first(check.tasks(subject, plan)):
            task.work.perform(task.case, _First(task.topic, task.limit))
    except _Caught as first:
        return str(first)
    return None


def _quick_ones_first(tasks: Iterable[Task]) -> list[Task]:
    return sorted(tasks, key=lambda task: task.topic == LONG)


def on_linux(allocator: Path) -> str | None:
    """On the host."""
    with TemporaryDirectory() as folder:
        driver = link(HERE / "driver.c", build(Path(folder), "libosmem.so", allocator))
        try:
            for seed in range(SCRIPTS):
                assert_same(_osmems(seed), driver)
        except (AssertionError, ValueError, subprocess.SubprocessError) as error:
            return f"{type(error).__name__} on the host"
    return None


@cache
def _osmems(seed: int) -> Script:
    return script(seed, CALLS)
