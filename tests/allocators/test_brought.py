"""Real allocators, and small ones in C: called as osmem is, and as on the host."""

from __future__ import annotations

import pytest
from brought import GLIBC, MUSL, allocator, built, on_host, play, possible, rows

from emu import Heap

__all__ = ["allocator"]
_WORD = (1 << 64) - 1


def test_no_promise_is_broken(allocator):
    with Heap(allocator) as heap:
        play(heap, rows(1, 150, kinds=possible(heap)))
        play(heap, rows(2, 10, largest=2 << 20, kinds=possible(heap)))
        assert heap.findings == []
        assert len(heap.calls) == 160
        if heap.contract == "osmem":
            assert heap.check() == [], "the header is osmem's, and the list in order"


def test_what_is_said_without_a_walk(allocator):
    with Heap(allocator) as heap:
        kept = heap.malloc(1234)
        heap.free(heap.malloc(10))
        text = str(heap)
        assert "1234" in text
        assert str(heap.place(kept)) in text or f"{kept:#x}" in text
        assert heap.description.function("malloc") + "(1234)" in text


def test_snapshots_go_back_and_forks_go_their_own_way(allocator):
    with Heap(allocator) as heap:
        kinds = possible(heap)
        play(heap, rows(3, 30, kinds=kinds))
        snapshot = heap.snapshot()
        expected = play(heap, rows(4, 30, kinds=kinds))
        calls = [(call.instructions, call.result) for call in heap.calls]
        with heap.fork() as after:
            heap.restore(snapshot)
            with heap.fork() as other:
                assert play(other, rows(4, 30, kinds=kinds)) == expected
                assert [(c.instructions, c.result) for c in other.calls] == calls
            assert len(heap.calls) == 30
            assert play(heap, rows(4, 30, kinds=kinds)) == expected
            assert play(after, rows(5, 20, kinds=kinds)) == play(heap, rows(5, 20, kinds=kinds))
            assert after.findings == heap.findings == []


def test_every_heap_is_a_new_one(allocator):
    with Heap(allocator) as heap, Heap(allocator) as other:
        kinds = possible(heap)
        first = play(heap, rows(6, 40, kinds=kinds))
        assert play(other, rows(6, 40, kinds=kinds)) == first
        assert [c.instructions for c in heap.calls] == [c.instructions for c in other.calls]


def test_another_heap_outlives_the_first():
    heap = Heap(GLIBC)
    with heap.fork() as other:
        heap.close()
        play(other, rows(7, 50, largest=1 << 20))
        assert other.findings == []


@pytest.mark.parametrize("options", [(), ("-static",)], ids=["dynamic", "static"])
@pytest.mark.parametrize("seed", range(2))
def test_glibc_gives_the_places_that_it_gives_on_the_host(options, seed):
    calls = rows(seed, 300)
    program = built("gcc", *options)
    with Heap(program) as heap:
        here = play(heap, calls)
        first_break = heap.process.kernel.space.heap_start if not options else here[0]
        assert [result and result - first_break for result in here] == on_host(
            program, calls, from_first=bool(options)
        )


@pytest.mark.parametrize("options", [(), ("-static",)], ids=["dynamic", "static"])
def test_musl_gives_the_places_that_it_gives_on_the_host(options):
    calls = rows(11, 200, largest=100)
    program = built("musl-gcc", *options)
    with Heap(program) as heap:
        here = play(heap, calls)
        there = on_host(program, calls, from_first=True)
        off = {(a - here[0] - b) & _WORD for a, b in zip(here, there, strict=True) if a}
        assert len(off) <= (1 if options else 2), "the host's vDSO lies between mappings"
        assert all(one % 4096 == 0 for one in off)


def test_a_program_and_the_library_alone_are_the_same_allocator():
    calls = rows(12, 300)
    with Heap(built("gcc")) as program, Heap(GLIBC) as library:
        starts = [heap.process.kernel.space.heap_start for heap in (program, library)]
        there, here = play(program, calls), play(library, calls)
        assert [a and a - starts[0] for a in there] == [b and b - starts[1] for b in here]
        assert [c.instructions for c in program.calls] == [c.instructions for c in library.calls]


def test_maps_count_from_the_first_that_a_call_makes():
    with Heap(GLIBC) as heap:
        block = heap.malloc(1 << 20)
        assert heap.place(block) == "map1+0x10"
        names = [call.name for call in heap.syscalls]
        assert names[-1] == "mmap", "and what glibc asks for once"
        assert names.count("mmap") == 1


def test_errno_is_the_libcs():
    for path in (GLIBC, MUSL):
        if path.exists():
            with Heap(path) as heap:
                assert heap.errno == 0
                assert heap.malloc(1 << 62) == 0
                assert heap.errno == 12
