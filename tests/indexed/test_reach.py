"""Where links end, no block is made; what there is stays usable."""

from __future__ import annotations

import pytest

from asm.source import PACKAGE
from emu import Heap

REACH = 0x40000
WAS = "        .equ REACH,         0x3fffc0000 "


@pytest.fixture
def near(tmp_path):
    """indexed with links that reach no further than some 256 KiB."""
    for source in (PACKAGE / "indexed").glob("*.s"):
        text = source.read_text()
        if source.name == "index_layout.s":
            assert WAS in text
            text = text.replace(WAS, f"        .equ REACH,         {REACH:#x} ")
        (tmp_path / source.name).write_text(text)
    with Heap(tmp_path / "indexed.s") as heap:
        yield heap


def test_out_of_reach_is_out_of_memory_and_the_kernel_is_not_asked(near):
    blocks = []
    while block := near.malloc(30_000):
        blocks.append(block)
    assert near.brk - near.start > REACH
    assert near.errno == 12
    assert near.named_syscalls[-1] == ()
    near.free(blocks[0])
    assert near.malloc(30_000) == blocks[0]
    assert near.check() == []


def test_the_last_block_may_grow_beyond_and_give_back_what_lies_there(near):
    while block := near.malloc(30_000):
        last = block
    assert near.realloc(last, 130_000) == last
    assert near.realloc(last, 8) == last
    assert near.malloc(100_000) > last
    assert near.check() == []


def test_the_shipped_reach_leaves_links_room_for_the_longest_last_block():
    from asm import layout

    numbers = layout.numbers(PACKAGE / "indexed" / "index_layout.s")
    assert numbers["REACH"] + 2 * layout.THRESHOLD <= 8 << 31


def test_numbers_that_follow_from_others_do_so():
    from asm import layout

    numbers = layout.numbers(PACKAGE / "indexed" / "index_layout.s")
    assert numbers["MAPPED_FROM"] == layout.THRESHOLD - layout.META
    assert numbers["CALLOC_MAPPED_FROM"] == layout.PAGE - layout.META
    assert numbers["LAST_SIZES"] == 8 * numbers["LAST_BIN"]
    assert numbers["LAST_ROOT"] == numbers["BINS"] + 4 * numbers["LAST_BIN"]
    for name in ("PREVIOUS", "FOLLOWING"):
        assert numbers[name] == layout.META + numbers[f"TO_{name}"]
    assert (numbers["TO_PREVIOUS"], numbers["TO_FOLLOWING"]) == (0, 4)
    assert numbers["LISTED"] == 1 << numbers["LISTED_BIT"]
