"""explain(run, 4) -> Explanation of the run's fourth call."""

from __future__ import annotations

from dataclasses import dataclass

from emu.allocators import OSMEM
from emu.errors import InputError
from emu.explain.course import Change, Look, Merge
from emu.explain.decision import decided
from emu.explain.facts import Choice, Facts, choice_of
from emu.explain.follow import follow
from emu.explain.names import Names
from emu.run import Run, Step
from emu.trace.trace import Span, Trace
from emu.view.blocks import Walk
from emu.view.finding import Finding
from syscalls import SystemCall


@dataclass(frozen=True)
class Explanation:
    """A call, from what it looked at to what it changed.

    step: the scenario's statement, and the call where it came back. before, after: the heap's
    blocks. looks: reads of headers, in order. choice: where it took a block of the heap. sentences:
    what it decided. changes: writes to headers and to the allocator's variables, in order.
    findings: what was found wrong behind it.
    """

    span: Span
    step: Step
    before: Walk
    after: Walk
    looks: tuple[Look, ...]
    choice: Choice | None
    sentences: tuple[str, ...]
    changes: tuple[Change, ...]
    merges: tuple[Merge, ...]
    syscalls: tuple[SystemCall, ...]
    findings: tuple[Finding, ...]
    names: Names


def explain(run: Run, call: int, names: Names | None = None) -> Explanation:
    """The run's call of an index, from 1 on. names: of the run's trace, where they are known.

    InputError where there is no such call, or nobody can walk the heap; ValueError where the run
    has no accesses recorded.
    """
    trace = _trace_of(run)
    if run.contract != OSMEM:
        raise InputError(
            "a call is explained by the blocks that it looked at, and nobody can walk these",
            run.allocator,
            expected="an allocator that is held to osmem's contract",
        )
    if not 1 <= call <= len(trace.calls):
        raise InputError(f"there is no call #{call}", expected=numbers_of(trace))
    names = names or Names(trace, run.heap_start)
    span = trace.calls[call - 1]
    course = follow(trace, span, run.heap_start, max(names.heap_end, run.heap_start))
    facts = Facts(trace, span, names, course)
    choice = choice_of(facts)
    step = _step_of(run, call)
    sentences = list(decided(facts, choice))
    if span.returned is None and run.died:
        sentences.append(run.died.what)
    return Explanation(
        span, step, course.before, course.after, course.looks, choice, tuple(sentences),
        course.changes, course.merges, facts.syscalls, _findings(run, step, call), names,
    )  # fmt: skip


def numbers_of(trace: Trace) -> str:
    """Which calls there are, in words."""
    calls = len(trace.calls)
    return f"a call from 1 to {calls}" if calls else "a trace with calls of an allocator"


def _trace_of(run: Run) -> Trace:
    if run.trace is None or run.trace.accesses is None:
        raise ValueError("the run has no accesses: run(..., accesses=True)")
    return run.trace


def _step_of(run: Run, call: int) -> Step:
    for step in run.steps:
        if step.call and step.call.index == call:
            return step
    assert run.running is not None, "a call that did not come back is the one that ran"
    return run.running


def _findings(run: Run, step: Step, call: int) -> tuple[Finding, ...]:
    died = [one for one in run.findings if step is run.running and one.call == call]
    return (*step.findings, *died)
