"""One long sequence of operations, played to its end."""

from __future__ import annotations

from collections.abc import Iterable

from emu.judge.gathering import Gathering
from emu.judge.player import Player, Undefined
from emu.scenario import operations as op


def play_all(player: Player, operations: Iterable[op.Operation], gathering: Gathering) -> None:
    """Plays what is defined, until it is over, and gathers what goes wrong."""
    done: list[op.Operation] = []
    begun = player.cost
    gathering.scenarios += 1
    for operation in operations:
        if player.cost - begun >= gathering.limit:
            gathering.cut = True
            return
        try:
            found = player.play(operation)
        except Undefined:
            continue
        done.append(operation)
        if found:
            gathering.found(tuple(done), found)
        if player.over:
            return
