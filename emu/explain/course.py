"""The course of one call: what became of the heap's blocks, and by what."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

from asm import layout
from emu.trace.where import Where
from emu.view.blocks import Block, Status, Walk, as_block

FIELDS = {
    "size": (layout.BLOCK_SIZE, 8),
    "status": (layout.BLOCK_STATUS, 4),
    "prev": (layout.BLOCK_PREV, 8),
    "next": (layout.BLOCK_NEXT, 8),
}
"""Offset and size of each word of a header."""


@dataclass(frozen=True, slots=True)
class Look:
    """A function read words of a block's header, one after the other.

    block: as it was then. fields: which words, in the order in which they were first read.
    """

    moment: int
    function: str
    block: Block
    fields: tuple[str, ...]
    reads: int


@dataclass(frozen=True, slots=True)
class Change:
    """A word of a header was written, or of the allocator's own data.

    what: "size", "status", "prev", "next", or a symbol. address: of the payload, or the symbol's.
    old: None where nothing is known of it: the header was none before, or the symbol not written.
    """

    moment: int
    access: int
    where: Where
    what: str
    address: int
    old: int | None
    new: int

    @property
    def is_header(self) -> bool:
        return self.what in FIELDS


@dataclass(frozen=True, slots=True)
class Merge:
    """A block came to cover another one. into: as it was before."""

    access: int
    into: Block
    absorbed: Block


@dataclass
class Course:
    """walks: the heap's blocks, and from which access on it was so; the first: at the beginning.

    breaks: the same of the break.
    """

    before: Walk
    after: Walk
    looks: tuple[Look, ...]
    changes: tuple[Change, ...]
    merges: tuple[Merge, ...]
    walks: list[tuple[int, Walk]] = field(default_factory=list)
    breaks: list[tuple[int, int]] = field(default_factory=list)

    def walk_before(self, access: int) -> Walk:
        """The blocks before an access was made."""
        return self.walks[bisect_right(self.walks, access, key=_position) - 1][1]


def _position(walk: tuple[int, Walk]) -> int:
    return walk[0]


def status_of(word: int) -> Status:
    """What a status word says."""
    return as_block(0, (0, word, 0, 0)).status
