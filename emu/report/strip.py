"""The heap as a strip of cells, in address order.

Every block has a cell for its header and one for its payload at least, so that small blocks can
be seen; what is left of the width is shared out by size. Where that needs more cells than there
are, the strip is to scale and a cell shows what most of its bytes are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from emu.report.palette import ERROR, FREE, OTHER, USED, Role, parts
from emu.view.blocks import Block

Piece = tuple[Role, int]


def cells(blocks: Sequence[Block], requested: Mapping[int, int], width: int) -> list[Piece]:
    """Runs of cells of the same role; their lengths sum to `width`, or to 0 for no heap.

    requested: bytes that callers asked for, by payload.
    """
    pieces = [
        (role, end - start)
        for block in blocks
        for role, start, end in parts(block, requested.get(block.address))
    ]
    return fitted(pieces, width)


def fitted(pieces: list[Piece], width: int) -> list[Piece]:
    """Pieces with lengths in bytes, with lengths in cells: `width` of them, 0 for no piece."""
    if not pieces:
        return []
    if len(pieces) > width:
        return _to_scale(pieces, width)
    lengths = _share(pieces, width)
    return [(role, length) for (role, _), length in zip(pieces, lengths, strict=True)]


def _share(pieces: list[Piece], width: int) -> list[int]:
    """One cell each, and the rest by size; headers and slack take no more."""
    growing = [size if role in (USED, FREE, ERROR, OTHER) else 0 for role, size in pieces]
    total, spare = sum(growing), width - len(pieces)
    if not total:
        return [1] * (len(pieces) - 1) + [1 + spare]
    exact = [spare * size / total for size in growing]
    lengths = [1 + int(share) for share in exact]
    order = sorted(range(len(pieces)), key=lambda i: int(exact[i]) - exact[i])
    for index in order[: width - sum(lengths)]:
        lengths[index] += 1
    return lengths


def _to_scale(pieces: list[Piece], width: int) -> list[Piece]:
    total = sum(size for _, size in pieces)
    weights: list[dict[Role, float]] = [{} for _ in range(width)]
    position = 0
    for role, size in pieces:
        start, position = position, position + size
        first, last = start * width // total, (position * width - 1) // total
        for cell in range(first, last + 1):
            low, high = max(start, cell * total / width), min(position, (cell + 1) * total / width)
            weights[cell][role] = weights[cell].get(role, 0) + high - low
    roles = [max(weight, key=lambda role: weight[role]) for weight in weights]
    return [(role, len(list(run))) for role, run in groupby(roles)]
