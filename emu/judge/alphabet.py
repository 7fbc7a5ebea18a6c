"""The letters of the sequences that are tried: small sets of sizes at the contract's edges."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from string import ascii_lowercase

from emu.judge.failure import Operations, bytes_of
from emu.judge.model import MAX_REQUEST, META, PAGE, PREALLOC, SPLIT_MIN, THRESHOLD
from emu.judge.player import Player
from emu.scenario import operations as op
from syscalls.abi import ENOMEM, EPERM, MAX_ERRNO

ALL_FREE = PREALLOC - META
"""The payload of a heap that is one block."""

_SHORT = 1 << 13
"""A payload that the program fills; of longer ones it writes the ends."""
_END = 8


@dataclass(frozen=True, slots=True)
class Alphabet:
    """Sizes for each call. misuse: freed blocks are freed and resized, too, where that is defined.

    null: NULL is freed and resized, too. failing: every system call fails, too, with each of these
    errnos; brk, whose answer has none, once.
    """

    malloc: tuple[int, ...] = ()
    calloc: tuple[tuple[int, int], ...] = ()
    realloc: tuple[int, ...] = ()
    null: bool = False
    misuse: bool = False
    failing: tuple[int, ...] = ()

    def letters(self, player: Player, name: str) -> Iterator[op.Allocation]:
        """What can be called now; a new block is given a name."""
        yield from (op.Malloc(name, size) for size in self.malloc)
        yield from (op.Calloc(name, count, size) for count, size in self.calloc)
        sources = [*player.live]
        if self.misuse:
            sources += [stale for stale in player.stale if player.may_misuse(stale)]
        for source in sources:
            yield op.Free(source)
            yield from (op.Realloc(name, source, size) for size in self.realloc)
        if self.null:
            yield op.Free(None)
            yield from (op.Realloc(name, None, size) for size in self.realloc)


def name_of(number: int) -> str:
    """a, b, ..., z, a1, b1, ..."""
    turn, letter = divmod(number, len(ascii_lowercase))
    return ascii_lowercase[letter] + (str(turn) if turn else "")


def use_of(name: str, size: int) -> Operations:
    """What the program writes into a new block: another byte for each name."""
    byte = 0x11 + (sum(map(ord, name)) * 29) % 0xE0
    if size <= _SHORT:
        return (op.Fill(name, byte),) if size else ()
    data = bytes([byte]) * _END
    return op.Write(name, 0, data), op.Write(name, size - _END, data)


def uses(operation: op.Operation, player: Player) -> Operations:
    """What the program writes after a call, if that has given it a block."""
    if isinstance(operation, op.Malloc | op.Calloc | op.Realloc) and operation.name in player.live:
        return use_of(operation.name, bytes_of(operation))
    return ()


_TIGHT = SPLIT_MIN
"""With 8 taken of it, nothing can be split off: the rest is a header without a payload."""
_ROOMY = SPLIT_MIN + 8
"""With 8 taken of it, a block of 8 can be split off."""

OSMEM = (
    Alphabet((8, _TIGHT, _ROOMY), ((1, 8),), (8, _ROOMY)),
    Alphabet((8, ALL_FREE - SPLIT_MIN), (), (_TIGHT,)),
)
"""At full depth."""

OSMEM_WIDE = (
    Alphabet(
        (1, 8, _TIGHT, _ROOMY, ALL_FREE - SPLIT_MIN, ALL_FREE - META, ALL_FREE - 1, ALL_FREE),
        ((1, 13), (2, 32), (1, PAGE - META - 1), (1, PAGE - META)),
        (0, 8, _ROOMY, THRESHOLD - META, 2 * THRESHOLD),
        null=True,
    ),
)
"""At a depth of three: every edge."""

MALLOC = (
    Alphabet((8, 100), ((1, 8),), (24, 200)),
    Alphabet((16, 5000), ((3, 100),), (4000,)),
)
MALLOC_WIDE = (
    Alphabet(
        (0, 1, 24, 100, 4096, 131_072, 200_000),
        ((0, 8), (1, 13), (2, 32)),
        (0, 1, 48, 5000, 200_000),
        null=True,
    ),
)

OSMEM_FAILING = (
    Alphabet((8, ALL_FREE - 1), (), (ALL_FREE,), failing=(ENOMEM,)),
    Alphabet((8, ALL_FREE - 1, ALL_FREE), ((1, PAGE),), (_ROOMY, ALL_FREE - 1), failing=(ENOMEM,)),
    Alphabet((ALL_FREE,), ((1, PAGE),), (2 * ALL_FREE,), failing=(EPERM, MAX_ERRNO)),
)
"""The first at a depth of one less, the second at a depth of three, the third, of the least and the
largest errno, at a depth of two."""
MALLOC_FAILING = (
    Alphabet((8, 200_000), (), (6000,), failing=(ENOMEM,)),
    Alphabet((8, 5000, 200_000), ((1, 5000),), (6000, 300_000), failing=(ENOMEM,)),
    Alphabet((200_000,), ((1, 200_000),), (300_000,), failing=(EPERM,)),
)
MISUSE = Alphabet((8, _ROOMY), ((1, 8),), (8, ALL_FREE), misuse=True)

LARGE = 2**32 + 24
"""A request that is small if its upper half is lost, and that memory has: nobody fills it."""
PTRDIFF_MAX = (1 << 63) - 1
HUGE = (
    MAX_REQUEST, MAX_REQUEST + 1, PTRDIFF_MAX, PTRDIFF_MAX + 1, 2**63 + 8, 2**64 - PAGE, 2**64 - 33,
    2**64 - 32, 2**64 - 31, 2**64 - 16, 2**64 - 9, 2**64 - 8, 2**64 - 7, 2**64 - 1,
)  # fmt: skip
PRODUCTS = (
    (2**63, 2), (2**63 + 1, 2), (2**32, 2**32), (2**32 + 1, 2**32), (2**61 + 1, 8), (2**60, 17),
    (2, 2**63), (8, 2**61 + 1), (2**64 - 1, 2), (2**64 - 1, 2**64 - 1), (3, (2**64 + 24) // 3),
    (2**33, 2**31 + 1), (16, 2**60 + 4), (1, 2**64 - 1), (2**64 - 8, 1), (2**62, 8), (2**62, 16),
)  # fmt: skip
"""Most of them wrap to something small."""
