"""Patterns: seeded generators of scenarios, each hard on one part of an allocator.

The same name, n and seed give the same calls on every machine and every version of Python: all
chance comes from `random()` of a seeded Mersenne Twister, whose sequence Python promises to keep,
and is turned into whole numbers here. n is how many blocks there are, more or less; a pattern makes
some 2 n or 3 n calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from random import Random
from typing import Any

from emu.errors import ScenarioError
from emu.scenario import operations as op
from emu.scenario.operations import Allocation, Scenario, Statement

_STEPS = 8
"""Of a buffer that grows."""
DEFAULT_N, MOST_N = 1000, 1_000_000


class Chance:
    """Whole numbers from a seed."""

    def __init__(self, seed: int) -> None:
        self._next = Random(seed).random

    def below(self, end: int) -> int:
        """0 to end - 1, each as likely."""
        return int(self._next() * end)

    def between(self, first: int, last: int) -> int:
        """Both included."""
        return first + self.below(last - first + 1)

    def shuffled(self, things: list[Any]) -> list[Any]:
        """All of them in any order."""
        for last in range(len(things) - 1, 0, -1):
            other = self.below(last + 1)
            things[last], things[other] = things[other], things[last]
        return things

    def taken(self, things: list[Any]) -> Any:
        """One of them, which is gone then."""
        index = self.below(len(things))
        things[index], things[-1] = things[-1], things[index]
        return things.pop()


def _id(number: int) -> str:
    """As the names of a `.rep` trace are."""
    return f"id{number}"


def pairwise(n: int, chance: Chance) -> Iterator[Allocation]:
    """Pairwise coalescing: two free neighbours must serve a request of their common size.

    Blocks are given back in pairs, in random order; each pair makes room for one block of twice
    the size, which only fits if the two were merged. Who does not merge takes new memory.
    """
    half = 8 * chance.between(4, 64)
    pairs = max(1, n // 3)
    for number in range(2 * pairs):
        yield op.Malloc(_id(number), half)
    for pair in chance.shuffled(list(range(pairs))):
        first = chance.below(2)
        yield op.Free(_id(2 * pair + first))
        yield op.Free(_id(2 * pair + 1 - first))
        yield op.Malloc(_id(2 * pairs + pair), 2 * half)
    for pair in range(pairs):
        yield op.Free(_id(2 * pairs + pair))


def binary(n: int, chance: Chance) -> Iterator[Allocation]:
    """Binary fragmentation: small and large blocks in turns; the large ones are given back.

    Then a little larger ones are asked for, and no hole serves them, though half of the memory is
    free: how much memory does the allocator need? Classes of sizes and good splitting pay off.
    """
    small, large = 8 * chance.between(1, 8), 8 * chance.between(32, 64)
    half = max(1, n // 3)
    for number in range(half):
        yield op.Malloc(_id(2 * number), small)
        yield op.Malloc(_id(2 * number + 1), large)
    for number in range(half):
        yield op.Free(_id(2 * number + 1))
    for number in range(half):
        yield op.Malloc(_id(2 * half + number), large + small)
    for number in range(half):
        yield op.Free(_id(2 * number))
        yield op.Free(_id(2 * half + number))


def realloc_growth(n: int, chance: Chance) -> Iterator[Allocation]:
    """Growth behind a blocking neighbour: a buffer doubles, and a block as large stands behind it.

    So it can never grow where it is: all of it is copied, every time. All the holes that it left
    together are too small for it, and for its new neighbour. After eight steps all is given back,
    in no order, and another buffer begins.
    """
    numbers = count()
    for _ in range(max(1, n // 8)):
        size = chance.between(16, 64)
        buffer, *held = next(numbers), next(numbers)
        yield op.Malloc(_id(buffer), size)
        yield op.Malloc(_id(held[0]), size)
        for _ in range(_STEPS):
            size = 2 * size + chance.below(size)
            held.append(next(numbers))
            yield op.Realloc(_id(buffer), _id(buffer), size)
            yield op.Malloc(_id(held[-1]), size)
        for number in chance.shuffled([buffer, *held]):
            yield op.Free(_id(number))


def uniform(n: int, chance: Chance) -> Iterator[Allocation]:
    """Uniform: sizes from 1 to 4096, all as likely; blocks are given back in no order.

    A quarter of the blocks is in use at a time. No size is typical: what serves one class of sizes
    well does not help. Some are resized.
    """
    yield from _random(n, chance, lambda: chance.between(1, 4096))


def power_law(n: int, chance: Chance) -> Iterator[Allocation]:
    """Power law: twice the size is half as likely, from 16 bytes to 256 KiB.

    As real programs do it: most blocks are small, and most bytes are in the few large ones. The
    rest is as in uniform.
    """

    def size() -> int:
        power = 0
        while power < 13 and chance.below(2):
            power += 1
        return chance.between(16 << power, (32 << power) - 1)

    yield from _random(n, chance, size)


def _random(n: int, chance: Chance, size: Callable[[], int]) -> Iterator[Allocation]:
    """A quarter of the blocks is made; then each new one takes the place of an old one."""
    held: list[int] = []
    for number in range(n):
        yield op.Malloc(_id(number), size())
        held.append(number)
        if len(held) > max(1, n // 4):
            yield op.Free(_id(chance.taken(held)))
            if chance.below(5) == 0:
                name = _id(held[chance.below(len(held))])
                yield op.Realloc(name, name, size())
    for number in chance.shuffled(held):
        yield op.Free(_id(number))


def needle(n: int, chance: Chance) -> Iterator[Allocation]:
    """A needle in a haystack: many holes, and one that is large enough.

    Half of the blocks stay, the others are given back; what is asked for, again and again, fits
    into one hole only, or into new memory. Who looks at hole after hole is slow here.
    """
    holes = max(1, n // 4)
    place = chance.below(holes)
    for number in range(holes):
        yield op.Malloc(_id(2 * number), 1000 if number == place else chance.between(24, 128))
        yield op.Malloc(_id(2 * number + 1), 8)
    for number in chance.shuffled(list(range(holes))):
        yield op.Free(_id(2 * number))
    for number in range(2 * holes, 2 * holes + n // 2):
        yield op.Malloc(_id(number), chance.between(901, 1000))
        yield op.Free(_id(number))
    for number in range(holes):
        yield op.Free(_id(2 * number + 1))


def hash_table(n: int, chance: Chance) -> Iterator[Allocation]:
    """A hash table of 64 bytes a place that doubles when it is three quarters full.

    The old table lives until the new one, cleared, is filled; keys are small blocks between them.
    The tables grow across 128 KiB, where allocators change from the heap to mappings.
    """
    places, table = 8, n
    yield op.Calloc(_id(table), places, 64)
    for number in range(n):
        if 4 * number >= 3 * places:
            places *= 2
            yield op.Calloc(_id(table + 1), places, 64)
            yield op.Free(_id(table))
            table += 1
        yield op.Malloc(_id(number), chance.between(8, 40))
    for number in chance.shuffled(list(range(n))):
        yield op.Free(_id(number))
    yield op.Free(_id(table))


PATTERNS: dict[str, Callable[[int, Chance], Iterator[Allocation]]] = {
    "pairwise": pairwise,
    "binary": binary,
    "realloc-growth": realloc_growth,
    "uniform": uniform,
    "power-law": power_law,
    "needle": needle,
    "hash-table": hash_table,
}


def pattern(name: str, n: int = DEFAULT_N, seed: int = 0) -> Scenario:
    """The scenario of a pattern. ScenarioError for a name or a size that there is not."""
    if name not in PATTERNS:
        raise ScenarioError(f"no pattern `{name}`", expected=", ".join(PATTERNS))
    if not 1 <= n <= MOST_N:
        raise ScenarioError(f"{name} of {n} blocks", expected=f"1 to {MOST_N} blocks")
    operations = PATTERNS[name](n, Chance(seed))
    statements = tuple(
        Statement(line, _HEAP[type(operation)](operation), operation)
        for line, operation in enumerate(operations, 1)
    )
    return Scenario(name, f"{name} -n {n} --seed {seed}", statements, about(name))


def about(name: str) -> str:
    """What it stresses, in a sentence."""
    return (PATTERNS[name].__doc__ or "").partition("\n")[0]


# As text

_HEAP: dict[type, Callable[[Any], str]] = {
    op.Malloc: lambda o: f"{o.name} = malloc {o.size}",
    op.Calloc: lambda o: f"{o.name} = calloc {o.count} {o.size}",
    op.Realloc: lambda o: f"{o.name} = realloc {o.source or 'null'} {o.size}",
    op.Free: lambda o: f"free {o.source or 'null'}",
}
_REP: dict[type, Callable[[Any], str]] = {
    op.Malloc: lambda o: f"a {_number(o.name)} {o.size}",
    op.Realloc: lambda o: f"r {_number(o.name)} {o.size}",
    op.Free: lambda o: f"f {_number(o.source)}",
}


def _number(name: str) -> str:
    return name.removeprefix("id")


def as_heap(scenario: Scenario) -> str:
    """A pattern in the language of `.heap` files."""
    title = f"# {scenario.file}\n# {scenario.about}"
    return "\n".join([title, *(statement.text for statement in scenario.statements), ""])


def as_rep(scenario: Scenario) -> str:
    """A pattern as a trace of the malloc lab. ScenarioError where it uses calloc."""
    operations = [statement.operation for statement in scenario.statements]
    if any(isinstance(operation, op.Calloc) for operation in operations):
        raise ScenarioError("a .rep trace has no calloc", scenario.file, expected="a .heap file")
    lines = [_REP[type(operation)](operation) for operation in operations]
    ids = len({line.split()[1] for line in lines})
    return "\n".join(["0", str(ids), str(len(lines)), "1", *lines, ""])
