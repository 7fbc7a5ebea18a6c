"""The strip: every block is seen, and lengths are by size."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from emu.report.palette import FREE, HEADER, SLACK, USED
from emu.report.strip import cells
from emu.view.blocks import Block, Status


def heap(*blocks):
    made, address = [], 32
    for size, status in blocks:
        made.append(Block(address, size, status, 0, 0))
        address += size + 32
    return made


def drawn(blocks, requested=None, width=40):
    return "".join(role.letter * length for role, length in cells(blocks, requested or {}, width))


def test_no_heap_is_no_strip():
    assert cells([], {}, 40) == []


def test_headers_are_one_cell_and_payloads_by_size():
    blocks = heap((1000, Status.ALLOC), (3000, Status.FREE))
    assert drawn(blocks) == "H##########H" + "." * 28


def test_a_tiny_block_is_still_seen():
    blocks = heap((8, Status.ALLOC), (1 << 20, Status.FREE))
    assert drawn(blocks) == "H#H" + "." * 37


def test_slack_has_its_own_cell():
    blocks = heap((1008, Status.ALLOC), (1008, Status.FREE))
    assert drawn(blocks, {32: 1001}, width=10) == "H###sH...."


def test_more_blocks_than_cells_are_drawn_to_scale():
    blocks = heap(*[(96, Status.ALLOC)] * 50, *[(96, Status.FREE)] * 50)
    assert drawn(blocks, width=10) == "#####....."


@given(
    st.lists(
        st.tuples(
            st.integers(1, 5000).map(lambda n: 8 * n), st.sampled_from([Status.ALLOC, Status.FREE])
        ),
        min_size=1,
        max_size=80,
    ),
    st.integers(10, 120),
)
def test_the_cells_always_fill_the_width(blocks, width):
    runs = cells(heap(*blocks), {}, width)
    assert sum(length for _, length in runs) == width
    assert all(length > 0 and role in (USED, FREE, HEADER, SLACK) for role, length in runs)
