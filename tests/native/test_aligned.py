"""What an allocator has beside its four functions where it takes malloc's place (asm/malloc)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asm.layout import META
from asm.source import PACKAGE
from emu import Heap
from emu.view.blocks import Status
from tests.native.building import build, run

ENOMEM, EINVAL = 12, 22
ALIGNMENTS = st.sampled_from([1, 8, 16, 32, 64, 1024, 4096, 1 << 16])
SIZES = st.sampled_from([1, 8, 24, 100, 1000, 4096, 130_000, 131_040, 300_000])
CALLS = st.lists(
    st.tuples(st.just("memalign"), ALIGNMENTS, SIZES)
    | st.tuples(st.just("malloc"), st.just(1), SIZES)
    | st.tuples(st.just("realloc"), st.integers(0, 40), SIZES)
    | st.tuples(st.just("free"), st.integers(0, 40), st.just(0)),
    max_size=40,
)


@pytest.fixture(params=["osmem", "indexed"])
def heap(request: pytest.FixtureRequest) -> Iterator[Heap]:
    with Heap(PACKAGE / "malloc" / f"{request.param}.s") as made:
        yield made


def called(heap: Heap, function: str, *arguments: int) -> int:
    """What it returns. Every register that a caller keeps is as it was."""
    returned = heap.process.call(function, *arguments)
    assert returned.violations == ()
    return returned.result


class Play:
    """Calls made one after the other, and what they gave."""

    def __init__(self, heap: Heap) -> None:
        self.heap, self.live, self.given = heap, dict[int, int](), list[int]()

    def call(self, name: str, first: int, size: int) -> None:
        call = partial(called, self.heap)
        picked = sorted(self.live)[first % len(self.live)] if self.live else 0
        match name:
            case "memalign":
                self.gives(call("os_memalign", first, size), size, first)
            case "malloc":
                self.gives(call("os_malloc", size), size)
            case "realloc" if picked:
                kept = min(size, self.live.pop(picked))
                before = self.heap.process.memory.read(picked, kept)
                moved = call("os_realloc", picked, size)
                assert self.heap.process.memory.read(moved, kept) == before
                self.gives(moved, size)
            case "free":
                call("os_free", picked)
                self.live.pop(picked, None)

    def gives(self, payload: int, size: int, alignment: int = 8) -> None:
        assert payload
        assert payload % max(alignment, 8) == 0
        assert all(payload + size <= at or at + had <= payload for at, had in self.live.items())
        usable = called(self.heap, "os_malloc_usable_size", payload)
        assert usable >= size
        self.heap.process.memory.write(payload, bytes([len(self.given) & 0xFF]) * size)
        self.live[payload] = size
        self.given.append(payload)

    def is_sound(self) -> None:
        """The list of blocks, and the index, are right; all blocks of the heap are on the list."""
        assert self.heap.check() == []
        walk = {block.address: block for block in self.heap.blocks}
        mapped = [at for at in self.live if at not in walk]
        assert all(at & 0xFFF == META for at in mapped)
        assert all(walk[at].status is Status.ALLOC for at in self.live if at in walk)


@given(CALLS)
@settings(max_examples=60, deadline=None)
def test_blocks_are_aligned_apart_and_on_the_list(calls: list[tuple[str, int, int]]) -> None:
    given = []
    for name in ("osmem", "indexed"):
        with Heap(PACKAGE / "malloc" / f"{name}.s") as heap:
            play = Play(heap)
            for call in calls:
                play.call(*call)
            play.is_sound()
            given.append([at - heap.start if at < heap.brk else None for at in play.given])
    assert given[0] == given[1]


def test_what_stands_before_and_behind_is_given_back(heap: Heap) -> None:
    payload = called(heap, "os_memalign", 1024, 100)
    before, block, *behind = heap.blocks
    assert (block.address, block.size, block.status) == (payload, 104, Status.ALLOC)
    assert (before.status, before.end) == (Status.FREE, block.header)
    assert {one.status for one in behind} == {Status.FREE}
    assert behind[-1].end == heap.brk


def test_what_cannot_be_is_refused(heap: Heap) -> None:
    call = partial(called, heap)
    assert call("os_memalign", 48, 100) == 0
    assert heap.errno == EINVAL
    for alignment, size in ((16, 1 << 63), (1 << 62, 1 << 62), (1 << 63, 1), (16, (1 << 64) - 4)):
        heap.process.memory.write(heap.image.symbols["os_errno"], bytes(4))
        assert call("os_memalign", alignment, size) == 0
        assert heap.errno == ENOMEM
    assert call("os_pvalloc", (1 << 64) - 1) == 0
    assert call("os_memalign", 64, 0) == 0
    assert call("os_malloc_usable_size", 0) == 0
    assert heap.blocks == ()


def test_posix_memalign_answers_what_is_wrong_and_leaves_errno_alone(heap: Heap) -> None:
    call, memory = partial(called, heap), heap.process.memory
    place = call("os_malloc", 8)
    memory.write(place, b"unwritten")
    assert call("os_posix_memalign", place, 4, 100) == EINVAL
    assert call("os_posix_memalign", place, 24, 100) == EINVAL
    assert call("os_posix_memalign", place, 64, 1 << 63) == ENOMEM
    assert memory.read(place, 8) == b"unwritte"
    assert call("os_posix_memalign", place, 64, 100) == 0
    payload = int.from_bytes(memory.read(place, 8), "little")
    assert payload
    assert payload % 64 == 0
    assert call("os_posix_memalign", place, 64, 0) == 0
    assert memory.read(place, 8) == bytes(8)
    assert heap.errno == 0


def test_pages(heap: Heap) -> None:
    one, other = called(heap, "os_valloc", 10), called(heap, "os_pvalloc", 10)
    assert (one % 4096, other % 4096) == (0, 0)
    assert called(heap, "os_malloc_usable_size", one) == 16
    assert called(heap, "os_malloc_usable_size", other) == 4096


def test_a_heap_that_may_not_grow_stays_as_it_was(heap: Heap) -> None:
    heap.malloc(8)
    before = heap.blocks
    heap.fail("brk")
    assert called(heap, "os_memalign", 64, 500_000) == 0
    assert heap.errno == ENOMEM
    assert heap.blocks == before
    assert heap.check() == []


PROGRAM = r"""
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void)
{
    for (size_t at = 16; at <= 1 << 16; at *= 2) {
        void *blocks[4] = {memalign(at, 100), aligned_alloc(at, 16 * at), NULL, malloc(100)};
        if (posix_memalign(&blocks[2], at, 200000))
            return 1;
        for (int i = 0; i < 3; i++)
            if ((size_t)blocks[i] % at || malloc_usable_size(blocks[i]) < 100)
                return 2;
        memset(blocks[2], 1, 200000);
        blocks[2] = realloc(blocks[2], 400000);
        if (((char *)blocks[2])[199999] != 1)
            return 3;
        for (int i = 0; i < 4; i++)
            free(blocks[i]);
    }
    printf("%zu\n", (size_t)valloc(1) % 4096 + (size_t)pvalloc(1) % 4096);
    return 0;
}
"""


@pytest.mark.parametrize("name", ["osmem", "indexed"])
def test_a_program_that_wants_more_than_malloc_runs_with_it(tmp_path: Path, name: str) -> None:
    library = build(tmp_path, "libosmem.so", name, as_malloc=True)
    (tmp_path / "wants.c").write_text(PROGRAM)
    program = str(tmp_path / "wants")
    run("gcc", "-w", "-o", program, str(tmp_path / "wants.c"))
    assert run("env", f"LD_PRELOAD={library}", program) == run(program) == "0\n"


def test_all_of_the_family_is_exported_by_the_c_librarys_names(tmp_path: Path) -> None:
    library = build(tmp_path, "libosmem.so", as_malloc=True)
    said = run("nm", "-D", "--defined-only", str(library))
    names = {line.split()[2] for line in said.splitlines()}
    family = (
        "malloc calloc realloc free aligned_alloc memalign posix_memalign valloc pvalloc "
        "malloc_usable_size"
    ).split()
    assert names >= {*family, *(f"os_{name}" for name in family)}
