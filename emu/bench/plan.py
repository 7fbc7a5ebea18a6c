"""A scenario as a table for the replay loop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from emu.errors import ScenarioError
from emu.process.replay import Planned
from emu.scenario import operations as op
from emu.scenario.operations import Scenario, Statement


@dataclass(frozen=True, slots=True)
class Step:
    """A call: its kind, bytes asked for, and the call that gave the pointer it is about.

    of: a number from 0 on; None for malloc, calloc and a null pointer.
    """

    kind: str
    size: int = 0
    count: int = 1
    of: int | None = None


def plan(scenario: Scenario) -> tuple[Step, ...]:
    """The calls of a scenario. ScenarioError where it has a statement of another kind."""
    given: dict[str, int] = {}
    return tuple(
        _step(scenario, statement, number, given)
        for number, statement in enumerate(scenario.statements)
    )


def table(steps: tuple[Step, ...], functions: Mapping[str, int]) -> list[Planned]:
    """functions: the address of each kind."""
    return [_planned(step, functions[step.kind]) for step in steps]


def _step(scenario: Scenario, statement: Statement, number: int, given: dict[str, int]) -> Step:
    match statement.operation:
        case op.Malloc(name, size):
            step = Step("malloc", size)
        case op.Calloc(name, count, size):
            step = Step("calloc", size, count)
        case op.Realloc(name, source, size):
            step = Step("realloc", size, of=given[source] if source else None)
        case op.Free(source):
            return Step("free", of=given[source] if source else None)
        case _:
            raise ScenarioError(
                "this cannot be replayed", f"{scenario.file}:{statement.line}", statement.text,
                expected="nothing but malloc, calloc, realloc and free",
            )  # fmt: skip
    given[name] = number
    return step


def _planned(step: Step, function: int) -> Planned:
    if step.kind == "calloc":
        return Planned(function, step.count, step.size)
    if step.kind == "malloc":
        return Planned(function, step.size)
    if step.kind == "free":
        return Planned(function, of=step.of)
    return Planned(function, second=step.size, of=step.of)
