"""What a second core is worth: many allocators in C, checked by one process and by two."""

from __future__ import annotations

import tempfile
from pathlib import Path
from time import perf_counter

from emu.allocators import Choice
from emu.judge.check import check_all
from emu.judge.plan import Budget, Plan
from emu.judge.spread import processes
from tests.bench.measure import Figure

_COPIES = 20
_PLAN = Plan(depth=4, budget=Budget(calls=20_000))


def figures() -> list[Figure]:
    with tempfile.TemporaryDirectory() as name:
        subjects = [_copy(Path(name) / f"{number}.c") for number in range(_COPIES)]
        one, two = _seconds(subjects, 1), _seconds(subjects, 2)
    value, times = f"{two:.1f} s", one / two
    what = f"emu check, {_COPIES} allocators in C, 2 processes"
    return [Figure(what, value, times, "the same in one", ">= 1.7", times >= 1.7)]


def _copy(file: Path) -> Choice:
    """Another allocator: nobody knows that it is the same."""
    file.write_bytes((Path(__file__).parent / "first_fit.c").read_bytes())
    return Choice(str(file))


def _seconds(subjects: list[Choice], jobs: int) -> float:
    """Once: it takes a minute."""
    begun = perf_counter()
    with processes(jobs) as executor:
        for verdict in check_all(subjects, _PLAN, executor):
            assert not verdict.defects
    return perf_counter() - begun
