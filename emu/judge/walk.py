"""Every sequence of calls up to a depth: what sequences have in common is played once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from emu.judge.alphabet import Alphabet, name_of, uses
from emu.judge.failure import Operations
from emu.judge.gathering import Gathering
from emu.judge.player import Player, PlayerState, Undefined
from emu.scenario import operations as op

Part = tuple[int | None, int, int]
"""Which sequences: those that begin with a letter, by number, or all; and of the letters at the
second place each so many-th, from one on."""
ALL: Part = (None, 0, 1)


def walk(
    player: Player, alphabet: Alphabet, depth: int, gathering: Gathering, part: Part = ALL
) -> None:
    """Plays them all, and gathers what goes wrong. The player has played nothing yet."""
    _Walk(player, alphabet, depth, gathering, part).below((), 0)


class _Walk:
    def __init__(
        self, player: Player, alphabet: Alphabet, depth: int, gathering: Gathering, part: Part
    ) -> None:
        self.player, self.alphabet, self.depth = player, alphabet, depth
        self.gathering, self.part = gathering, part

    def below(self, before: Operations, done: int) -> None:
        """All sequences that go on from here. The player is left anywhere."""
        here = self.player.saved()
        letters = list(self.alphabet.letters(self.player, name_of(done)))
        for number, letter in enumerate(letters):
            if not self._is_ours(done, number):
                continue
            asked = self._try(here, before, (letter,), done)
            if self.alphabet.failing:
                for shortage in _shortages(asked, self.alphabet.failing):
                    self._try(here, before, (shortage, letter), done)
            if self.gathering.cut:
                return

    def _try(
        self, here: PlayerState, before: Operations, new: Operations, done: int
    ) -> tuple[str, ...]:
        """One call more, and all sequences that go on from there: what it asked the kernel."""
        player = self.player
        if player.cost >= self.gathering.limit:
            self.gathering.cut = True
            return ()
        player.put_back(here)
        operations = (*before, *new)
        try:
            found = [one for operation in new for one in player.play(operation)]
        except Undefined:
            return ()
        if done or self.part[1] == 0:
            self.gathering.scenarios += 1
            self.gathering.found(operations, found)
        if player.over:
            return ()
        asked = tuple(call.name for call in player.heap.calls[-1].syscalls)
        if done + 1 < self.depth:
            for use in (used := uses(new[-1], player)):
                player.play(use)
            self.below((*operations, *used), done + 1)
        return asked

    def _is_ours(self, done: int, number: int) -> bool:
        first, nth, many = self.part
        if done == 0:
            return first is None or number == first
        return done != 1 or number % many == nth


def _shortages(asked: tuple[str, ...], errnos: tuple[int, ...]) -> Iterator[op.Fail]:
    """Each of the system calls that were made, failing with each errno that it can answer."""
    for name, times in Counter(asked).items():
        for nth in range(1, times + 1):
            for errno in errnos[:1] if name == "brk" else errnos:
                yield op.Fail(name, nth, errno)
