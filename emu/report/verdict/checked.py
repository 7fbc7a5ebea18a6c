"""One allocator of a check, with all that its reports tell."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from enum import StrEnum
from itertools import dropwhile

from emu.judge.points import Marks
from emu.judge.topics import SAFETY
from emu.judge.verdict import Defect, TopicResult, Verdict
from emu.report.terminal import counted


class Standing(StrEnum):
    """How a topic, or an allocator, stands: a word, so that no colour is needed."""

    PASS = "pass"
    FAIL = "FAIL"
    SKIP = "skip"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Given:
    """Options as they were given, each behind a blank: for commands that show a defect again.

    allocator: those that every command needs to open it, as " --prefix my_". contract: what the
    allocator was held to, as " --alignment 16". plan: what was tried, as " --seed 3".
    """

    allocator: str = ""
    contract: str = ""
    plan: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """An allocator and its verdict; None where it could not be checked.

    error: why not. refused_with: the exit status for that. saved: the files of the defects, where
    they were saved.
    """

    allocator: str
    verdict: Verdict | None
    error: str = ""
    marks: Marks | None = None
    saved: tuple[str, ...] = ()
    given: Given = Given()
    refused_with: int = 2

    @property
    def standing(self) -> Standing:
        if self.verdict is None:
            return Standing.ERROR
        return Standing.FAIL if self.verdict.defects else Standing.PASS

    @property
    def status(self) -> int:
        """The exit status."""
        return self.refused_with if self.verdict is None else self.verdict.status

    @property
    def outcome(self) -> str:
        """In a line: what was done, and what came of it."""
        if self.verdict is None:
            return "cannot be checked"
        verdict = self.verdict
        found = counted(len(verdict.defects), "defect") if verdict.defects else "no defect"
        rest = "" if verdict.complete else "; the budget was spent before all was tried"
        return f"{found} in {counted(verdict.calls, 'call')}{rest}"

    @property
    def unmarked(self) -> tuple[str, ...]:
        """Topics that failed, and have no points that this could have cost."""
        if self.verdict is None or self.marks is None:
            return ()
        worth = {mark.topic for mark in self.marks.marks if mark.of}
        failed = (topic.name for topic in self.verdict.topics if topic.failures)
        return tuple(name for name in failed if name not in worth)

    def again(self, index: int) -> list[str]:
        """The commands that show the defect of this index again."""
        if self.saved:
            return self.commands(index, self.saved[index])
        allocator, given = shlex.quote(self.allocator), self.given
        options = f"{given.allocator}{given.contract}{given.plan}"
        file = f"DIR/{file_name(index, self.defects[index])}"
        return [f"emu check {allocator}{options} --save DIR", *self.commands(index, file)]

    def commands(self, index: int, file: str) -> list[str]:
        """How a saved defect is run, and debugged."""
        defect = self.defects[index]
        placed = "" if defect.heap_start is None else f" --heap-start {defect.heap_start:#x}"
        allocator = f"{shlex.quote(self.allocator)}{self.given.allocator}{placed}"
        watched = " --sanitize" if defect.topic == SAFETY else ""
        return [
            f"emu run {shlex.quote(file)} --allocator {allocator}{self.given.contract}{watched}",
            f"emu debug {shlex.quote(file)} --allocator {allocator}",
        ]

    @property
    def defects(self) -> tuple[Defect, ...]:
        return self.verdict.defects if self.verdict else ()


def statements(defect: Defect) -> list[str]:
    """The lines of its scenario, without the comment that it begins with."""
    lines = defect.scenario.strip().splitlines()
    return list(dropwhile(lambda line: not line or line.startswith("#"), lines))


def file_name(index: int, defect: Defect) -> str:
    """01-overlap.heap"""
    rule = "".join(letter if letter.isalnum() else "-" for letter in defect.rule)
    return f"{index + 1:02}-{rule}.heap"


def standing(topic: TopicResult) -> Standing:
    if topic.failures:
        return Standing.FAIL
    return Standing.SKIP if topic.skipped or not topic.scenarios else Standing.PASS


def by_rule(defects: tuple[Defect, ...]) -> str:
    """overlap 2, list: rules, in their order, and how many defects of each."""
    counts: dict[str, int] = {}
    for defect in defects:
        counts[defect.rule] = counts.get(defect.rule, 0) + 1
    return ", ".join(f"{rule} {n}" if n > 1 else rule for rule, n in counts.items())
