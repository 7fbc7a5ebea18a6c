"""The ledger: what a program does wrong with its blocks, and what it may do."""

from __future__ import annotations

import pytest

from emu import Heap


@pytest.fixture
def heap():
    with Heap() as made:
        yield made


def rules(heap):
    return [finding.rule for finding in heap.check()]


def test_a_correct_program_has_no_finding(heap):
    a = heap.malloc(100)
    b = heap.calloc(10, 10)
    heap.fill(a, 0xFF)
    heap.write(b, 90, b"0123456789")
    a = heap.realloc(a, 1000)
    heap.free(a)
    heap.free(b)
    heap.free(None)
    assert rules(heap) == []


def test_a_double_free_is_found_and_says_who_freed_first(heap):
    a = heap.malloc(8)
    heap.free(a)
    heap.free(a)
    (finding,) = heap.check()
    assert (finding.rule, finding.call) == ("double-free", 3)
    assert "given by #1, freed by #2" in finding.message


def test_freeing_what_was_never_given_is_found(heap):
    a = heap.malloc(64)
    heap.memory[a : a + 64] = bytes(64)
    heap.free(a + 32)
    assert rules(heap) == ["invalid-free"]


def test_writing_a_freed_block_is_found(heap):
    a = heap.malloc(8)
    heap.free(a)
    heap.write(a, 0, b"x")
    assert rules(heap) == ["use-after-free"]


def test_reallocating_a_freed_block_is_found(heap):
    a = heap.malloc(8)
    heap.free(a)
    assert heap.realloc(a, 16) == 0
    assert rules(heap) == ["use-after-free"]


@pytest.mark.parametrize(
    ("offset", "size", "expected"),
    [
        (0, 13, []),
        (12, 1, []),
        (13, 1, ["write-past-end"]),
        (0, 14, ["write-past-end"]),
        (-1, 1, ["write-before-start"]),
        (-1, 15, ["write-past-end", "write-before-start"]),
    ],
)
def test_a_write_out_of_range_is_found_at_the_exact_boundary(heap, offset, size, expected):
    a = heap.malloc(13)
    heap.ledger.writing(1, a, a + offset, size)
    assert rules(heap) == expected


def test_a_block_overwritten_by_its_neighbour_is_found_at_the_next_call(heap):
    a = heap.malloc(8)
    b = heap.malloc(8)
    heap.fill(b, 0x11)
    heap.process.memory.write(b + 3, b"\x99")  # behind everybody's back
    heap.free(a)
    (finding,) = heap.check()
    assert (finding.rule, finding.call) == ("contents-changed", 3)
    assert "byte 3 of 8 bytes" in finding.message
    assert "was 0x11 and is 0x99" in finding.message


def test_a_person_may_write_by_hand(heap):
    a = heap.malloc(8)
    heap.memory[a : a + 8] = b"by hand!"
    heap.malloc(8)
    assert rules(heap) == []


def test_contents_of_a_mapped_block_are_watched_too(heap):
    a = heap.malloc(1 << 20)
    heap.malloc(8)
    heap.process.memory.write(a + (1 << 19), b"\x01")
    heap.malloc(8)
    assert rules(heap) == ["contents-changed"]


def test_a_block_whose_memory_is_taken_away_is_found(heap):
    a = heap.malloc(1 << 20)
    heap.fill(a, 0x55)
    heap.process.kernel.call(11, (a - 32, 1 << 20, 0, 0, 0, 0))
    heap.malloc(8)
    assert "contents-changed" in rules(heap)


def test_a_block_is_the_new_owners_after_its_place_is_given_again(heap):
    a = heap.malloc(8)
    heap.free(a)
    assert heap.malloc(8) == a
    heap.free(a)
    assert rules(heap) == []


def test_a_failed_realloc_keeps_the_old_block(heap):
    a = heap.malloc(8)
    heap.fill(a, 0x22)
    heap.fail("mmap")
    assert heap.realloc(a, 1 << 20) == 0
    heap.process.memory.write(a, b"\0")
    heap.malloc(8)
    assert rules(heap) == ["contents-changed"]


def test_two_blocks_of_no_bytes_at_one_place_are_told_as_such(tmp_path):
    file = tmp_path / "same.c"
    file.write_text(
        "#include <unistd.h>\n"
        "void *malloc(size_t size) { return sbrk((size + 15) & -16l); }\n"
        "void free(void *pointer) { (void)pointer; }\n"
    )
    with Heap(file) as heap:
        assert heap.malloc(0) == heap.malloc(0)
        heap.malloc(8)
        same, other = heap.findings
    assert same.message.startswith("two blocks of 0 bytes are at the same place, ")
    assert same.message.endswith(" (the other given by #1)")
    assert "8 bytes at heap+0x0 overlap 0 bytes at heap+0x0 (given by #2)" in other.message
