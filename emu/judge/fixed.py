"""Sequences that are always tried, each for one kind of mistake."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations, product

from asm.layout import ALLOC, MAPPED, META
from emu.judge.alphabet import ALL_FREE, HUGE, LARGE, PRODUCTS, use_of
from emu.judge.failure import Operations
from emu.scenario import operations as op
from syscalls.abi import ENOMEM

_FIRST, _MIDDLE = 8, 1 << 16
_WHOLE = range(ALL_FREE - 8, ALL_FREE + 40, 8)
"""Bytes of the first of three blocks, of the second, and of all as one payload."""
_STATUS = 4
"""Bytes of a status."""
_REFUSALS = tuple(op.Fail(name, nth, ENOMEM) for name in ("mmap", "brk") for nth in range(1, 5))
"""Whoever is refused asks once more, or in another way."""


def huge(contract: str) -> Iterator[Operations]:
    """Sizes of more than 32 bits, most of which no memory has, with a block in use; products."""
    yield op.Malloc("a", LARGE), op.Free("a")
    yield op.Malloc("a", LARGE), op.Realloc("b", "a", 24), op.Free("b")
    yield *_REFUSALS, op.Calloc("a", 1, LARGE), op.Free("a")
    yield op.Malloc("a", LARGE), op.Write("a", 992, b"\x5a" * 8), op.Realloc("b", "a", 1000)
    for used in (24, 200_000):
        before = (op.Malloc("a", used), *use_of("a", used))
        for size in (LARGE, *HUGE):
            yield *before, op.Malloc("b", size), op.Malloc("c", 24), *use_of("c", 24), op.Free("b")
        for size in HUGE:
            yield *before, op.Realloc("b", "a", size), op.Free("a")
        for count, size in PRODUCTS:
            yield *before, op.Calloc("b", count, size), op.Malloc("c", 24), *use_of("c", 24)


def disguised(contract: str) -> Iterator[Operations]:
    """What a program writes looks like the headers of blocks in use, before one that is freed.

    Only osmem's contract says what becomes of a block that is freed, or resized, once more.
    """
    for status in (ALLOC, MAPPED):
        before = (
            op.Malloc("a", 64), op.Write("a", 0, status.to_bytes(_STATUS, "little") * 16),
            op.Malloc("b", 24), op.Malloc("c", 24), op.Free("b"),
        )  # fmt: skip
        for again in (op.Free("b"), op.Realloc("d", "b", 24), op.Realloc("d", "b", 0)):
            yield *before, again, op.Malloc("e", 24)


def neighbours(contract: str) -> Iterator[Operations]:
    """Three blocks side by side are freed in every order, about as long together as requests get.

    The first is as short as can be; a block in use may be behind them, or they end the heap.
    """
    for whole, guarded in product(_WHOLE, (True, False)):
        last = whole - _FIRST - _MIDDLE - 2 * META
        before = op.Malloc("a", _FIRST), op.Malloc("b", _MIDDLE), op.Malloc("c", last)
        guard = (op.Malloc("d", 8),) if guarded else ()
        for order in permutations("abc"):
            yield *before, *guard, *map(op.Free, order), op.Malloc("e", 24), op.Malloc("f", _MIDDLE)
