"""Random calls: what comes next is drawn from what is in use, by a generator with a seed.

Hypothesis draws some 3 000 operations a second, and twice as many are played and judged in that
time; so this draws with random.Random, and what fails is made small by shrink.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from emu.judge.alphabet import HUGE, PRODUCTS, name_of, uses
from emu.judge.model import META, PAGE, PREALLOC, SPLIT_MIN, THRESHOLD
from emu.judge.player import Player
from emu.scenario import operations as op
from syscalls.abi import EINVAL, ENOMEM

_EDGES = tuple(
    size + by
    for size in (
        0, 8, 16, SPLIT_MIN, 64, 128, 512, 1024, PAGE - META, PAGE, 1 << 16, PREALLOC - META,
        THRESHOLD - META, PREALLOC, 1 << 18,
    )
    for by in (-9, -8, -1, 0, 1, 8)
    if size + by >= 0
)  # fmt: skip
_HARDLY = 8
"""Of 100."""
_FAILURES = (("brk", ENOMEM), ("mmap", ENOMEM), ("munmap", ENOMEM), ("munmap", EINVAL))


@dataclass(frozen=True, slots=True)
class Style:
    """How a program behaves: the most blocks in use, and how often, of 100, it does what.

    Of the rest it mallocs. sizes: how often a size is small, medium, an edge; else large. few: how
    many sizes there are; 0 for any number. wave: for so many calls it hardly frees, for as many it
    hardly does anything else; 0 for no waves.
    """

    most: int
    free: int
    realloc: int
    calloc: int
    sizes: tuple[int, int, int]
    shortage: int = 0
    misuse: int = 0
    huge: int = 0
    few: int = 0
    wave: int = 0


STYLES = (
    Style(12, 35, 20, 10, (80, 15, 5)),
    Style(40, 30, 10, 10, (60, 30, 8)),
    Style(20, 25, 35, 10, (40, 45, 13)),
    Style(25, 30, 20, 10, (50, 40, 9), shortage=4, misuse=4, huge=2),
    Style(100, 28, 8, 8, (90, 9, 1)),
    Style(16, 30, 25, 15, (85, 10, 5), shortage=2, misuse=3),
    Style(60, 35, 15, 5, (70, 25, 5)),
    Style(8, 30, 30, 10, (10, 30, 45), shortage=3),
    Style(90, 40, 0, 4, (100, 0, 0), few=1, wave=50),
    Style(60, 40, 4, 0, (0, 20, 0), few=2),
)
"""A sequence has one of them."""


class Drawing:
    """Draws operations for a player."""

    def __init__(self, random: Random, style: Style) -> None:
        self.random, self.style = random, style
        self._names = 0
        self._drawn = 0
        self._few = [self._any_size() for _ in range(style.few)]

    def next(self, player: Player) -> op.Operation:
        """What the program does next."""
        return self._unusual(player) or self._usual(list(player.live))

    def _unusual(self, player: Player) -> op.Operation | None:
        """A shortage, a misuse, a huge size; most of the time, nothing."""
        random, style = self.random, self.style
        dice = random.randrange(100)
        if dice < style.shortage:
            name, errno = random.choice(_FAILURES)
            return op.Fail(name, random.randint(1, 2), errno)
        dice -= style.shortage
        if 0 <= dice < style.huge:
            return self._huge(list(player.live))
        dice -= style.huge
        stale = player.stale if 0 <= dice < style.misuse else ()
        if misused := [name for name in stale if player.may_misuse(name)]:
            name = random.choice(misused)
            return random.choice((op.Free(name), op.Realloc(self._name(), name, self._size())))
        return None

    def _usual(self, live: list[str]) -> op.Operation:
        random, style, free = self.random, self.style, self._free()
        dice = random.randrange(100)
        if dice < free or len(live) >= style.most:
            return op.Free(random.choice(live) if live else None)
        dice -= free
        if dice < style.realloc:
            source = random.choice(live) if live else None
            return op.Realloc(self._name(), source, self._size())
        if dice < style.realloc + style.calloc:
            size, count = self._size(), random.choice((1, 1, 2, 3, 7))
            return op.Calloc(self._name(), count, size // count)
        return op.Malloc(self._name(), self._size())

    def _free(self) -> int:
        """How often it frees now."""
        self._drawn += 1
        if not self.style.wave:
            return self.style.free
        return 100 - _HARDLY if self._drawn // self.style.wave % 2 else _HARDLY

    def _name(self) -> str:
        self._names += 1
        return name_of(self._names - 1)

    def _huge(self, live: list[str]) -> op.Allocation:
        random = self.random
        kind = random.randrange(3)
        if kind == 0:
            return op.Malloc(self._name(), random.choice(HUGE))
        if kind == 1 or not live:
            return op.Calloc(self._name(), *random.choice(PRODUCTS))
        return op.Realloc(self._name(), random.choice(live), random.choice(HUGE))

    def _size(self) -> int:
        return self.random.choice(self._few) if self._few else self._any_size()

    def _any_size(self) -> int:
        random, (small, medium, edge) = self.random, self.style.sizes
        dice = random.randrange(100)
        if dice < small:
            return random.randint(1, 128)
        if dice < small + medium:
            return random.randint(1, 1 << random.randint(7, 13))
        if dice < small + medium + edge:
            return random.choice(_EDGES)
        return random.randint(1, 200_000)


def sequence(player: Player, drawing: Drawing, length: int) -> Iterator[op.Operation]:
    """So many operations, each drawn when the one before was played, and what is written."""
    for _ in range(length):
        operation = drawing.next(player)
        yield operation
        yield from uses(operation, player)
