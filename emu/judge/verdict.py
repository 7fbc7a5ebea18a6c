"""What a check found out about an allocator: data, for reports.

A *failure* is one scenario that went wrong. Failures with one cause are a *defect*, told by the
shortest scenario that shows it.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Evidence:
    """What happened at a defect's last call. Pictures are of the heap; "" where it has no walk.

    instruction: the disassembly of what did it; source: "file:line" and the text of the line.
    """

    expected: str
    happened: str
    before: str = ""
    after: str = ""
    instruction: str = ""
    source: str | None = None
    source_text: str = ""


@dataclass(frozen=True, slots=True)
class Defect:
    """A cause of failures.

    rule: its stable name, as "overlap"; scenario: the text of a `.heap` file that shows it;
    topic: what was being checked when it was first met; failures: how many had this cause.
    heap_start: where the heap must begin for it, where the usual place does not show it.
    """

    rule: str
    message: str
    scenario: str
    topic: str
    evidence: Evidence
    failures: int = 1
    heap_start: int | None = None

    @property
    def source(self) -> str | None:
        return self.evidence.source


@dataclass(frozen=True, slots=True)
class TopicResult:
    """A part of a check: how much was tried of it, and how much of that went wrong.

    skipped: why it was not looked at, where it was not.
    """

    name: str
    scenarios: int
    calls: int
    failures: int
    skipped: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One allocator under one contract. calls: to the allocator, in all.

    complete: whether everything planned was tried, within the budget.
    """

    allocator: str
    contract: str
    calls: int
    topics: tuple[TopicResult, ...] = ()
    defects: tuple[Defect, ...] = field(default=())
    complete: bool = True
    seed: int = 0

    @property
    def status(self) -> int:
        """The exit status."""
        return 1 if self.defects else 0
