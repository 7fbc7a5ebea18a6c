"""Two allocators, each in a process of its own with its heap at the same place, playing alike.

player.s plays a list of calls inside each process and notes, after every call, the result and a
digest of os_errno, of every header, of what calloc cleared and of what realloc brought along.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

from asm.assembler import assemble
from asm.image import Image
from emu.process.process import BUDGET, Process
from syscalls.region import READ_WRITE

PLAYER = Path(__file__).parent / "player.s"
MALLOC, CALLOC, REALLOC, FREE, FREE_AGAIN, RESIZE_FREED, BEGIN_AGAIN = range(7)
MOST = 4096
"""Calls that are played at once, and slots."""

_CALL, _NOTE = struct.Struct("<IIQQ8x"), struct.Struct("<QQ")
_SLOT = 24
_CALLS, _SLOTS, _NOTES = 0x20_0000_0000, 0x21_0000_0000, 0x22_0000_0000
_PAGE = 4096
Call = tuple[int, int, int, int]
"""kind, slot, first, second: player.s."""


def images(folder: Path, *names: str) -> list[Image]:
    """Each allocator with the player behind it; all of them end at the same address."""
    made = []
    for name in names:
        root = folder / f"{Path(name).stem}_player.s"
        here = f"{name}/{name}.s" if "/" not in name else name
        root.write_text(f'.data\nremembered:\n.include "{here}"\n{PLAYER.read_text()}')
        made.append(assemble(root))
    end = max(image.end for image in made)
    return [_longer(image, end) for image in made]


def _longer(image: Image, end: int) -> Image:
    *others, last = image.segments
    data = last.data.ljust(end - last.address, b"\0")
    return replace(image, segments=(*others, replace(last, data=data)))


class Player:
    """An allocator that plays. Its slots hold 0 at first."""

    def __init__(self, image: Image, slots: int = MOST, budget: int = BUDGET) -> None:
        self.process = Process(image, budget=budget)
        room = {_CALLS: MOST * _CALL.size, _SLOTS: slots * _SLOT, _NOTES: MOST * _NOTE.size}
        for address, size in room.items():
            self.process.kernel.space.map(address, -(-size // _PAGE) * _PAGE, READ_WRITE)

    def play(self, calls: Sequence[Call], every: int = 1) -> list[tuple[int, int]]:
        """(result, digest) of each call; the blocks are looked at after every so many-th."""
        memory = self.process.memory
        memory.write(_CALLS, b"".join(_CALL.pack(*call) for call in calls))
        returned = self.process.call("play", _CALLS, len(calls), _SLOTS, _NOTES, every)
        assert not returned.violations
        return list(_NOTE.iter_unpack(memory.read(_NOTES, len(calls) * _NOTE.size)))


class Lockstep:
    """Plays on both; `play` says where they differ, by raising."""

    def __init__(self, one: Image, other: Image, slots: int = MOST, budget: int = BUDGET) -> None:
        self.players = Player(one, slots, budget), Player(other, slots, budget)
        self.played = 0
        self.asked: list[str] = []
        """The names of the system calls that were made."""

    def __enter__(self) -> Lockstep:
        return self

    def __exit__(self, *_: object) -> None:
        for player in self.players:
            player.process.close()

    def fail(self, syscall: str, nth: int) -> None:
        for player in self.players:
            player.process.kernel.shortages.plan(syscall, nth, 12)

    def play(self, calls: Sequence[Call], every: int = 1) -> None:
        """AssertionError where a note or a system call differs."""
        before, after = (player.play(calls, every) for player in self.players)
        for at, (one, other) in enumerate(zip(before, after, strict=True)):
            assert one == other, f"call {self.played + at}, {calls[at]}"
        self.played += len(calls)
        ours, theirs = (player.process.kernel.calls for player in self.players)
        assert ours == theirs
        self.asked += [call.name for call in ours]
        ours.clear()
        theirs.clear()


def in_parts(calls: Sequence[Call]) -> Iterator[Sequence[Call]]:
    """As many as can be played at once."""
    for first in range(0, len(calls), MOST):
        yield calls[first : first + MOST]


class Drawing:
    """Random calls over some slots, as a program with few or many live blocks would make them."""

    def __init__(self, seed: int, slots: int, sizes: Sequence[tuple[int, int]]) -> None:
        self.random, self.slots, self.sizes = Random(seed), slots, sizes
        self._live: list[int] = []
        self._empty = list(range(slots))

    def calls(self, count: int) -> list[Call]:
        return [self._one() for _ in range(count)]

    def filling(self) -> list[Call]:
        """A block for every empty slot."""
        return [(MALLOC, self._filled(), self._size(), 0) for _ in range(len(self._empty))]

    def emptying(self, share: float) -> list[Call]:
        """Some of the blocks given back, anywhere."""
        return [(FREE, self._taken(), 0, 0) for _ in range(int(share * len(self._live)))]

    def _size(self) -> int:
        return self.random.randint(*self.random.choice(self.sizes))

    def _one(self) -> Call:
        dice, random = self.random.random(), self.random
        if dice < 0.04:
            kind = random.choice((FREE_AGAIN, RESIZE_FREED))
            return kind, random.randrange(self.slots), self._size(), 0
        if dice < 0.22 and self._live:
            return REALLOC, random.choice(self._live), self._size(), 0
        if dice < 0.25 and self._live:
            return REALLOC, self._taken(), 0, 0
        if dice < 0.62 and self._empty:
            slot = self._filled()
            if dice < 0.3:
                return CALLOC, slot, random.randint(0, 3), self._size()
            return MALLOC, slot, self._size(), 0
        return (FREE, self._taken(), 0, 0) if self._live else (FREE, 0, 0, 0)

    def _taken(self) -> int:
        """A live slot, which is empty then."""
        at = self.random.randrange(len(self._live))
        self._live[at], self._live[-1] = self._live[-1], self._live[at]
        self._empty.append(self._live.pop())
        return self._empty[-1]

    def _filled(self) -> int:
        self._live.append(self._empty.pop(self.random.randrange(len(self._empty))))
        return self._live[-1]
