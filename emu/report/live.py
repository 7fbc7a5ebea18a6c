"""Blocks in use as the ledger has them: for an allocator whose heap nobody can walk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from rich.text import Text

from emu.report.palette import OTHER, USED, painted
from emu.report.strip import Piece, fitted
from emu.view.ledger import Promise

_MOST_STRIPS, _MOST_ROWS = 6, 60
_DIM = "dim"
_ROW = "{:<18} {:>10}   {}"
SPELLED = "as callers hold them; the allocator's own headers are not known"

Spell = Callable[[int], int | str]
"""An address as a place."""


def live_lines(blocks: Sequence[Promise], place: Spell, width: int) -> Iterator[Text]:
    """How many there are, where they lie to scale, and a line for each. In address order."""
    total = sum(block.size for block in blocks)
    count = f"{len(blocks)} block{'s' * (len(blocks) != 1)}"
    yield Text.assemble(("live", "bold"), f"  {total} bytes in {count}", (f"   {SPELLED}", _DIM))
    if not blocks:
        return
    stretches = [list(some) for _, some in groupby(blocks, lambda one: _base(place(one.address)))]
    for stretch in stretches[:_MOST_STRIPS]:
        if pieces := _pieces(stretch):
            yield _strip(stretch, pieces, place, width)
    if len(stretches) > _MOST_STRIPS:
        yield Text(f"... and in {len(stretches) - _MOST_STRIPS} places more", style=_DIM)
    yield _legend()
    yield Text(_ROW.format("address", "asked for", "given by"), style=_DIM)
    yield from _rows(blocks, place)


def _base(place: int | str) -> str:
    """heap, map1; "" for what has no name."""
    return place.partition("+")[0] if isinstance(place, str) else ""


def _strip(blocks: Sequence[Promise], pieces: list[Piece], place: Spell, width: int) -> Text:
    """From the first to the last of them."""
    name = f"{_spelled(place(blocks[0].address))} "
    line = Text(f"{name:<18}|")
    for role, length in fitted(pieces, max(20, width - len(line) - 1)):
        line.append(role.letter * length, style=painted(role))
    return line + Text("|")


def _pieces(blocks: Sequence[Promise]) -> list[Piece]:
    pieces, reached = [], blocks[0].address
    for block in blocks:
        start = max(block.address, reached)
        pieces += [(OTHER, start - reached), (USED, block.end - start)]
        reached = max(reached, block.end)
    return [(role, size) for role, size in pieces if size > 0]


def _rows(blocks: Sequence[Promise], place: Spell) -> Iterator[Text]:
    left_out = len(blocks) - _MOST_ROWS
    for index, block in enumerate(blocks):
        if left_out > 0 and _MOST_ROWS // 2 <= index < _MOST_ROWS // 2 + left_out:
            if index == _MOST_ROWS // 2:
                yield Text(f"... {left_out} more; --json has them all", style=_DIM)
            continue
        row = _ROW.format(_spelled(place(block.address)), block.size, f"#{block.given}")
        yield Text(row)


def _spelled(place: int | str) -> str:
    return place if isinstance(place, str) else f"{place:#x}"


def _legend() -> Text:
    text = Text()
    for role in (USED, OTHER):
        text.append(f" {role.letter} ", style=painted(role))
        text.append(f" {role.name}   ", style=_DIM)
    return text
