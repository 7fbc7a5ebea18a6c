"""Sequences that are always tried, each for one kind of mistake."""

from __future__ import annotations

from collections.abc import Iterator

from asm.layout import ALLOC, MAPPED
from emu.judge.alphabet import HUGE, LARGE, PRODUCTS, use_of
from emu.judge.failure import Operations
from emu.scenario import operations as op
from syscalls.abi import ENOMEM

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
