"""Sequences that are always tried, each for one kind of mistake."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations, product

from asm.layout import ALLOC, MAPPED, META
from emu.judge.alphabet import ALL_FREE, HUGE, LARGE, PRODUCTS, use_of
from emu.judge.failure import Operations
from emu.scenario import operations as op
from syscalls.abi import ENOMEM

_HALF = 1 << 16
"""Bytes of a block that makes a run with another: about half of what a request may be."""
_FIRST, _WHOLE = 8, range(ALL_FREE - 8, ALL_FREE + 40, 8)
"""Bytes of the first of three blocks, and of all as one payload."""
_LONG = (150_000, 200_000, 140_000, 170_000, 140_000)
"""Bytes of runs, longer than any request, as one payload each."""
_ROUND = (1 << 18, 1 << 19)
"""Bytes from the heap's start to a payload: to one whose number has many bits of 0."""
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
        yield *before, op.Realloc("b", "a", LARGE), op.Free("b")
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
        last = whole - _FIRST - _HALF - 2 * META
        before = op.Malloc("a", _FIRST), op.Malloc("b", _HALF), op.Malloc("c", last)
        guard = (op.Malloc("d", 8),) if guarded else ()
        for order in permutations("abc"):
            yield *before, *guard, *map(op.Free, order), op.Malloc("e", 24), op.Malloc("f", _HALF)


def long_runs(contract: str) -> Iterator[Operations]:
    """Runs that are longer than any request: found by length, and made longer still.

    A block in use may be behind the last, or it ends the heap.
    """
    for first, guarded in product(range(0, len(_LONG), 2), (True, False)):
        lengths = _LONG[first:] + _LONG[:first]
        for run in (lengths, lengths[::-1]):
            yield tuple(_long_runs(run, guarded=guarded))


def _long_runs(lengths: tuple[int, ...], *, guarded: bool) -> Iterator[op.Operation]:
    numbers = range(len(lengths))
    for number, length in enumerate(lengths):
        yield op.Malloc(f"a{number}", _HALF)
        yield op.Malloc(f"b{number}", length - _HALF - META)
        if guarded or number < len(lengths) - 1:
            yield op.Malloc(f"between{number}", 8)
    for number in numbers:
        yield op.Free(f"a{number}")
        yield op.Free(f"b{number}")
    yield op.Malloc("small", 24)
    for number in numbers:
        yield op.Malloc(f"large{number}", ALL_FREE - 8 - 8 * number)
    for number in numbers:
        yield op.Free(f"large{number}")
    yield op.Malloc("again", 24)
    for number in numbers[1:-1:2]:
        yield op.Free(f"between{number}")
        yield op.Malloc(f"next{number}", 24)


def round_places(contract: str) -> Iterator[Operations]:
    """Holes of a size, and long runs, the first of them at a round place."""
    for place, half in product(_ROUND, (24, _HALF + META)):
        before = [op.Malloc(f"before{at}", size) for at, size in _up_to(place - META)]
        names = [f"{name}{number}" for number in range(3) for name in "ab"]
        holes = [call for name in names for call in _hole(name, half)]
        # the first is the first in a tree: runs get there by the search, the last one first
        freed = [op.Free(name) for name in (names if half < _HALF else names[::-1])]
        yield *before, *holes, *freed, op.Malloc("small", 8), op.Malloc("large", half)


def _up_to(end: int) -> Iterator[tuple[int, int]]:
    """(address, size) of requests from the heap's start to where a header shall be."""
    longest = ALL_FREE - 8
    yield 0, longest
    at = ALL_FREE + META  # the heap's first block: 8 bytes are too little to split off
    while at < end:
        size = min(longest, end - at - META)
        yield at, size
        at += size + META


def _hole(name: str, size: int) -> Iterator[op.Operation]:
    yield op.Malloc(name, size)
    if name.startswith("b") or size < _HALF:
        yield op.Malloc(f"behind-{name}", 8)
