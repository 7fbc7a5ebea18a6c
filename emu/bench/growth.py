"""What a call costs as the number of blocks grows: counts at some n, and the law that they obey."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from emu.allocators import Choice
from emu.bench.bench import functions_of
from emu.bench.law import Law, Point, fitted
from emu.errors import InputError
from emu.heap import Heap
from emu.process.event import KINDS
from emu.process.process import BUDGET, CallableProcess
from emu.process.replay import Planned, replay

LARGEST = 4000
_LEAST = 100
_SMALL, _LARGE = 24, 100
"""Bytes of the blocks that are there, and of those that are asked for."""


@dataclass(frozen=True, slots=True)
class Situation:
    """n blocks of a kind. about: what they are. holes: whether they are free, between others."""

    name: str
    about: str
    holes: bool


SITUATIONS = (
    Situation("in use", f"n blocks of {_SMALL} bytes in use", holes=False),
    Situation("holes", f"n free blocks of {_SMALL} bytes, each between two in use", holes=True),
)


@dataclass(frozen=True, slots=True)
class Growth:
    """The instructions of one call, by n. call: what was called, "os_malloc(100)"."""

    allocator: str
    situation: Situation
    kind: str
    call: str
    points: tuple[Point, ...]
    law: Law

    @property
    def said(self) -> str:
        """How the law holds: "exact from n = 50", "within 4.0 %"."""
        law = self.law
        said = "exact" if law.exact else f"within {100 * law.error:.1f} %"
        said += f" from n = {law.start}" if law.start != self.points[0][0] else ""
        return said + (f" to n = {law.end}" if law.end != self.points[-1][0] else "")


def growth(
    allocator: str | Path | Choice = "osmem", *, largest: int = LARGEST, budget: int = BUDGET
) -> tuple[Growth, ...]:
    """The growth of every function in every situation, from n = 10 to `largest`.

    Each call is made where there are n blocks, and then undone: it is the first of its size, and
    what an allocator sets up for a size is counted, too. A call before it would leave osmem and
    others another heap than n blocks. InputError where `largest` is too
    small to tell; GuestDied where the program dies.
    """
    check(largest)
    return tuple(
        found
        for situation in SITUATIONS
        for found in _in_situation(allocator, situation, sizes(largest), budget)
    )


def check(largest: int) -> None:
    """InputError where so few blocks cannot tell a law."""
    if largest < _LEAST:
        raise InputError(f"growth to {largest} blocks", expected=f"{_LEAST} or more")


def by_situation(found: Sequence[Growth]) -> list[tuple[Situation, list[Growth]]]:
    """Those of each situation, function by function, the allocators side by side."""
    grouped = [
        (situation, [one for one in found if one.situation is situation])
        for situation in SITUATIONS
    ]
    return [
        (situation, sorted(some, key=lambda one: KINDS.index(one.kind)))
        for situation, some in grouped
        if some
    ]


def sizes(largest: int) -> list[int]:
    """10, 20, 50, 100, ... and the largest."""
    steps = [step * 10**power for power in range(1, 7) for step in (1, 2, 5)]
    return [*(step for step in steps if step < largest), largest]


def _in_situation(
    allocator: str | Path | Choice, situation: Situation, at: list[int], budget: int
) -> Iterator[Growth]:
    points: dict[str, list[Point]] = {}
    with Heap(allocator, budget=budget) as heap:
        functions = functions_of(heap)
        build = _Builder(heap.process, functions, holes=situation.holes)
        for n in at:
            with build.with_blocks(n):
                for kind, (_, planned) in _probes(functions, build.middle).items():
                    points.setdefault(kind, []).append((n, build.count(planned)))
        for kind, (arguments, _) in _probes(functions, 0).items():
            call = f"{heap.description.function(kind)}({arguments})"
            found = tuple(points[kind])
            yield Growth(heap.allocator, situation, kind, call, found, fitted(found))


def _probes(functions: dict[str, int], middle: int) -> dict[str, tuple[str, Planned]]:
    """One call of each kind, and its arguments as text. middle: a block in use."""
    words = _LARGE // 4
    calls: dict[str, tuple[str, dict[str, int]]] = {
        "malloc": (f"{_LARGE}", {"first": _LARGE}),
        "calloc": (f"{words}, 4", {"first": words, "second": 4}),
        "realloc": (f"p, {_LARGE}", {"first": middle, "second": _LARGE}),
        "free": ("p", {"first": middle}),
    }
    return {
        kind: (text, Planned(functions[kind], **arguments))
        for kind, (text, arguments) in calls.items()
        if kind in functions
    }


class _Builder:
    """Brings a process from fewer blocks to more. middle: a block that stays, in their middle."""

    def __init__(self, process: CallableProcess, functions: dict[str, int], *, holes: bool) -> None:
        self._process, self._functions, self._holes = process, functions, holes
        self._made: list[int] = []

    @contextmanager
    def with_blocks(self, n: int) -> Iterator[None]:
        """Within, there are n. Holes are made only then: else more blocks would fill them."""
        wanted = n * (1 + self._holes)
        malloc = Planned(self._functions["malloc"], _SMALL)
        new = replay(self._process, [malloc] * (wanted - len(self._made)))
        self._made += new.results.tolist()
        before = self._process.snapshot()
        if self._holes:
            free = self._functions["free"]
            replay(self._process, [Planned(free, payload) for payload in self._made[::2]])
        yield
        self._process.restore(before)

    @property
    def middle(self) -> int:
        return self._made[len(self._made) // 2 | 1]

    def count(self, call: Planned) -> int:
        """How many instructions a call takes, which is undone."""
        before = self._process.snapshot()
        count = replay(self._process, [call]).returned.instructions
        self._process.restore(before)
        return count
