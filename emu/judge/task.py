"""Tasks: the parts of a check, each for one process, of about the same size."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random
from typing import Protocol

from emu.allocators import Choice
from emu.judge.alphabet import Alphabet
from emu.judge.failure import Cause, Operations
from emu.judge.gathering import Gathering, Seen
from emu.judge.player import Player
from emu.judge.randomly import STYLES, Drawing, Style, sequence
from emu.judge.stream import play_all
from emu.judge.subject import pristine
from emu.judge.walk import Part, walk
from emu.scenario.load import load


@dataclass(frozen=True, slots=True)
class Case:
    """What is judged, and by what. sanitize: each access is looked at."""

    subject: Choice
    contract: str
    alignment: int
    seed: int
    sanitize: bool = False

    def player(self) -> Player:
        """A player on a heap in which nothing has happened; the one before is no more."""
        return Player(pristine(self.subject, sanitize=self.sanitize), self.contract, self.alignment)


class Work(Protocol):
    """What a task does."""

    def perform(self, case: Case, gathering: Gathering) -> int:
        """Plays, and gathers what goes wrong; the calls that were made."""


@dataclass(frozen=True, slots=True)
class Task:
    """limit: of calls. result: that of `perform`."""

    case: Case
    topic: str
    limit: int
    work: Work


@dataclass(frozen=True, slots=True)
class TaskResult:
    """cut: whether the limit was reached before all was tried."""

    topic: str
    scenarios: int
    calls: int
    failures: int
    cut: bool
    causes: dict[Cause, Seen]


def perform(task: Task) -> TaskResult:
    """In any process: it opens what it needs, and keeps it for the next task."""
    gathering = Gathering(task.topic, task.limit, task.case.subject.heap_start)
    calls = task.work.perform(task.case, gathering)
    return TaskResult(
        task.topic, gathering.scenarios, calls, gathering.failures, gathering.cut, gathering.causes
    )


# What tasks do


@dataclass(frozen=True, slots=True)
class Walking:
    """Every sequence of an alphabet, or a part of them."""

    alphabet: Alphabet
    depth: int
    part: Part

    def perform(self, case: Case, gathering: Gathering) -> int:
        player = case.player()
        walk(player, self.alphabet, self.depth, gathering, self.part)
        return player.cost


@dataclass(frozen=True, slots=True)
class Drawn:
    """Random sequences, by number: [first, last), each of so many calls. style: None for all."""

    first: int
    last: int
    length: int
    style: Style | None = None

    def perform(self, case: Case, gathering: Gathering) -> int:
        calls = 0
        for number in range(self.first, self.last):
            player = case.player()
            style = self.style or STYLES[number % len(STYLES)]
            drawing = Drawing(Random(f"{case.seed}/{number}/{self.length}"), style)
            play_all(player, sequence(player, drawing, self.length), gathering)
            calls += player.cost
        return calls


@dataclass(frozen=True, slots=True)
class Played:
    """The operations of a scenario, or of a trace."""

    path: str

    def perform(self, case: Case, gathering: Gathering) -> int:
        player = case.player()
        statements = load(self.path).statements
        play_all(player, (statement.operation for statement in statements), gathering)
        return player.cost


@dataclass(frozen=True, slots=True)
class Listed:
    """Sequences that a function makes for a contract, each on a heap of its own."""

    sequences: Callable[[str], Iterable[Operations]]

    def perform(self, case: Case, gathering: Gathering) -> int:
        calls = 0
        for operations in self.sequences(case.contract):
            if calls >= gathering.limit:
                gathering.cut = True
                break
            player = case.player()
            play_all(player, operations, gathering)
            calls += player.cost
        return calls
