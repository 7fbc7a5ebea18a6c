"""indexed and osmem in lockstep: no result, system call, header or content differs.

pytest                                  every short sequence, and 200 000 random calls
pytest --hypothesis-profile=long        ten million, and long patterns beside osmem itself
"""

from __future__ import annotations

from itertools import islice

import pytest
from hypothesis import settings
from playing import (
    BEGIN_AGAIN,
    CALLOC,
    FREE,
    MALLOC,
    MOST,
    REALLOC,
    Drawing,
    Lockstep,
    images,
    in_parts,
)

from asm.source import PACKAGE
from emu.errors import GuestDied

SIZES = {
    "small": [(1, 64)],
    "three": [(8, 8), (16, 16), (8, 48)],
    "some larger": [(1, 24), (1, 300)],
    "larger": [(1, 24), (1, 5000), (100, 200)],
    "edges": [(1, 64), (1, 64), (3900, 4200), (131_000, 131_080)],
    "few and large": [(1, 16), (60_000, 135_000)],
}
SLOTS = (5, 12, 40, 150)
NORMAL, LONG = 200_000, 10_000_000
LENGTH = 1400
"""Calls of one process."""


def is_long():
    return settings.default.max_examples > 100


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    return images(tmp_path_factory.mktemp("player"), "osmem", "indexed")


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES.keys())
@pytest.mark.parametrize("slots", SLOTS)
def test_no_random_call_tells_them_apart(both, sizes, slots):
    share = (LONG if is_long() else NORMAL) // (len(SIZES) * len(SLOTS))
    for seed in range(-(-share // LENGTH)):
        drawing = Drawing(seed, slots, sizes)
        with Lockstep(*both, slots) as lockstep:
            lockstep.play(drawing.calls(LENGTH))


# Every sequence

MALLOCS = (8, 40, 48)
REALLOCS = (8, 48)
"""With 8 taken of 40, nothing can be split off; of 48, a block of 8 can."""


def letters(place):
    """What the call at a place of a sequence may be: slots are numbered as they are filled."""
    yield from ((MALLOC, place, size, 0) for size in MALLOCS)
    for slot in range(place):
        yield FREE, slot, 0, 0
        yield from ((REALLOC, slot, size, 0) for size in REALLOCS)


def sequences(length, before=()):
    if len(before) == length:
        yield before
        return
    for letter in letters(len(before)):
        yield from sequences(length, (*before, letter))


def test_no_sequence_of_up_to_five_calls_tells_them_apart(both):
    five, played = sequences(5), 0
    with Lockstep(*both, 5) as lockstep:
        while chunk := list(islice(five, MOST // 6)):
            lockstep.play([call for one in chunk for call in (*one, (BEGIN_AGAIN, 0, 5, 0))])
            played += len(chunk)
    assert played == 3 * 6 * 9 * 12 * 15


# Failing system calls

WANTING = [
    *((MALLOC, slot, 40_000, 0) for slot in range(6)),
    (MALLOC, 6, 200_000, 0), (CALLOC, 7, 2, 4096), (FREE, 2, 0, 0), (FREE, 3, 0, 0),
    (MALLOC, 2, 90_000, 0), (REALLOC, 2, 120_000, 0), (REALLOC, 0, 60_000, 0), (FREE, 2, 0, 0),
    (REALLOC, 6, 250_000, 0), (MALLOC, 3, 100_000, 0), (MALLOC, 2, 100_000, 0),
    (REALLOC, 2, 131_000, 0), (FREE, 6, 0, 0), (REALLOC, 7, 100, 0), (FREE, 2, 0, 0),
    (MALLOC, 6, 131_039, 0), (MALLOC, 8, 8, 0), (REALLOC, 8, 131_040, 0),
]  # fmt: skip


def test_no_failing_system_call_tells_them_apart(both):
    with Lockstep(*both) as lockstep:
        lockstep.play(WANTING)
        asked = lockstep.asked
    assert {"brk", "mmap", "munmap"} == set(asked)
    for name in set(asked):
        for nth in range(1, asked.count(name) + 1):
            with Lockstep(*both) as lockstep:
                lockstep.fail(name, nth)
                lockstep.play(WANTING + WANTING)


@pytest.mark.parametrize("seed", range(20))
def test_no_shortage_among_random_calls_tells_them_apart(both, seed):
    drawing = Drawing(seed, 20, SIZES["edges"])
    with Lockstep(*both, 20) as lockstep:
        for _ in range(10):
            lockstep.fail(drawing.random.choice(("brk", "mmap", "munmap")), seed % 3 + 1)
            lockstep.play(drawing.calls(60))


# Many blocks

PATTERNS = {
    "uniform": [(1, 1000)],
    "equal": [(24, 24)],
    "two sizes": [(64, 64), (448, 448)],
    "few large": [(1, 64)] * 15 + [(1, 100_000)],
}


WALKING = 100
"""Instructions that osmem may take for each block, in each call."""


def pattern(live, sizes):
    """Many blocks, every other one given back, and then some coming and going."""
    drawing = Drawing(live, live, sizes)
    yield from drawing.filling()
    yield from drawing.emptying(0.5)
    yield from drawing.calls(live)
    yield from drawing.filling()
    yield from drawing.emptying(0.9)
    yield MALLOC, 0, 131_000, 0


@pytest.mark.parametrize("sizes", PATTERNS.values(), ids=PATTERNS.keys())
def test_no_long_pattern_tells_them_apart(both, sizes):
    live = 50_000 if is_long() else 1000
    with Lockstep(*both, live, budget=MOST * live * WALKING) as lockstep:
        for part in in_parts(list(pattern(live, sizes))):
            lockstep.play(part, every=len(part) if is_long() else 8)


# The comparison is proven

BROKEN = {
    "the highest of equals": ("tree.s", "setb    r11b", "seta    r11b"),
    "a back pointer is not set": ("verbs.s", "mov     [rsi + BLOCK_PREV], rdx", "nop"),
    "the tail is not known": ("verbs.s", "mov     [rip + heap_tail], rdx", "nop"),
    "too little is no block": ("malloc.s", "cmp     rcx, SPLIT_MIN", "cmp     rcx, 48"),
    "calloc clears nothing": ("calloc.s", "cmova   rdi, r12", "mov     rdi, rax"),
    "errno is forgotten": (
        "malloc.s",
        "cmp     rdi, rax\n        ja      out_of_memory",
        "cmp     rdi, rax\n        ja      .Lalloc_nothing",
    ),
}


@pytest.mark.parametrize("bug", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_one_is_told_apart(bug, tmp_path):
    file, was, is_ = bug
    for source in (PACKAGE / "indexed").glob("*.s"):
        text = source.read_text()
        if source.name == file:
            assert was in text, "indexed has changed under it"
            text = text.replace(was, is_, 1)
        (tmp_path / source.name).write_text(text)
    pair = images(tmp_path, "osmem", str(tmp_path / "indexed.s"))
    drawing = Drawing(0, 20, [(1, 64), (1, 64), (1, 200), (2**63, 2**64 - 1)])
    with (
        pytest.raises((AssertionError, GuestDied)),
        Lockstep(*pair, 20, budget=10_000_000) as lockstep,
    ):
        lockstep.play(drawing.calls(2000))
