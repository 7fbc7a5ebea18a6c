"""The walker and the checker on heaps of any bytes: they never raise, and say what is wrong."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from emu import Heap
from emu.view import invariants
from emu.view.blocks import HEADER, Status, Walker

START = 0x10000


class Bytes:
    """A heap that is just bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def read(self, address: int, size: int) -> bytes:
        return self.data[address - START : address - START + size]


def walked(data):
    return Walker(Bytes(data)).walk(START, START + len(data))


def rules(data, *, searched=True):
    heap = invariants.Heap(walked(data), searched, hex)
    return {finding.rule for finding in invariants.check(heap)}


def header(size, status=1, prev=0, following=0):
    return HEADER.pack(size, status, prev, following)


@given(st.binary(max_size=400))
def test_any_bytes_can_be_walked_and_checked(data):
    walk = walked(data)
    assert sum(block.size + 32 for block in walk.blocks) == walk.reached - START
    assert bool(walk.broken) == (walk.reached != walk.end)
    rules(data)


@given(st.lists(st.tuples(st.integers(0, 64), st.integers(-1, 3)), max_size=12))
def test_any_headers_can_be_walked_and_checked(blocks):
    data = b"".join(header(size, status, prev=8) + bytes(size) for size, status in blocks)
    assert [block.size for block in walked(data).blocks] == [size for size, _ in blocks]
    rules(data)


def test_a_sound_heap_has_no_finding():
    one, two = START, START + 40
    data = header(8, 1, 0, two) + bytes(8) + header(16, 0, one, 0) + bytes(16)
    assert rules(data) == set()
    assert [block.status for block in walked(data).blocks] == [Status.ALLOC, Status.FREE]


def test_zeros_are_no_blocks():
    walk = walked(header(8, 1, 0, START + 40) + bytes(8) + bytes(1 << 20))
    assert len(walk.blocks) == 1
    assert "all zeros" in walk.broken
    assert rules(header(8, 1) + bytes(8) + bytes(64)) == {"tiling", "tail"}


def test_an_empty_heap_has_no_finding():
    assert rules(b"") == set()


def test_free_neighbours_are_wrong_only_after_a_search():
    one, two = START, START + 40
    data = header(8, 0, 0, two) + bytes(8) + header(8, 0, one, 0) + bytes(8)
    assert rules(data, searched=False) == set()
    assert rules(data, searched=True) == {"free-neighbours"}


def test_the_header_is_byte_for_byte_the_one_of_the_contract():
    with Heap() as heap:
        p = heap.malloc(100)
        heap.malloc(8)
        assert heap.memory[p - 32 : p] == (
            (104).to_bytes(8, "little")  # size
            + (1).to_bytes(4, "little")  # status
            + bytes(4)
            + bytes(8)  # prev
            + (p + 104).to_bytes(8, "little")  # next
        )


def test_blocks_that_did_not_change_are_the_same_objects():
    with Heap() as heap:
        heap.malloc(8)
        first = heap.blocks[0]
        heap.malloc(8)
        assert heap.blocks[0] is first


@given(st.lists(st.tuples(st.integers(0, 20_000), st.binary(min_size=1, max_size=40)), max_size=8))
def test_a_walker_that_remembers_sees_what_a_new_one_sees(writes):
    sizes = (8, 64, 5000, 24, 9000, 8, 4000)
    blocks = [header(size, i % 3 % 2, 8) + bytes(size) for i, size in enumerate(sizes)]
    memory = Bytes(b"".join(blocks))
    remembering = Walker(memory)
    before = remembering.walk(START, START + len(memory.data)).blocks
    for anywhere, data in writes:
        offset = anywhere % len(memory.data)
        memory.data = (memory.data[:offset] + data + memory.data[offset + len(data) :])[:18_392]
        end = START + len(memory.data)
        walk, fresh = remembering.walk(START, end), Walker(memory).walk(START, end)
        assert (walk.blocks, walk.broken) == (fresh.blocks, fresh.broken)
        same = len(walk.blocks) - len(walk.middle(walk.blocks))
        assert same == len(before) - len(walk.middle(before))
        assert walk.blocks[: walk.same_first] == before[: walk.same_first]
        assert walk.free == fresh.free == tuple(b for b in walk.blocks if b.status == "free")
        before = walk.blocks
