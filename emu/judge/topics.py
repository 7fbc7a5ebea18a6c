"""The topics of a check: what is tried of an allocator, in tasks of about the same size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from emu.allocators import OSMEM
from emu.judge import alphabet as letters
from emu.judge.alphabet import Alphabet
from emu.judge.crossing import BOUNDARY, ROOM, crossing
from emu.judge.fixed import disguised, huge, long_runs, neighbours, round_places
from emu.judge.model import PREALLOC
from emu.judge.plan import CALLS, Plan
from emu.judge.randomly import Style
from emu.judge.subject import is_assembly
from emu.judge.task import Case, Drawn, Listed, Played, Task, Walking, Work
from emu.scenario.load import shipped

EVERY, FAILING, RANDOM, LONG = (
    "every sequence", "failing system calls", "random calls", "long runs",
)  # fmt: skip
COALESCING = "coalescing"
HUGE, MISUSE, TRACES, SAFETY = "huge sizes", "misuse", "traces", "memory safety"
HIGH = "high addresses"
"""More than 32 bits, as on Linux wherever a program is position-independent."""

_LENGTH, _LONG, _MEDIUM, _SHORT = 150, 3000, 60, 40
"""Calls of a random sequence, of a long run, of one at high addresses, and of one in which each
access is looked at."""
_EACH = 10
"""Random sequences in a task."""
_UNLIMITED = 1 << 40
_LONG_RUNS = (
    Style(150, 35, 12, 8, (72, 26, 1)),
    Style(300, 46, 2, 2, (100, 0, 0), few=1, wave=250),
    Style(100, 42, 6, 0, (10, 50, 0), few=3),
)
"""Any sizes; many holes of one size; long runs of a few."""


def tasks_of(case: Case, plan: Plan) -> Iterator[Task]:
    """All there is to try, whatever is found."""
    share = _Shares(plan)
    for path in shipped():
        yield Task(case, path.stem, _UNLIMITED, Played(str(path)))
    if case.contract == OSMEM:
        for sequences in (neighbours, long_runs, round_places):
            yield Task(case, COALESCING, _UNLIMITED, Listed(sequences))
    yield Task(case, HUGE, _UNLIMITED, Listed(huge))
    for trace in plan.traces:
        yield Task(case, TRACES, _UNLIMITED, Played(trace))
    watched = replace(case, sanitize=True)
    for first in range(0, share.safe, _EACH):
        yield Task(watched, SAFETY, _UNLIMITED, Drawn(first, first + _EACH, _SHORT))
    if is_assembly(case.subject):
        yield from _at_high_addresses(case, share.high)
    for number in range(share.long):
        style = _LONG_RUNS[number % len(_LONG_RUNS)]
        yield Task(case, LONG, _UNLIMITED, Drawn(number, number + 1, share.length, style))
    for first in range(0, share.random, _EACH):
        yield Task(
            case, RANDOM, _UNLIMITED, Drawn(first, min(first + _EACH, share.random), _LENGTH)
        )
    walks = list(_walks(case, plan.depth))
    for topic, work in walks:
        limit = max(1, share.walks // len(walks)) if share.walks else _UNLIMITED
        yield Task(case, topic, limit, work)


def _at_high_addresses(case: Case, sequences: int) -> Iterator[Task]:
    """Around the boundary, and random calls on heaps that begin before it, and at it."""
    starts = (BOUNDARY - ROOM, BOUNDARY - PREALLOC, BOUNDARY)
    cases = [replace(case, subject=replace(case.subject, heap_start=start)) for start in starts]
    yield Task(cases[0], HIGH, _UNLIMITED, Listed(crossing))
    each = max(1, sequences // len(cases))
    for number, placed in enumerate(cases):
        for first in range(number * each, (number + 1) * each, _EACH):
            last = min(first + _EACH, (number + 1) * each)
            yield Task(placed, HIGH, _UNLIMITED, Drawn(first, last, _MEDIUM))


class _Shares:
    """How many calls go where: a part of a budget, or what the plan needs."""

    def __init__(self, plan: Plan) -> None:
        calls = plan.budget.calls
        if calls is None and plan.budget.seconds is not None:
            calls_of_random = max(CALLS, int(plan.budget.seconds * 10_000))
        else:
            calls_of_random = CALLS if calls is None else calls // 2
        self.walks = 0 if calls is None else max(1, calls // 2)
        """0 for all."""
        self.length = min(_LONG, max(1, calls_of_random // 4))
        self.long = max(1, calls_of_random // 4 // self.length)
        self.safe = max(1, calls_of_random // 8 // _SHORT)
        self.high = max(1, calls_of_random // 16 // _MEDIUM)
        self.random = max(1, calls_of_random * 3 // 4 // _LENGTH)


def _walks(case: Case, depth: int) -> Iterator[tuple[str, Work]]:
    shallow, middle = min(depth, 3), max(1, depth - 1)
    deep, wide, failing = letters.MALLOC, letters.MALLOC_WIDE, letters.MALLOC_FAILING
    if case.contract == OSMEM:
        deep, wide, failing = letters.OSMEM, letters.OSMEM_WIDE, letters.OSMEM_FAILING
        yield MISUSE, Listed(disguised)
        yield from _parts(MISUSE, letters.MISUSE, middle, 1)
    for alphabet in wide:
        yield from _parts(EVERY, alphabet, shallow, 1)
    for alphabet, limit in zip(failing, (middle, shallow, min(depth, 2)), strict=True):
        yield from _parts(FAILING, alphabet, limit, 1)
    for alphabet in deep:
        yield from _parts(EVERY, alphabet, depth, 4)


def _parts(topic: str, alphabet: Alphabet, depth: int, parts: int) -> Iterator[tuple[str, Work]]:
    for first in range(len(alphabet.malloc) + len(alphabet.calloc) + _nulls(alphabet)):
        for part in range(parts):
            yield topic, Walking(alphabet, depth, (first, part, parts))


def _nulls(alphabet: Alphabet) -> int:
    return 1 + len(alphabet.realloc) if alphabet.null else 0
