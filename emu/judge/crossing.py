"""A heap on both sides of a power of two: blocks, and breaks, whose addresses have no lower bits.

Here two addresses may have no bit in common, and the lower half of one may be 0 or less than that
of the one before it.
"""

from __future__ import annotations

from collections.abc import Iterator

from emu.allocators import MALLOC, OSMEM
from emu.judge.alphabet import ALL_FREE, use_of
from emu.judge.failure import Operations
from emu.judge.model import META, PREALLOC
from emu.scenario import operations as op

BOUNDARY = 1 << 46
ROOM = 2 * PREALLOC
"""From the heap's start to the boundary."""

_SIZE = 24
_LONG, _LONGER = 100_000, 110_000
"""Of blocks that are no mappings; three of them reach over the boundary."""
_OVERHEAD = {OSMEM: (8 + 4 * META, 8 + 5 * META), MALLOC: range(64, 176, 8)}
"""What may stand before the boundary beside the payloads of two long blocks and of the one that is
cut to fit: a small block and headers, as many as the contract knows of."""
_ALL, _SOME = ALL_FREE - 8, 60_000
"""What takes the whole of osmem's first heap, and a part of what it asks for next."""


def crossing(contract: str) -> Iterator[Operations]:
    """Sequences for a heap in which nothing has happened."""
    for overhead in _OVERHEAD[contract]:
        yield from _blocks_at_the_boundary(overhead)
    yield from _breaks_at_the_boundary()


def _blocks_at_the_boundary(overhead: int) -> Iterator[Operations]:
    """Of each way to make a block: its header, or its payload, begins there, on used memory."""
    before = (
        *_new("a", 8), *_new("b", _LONG), *_new("x", _LONG), op.Malloc("c", _LONG),
        op.Fill("c", 0xA5), op.Free("c"), *_new("c", ROOM - 2 * _LONG - overhead),
    )  # fmt: skip
    for new in (
        op.Malloc("d", _SIZE), op.Calloc("d", 3, _SIZE // 3), op.Realloc("d", "a", _SIZE),
    ):  # fmt: skip
        yield *before, new, *use_of("d", _SIZE), *_AFTER
    longer = op.Realloc("d", "d", _LONGER), *use_of("d", _LONGER)
    yield *before, *_new("d", _LONG), *longer, *_AFTER


def _breaks_at_the_boundary() -> Iterator[Operations]:
    """Of each way to ask for more: as much as osmem asks for up to there, and then beyond."""
    last = PREALLOC - (META + _SOME) - META
    before = *_new("b", _ALL), *_new("x", _SOME)
    shorter = _new("c", last // 2)
    for more in (
        _new("c", last),
        (*shorter, op.Free("c"), *_new("c", last)),
        (*shorter, op.Realloc("c", "c", last), *use_of("c", last)),
    ):
        yield *before, *more, *_new("d", _SIZE), *_AFTER


def _new(name: str, size: int) -> Operations:
    return op.Malloc(name, size), *use_of(name, size)


_AFTER = (
    *_new("e", _SIZE), op.Free("c"), op.Realloc("f", "d", 100), *use_of("f", 100), op.Free("e"),
    *_new("g", 200), op.Free("f"), *_new("h", 48),
)  # fmt: skip
