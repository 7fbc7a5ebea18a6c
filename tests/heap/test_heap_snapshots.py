"""A heap goes back, and forks: with its process go all that is known of it."""

from __future__ import annotations

import gc
from contextlib import ExitStack, closing
from itertools import product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emu import Heap
from emu.errors import ClosedError, GuestDied, SnapshotError
from emu.process.mmu import Mmu
from tests.digest import digest

SIZES = (1, 8, 24, 100, 1000, 5000, 70_000, 131_072, 200_000)


def act(heap, random):
    """Something that a program does, right or wrong; the answer, or how it died."""
    live = [*heap.ledger.live, *heap.ledger._taken, 0]
    payload = random.choice(live)
    acts = (
        lambda: heap.malloc(random.choice(SIZES)),
        lambda: heap.malloc(random.choice(SIZES)),
        lambda: heap.calloc(random.choice((1, 3)), random.choice(SIZES)),
        lambda: heap.realloc(payload, random.choice(SIZES)),
        lambda: heap.free(payload),
        lambda: heap.fail(random.choice(("brk", "mmap")), random.choice((1, 2))),
        lambda: heap.fill(payload, random.randrange(256), random.choice((1, 30))),
        lambda: heap.write(payload, random.randrange(-4, 30), random.randbytes(3)),
        heap.check,
    )
    try:
        answer = random.choice(acts)()
    except (GuestDied, ClosedError) as error:
        answer = str(error)
    return answer, heap.calls[-1:], heap.named_syscalls[-1:], heap.findings[-2:], heap.blocks


def acts(heap, seed, number):
    random = Random(seed)
    return [act(heap, random) for _ in range(number)]


@settings(max_examples=60)
@given(seed=st.integers(0, 1 << 64))
def test_a_heap_goes_back_to_what_it_was_and_goes_on_as_it_did(seed):
    """Ledger, places, calls, findings and process: all that a heap remembers is compared."""
    random = Random(seed)
    with Heap("osmem") as heap:
        taken = []
        for _ in range(10):
            acts(heap, random.random(), random.choice((0, 1, 4)))
            snapshot, state = heap.snapshot(), digest(heap)
            follow = random.random(), random.choice((1, 5))
            taken.append((snapshot, state, follow, acts(heap, *follow)))
            snapshot, state, follow, answers = random.choice(taken)
            heap.restore(snapshot)
            assert digest(heap) == state
            assert acts(heap, *follow) == answers


@settings(max_examples=30)
@given(seed=st.integers(0, 1 << 64))
def test_two_heaps_after_a_fork_know_nothing_of_each_other(seed):
    random = Random(seed)
    here, there = random.random(), random.random()
    with ExitStack() as stack:
        heap = stack.enter_context(closing(Heap("osmem")))
        acts(heap, random.random(), random.randrange(12))
        fork = stack.enter_context(closing(heap.fork()))
        assert digest(fork) == digest(heap)
        before = heap.snapshot()
        expected = acts(heap, there, 8)
        heap.restore(before)
        acts(heap, here, 8)
        mine = digest(heap)
        assert acts(fork, there, 8) == expected
        assert digest(heap) == mine
        heap.close()
        fork.restore(fork.snapshot())
        assert acts(fork, here, 3)


def test_a_forgotten_attribute_is_found_out(monkeypatch):
    """So the comparison can fail: here what the ledger knows of freed blocks is not put back."""
    with Heap("osmem") as heap:
        p = heap.malloc(8)
        snapshot, state = heap.snapshot(), digest(heap)
        heap.free(p)
        heap.restore(snapshot)
        assert digest(heap) == state
        heap.ledger.remark = "new"
        assert digest(heap) != state


def test_every_sequence_of_a_few_calls_is_walked_through_a_tree_of_snapshots():
    """As from the beginning, each."""
    steps = (
        lambda heap, held: held.append(heap.malloc(24)),
        lambda heap, held: held.append(heap.calloc(3, 200_000)),
        lambda heap, held: heap.free(held.pop() if held else 0),
        lambda heap, held: held.append(heap.realloc(held.pop() if held else 0, 3000)),
    )
    found = {}

    def walk(heap, held, way):
        found[way] = (heap.blocks, heap.calls[-1:], [str(f) for f in heap.check()])
        if len(way) < 4:
            here = heap.snapshot()
            for number, step in enumerate(steps):
                mine = list(held)
                step(heap, mine)
                walk(heap, mine, (*way, number))
                heap.restore(here)

    with Heap("osmem") as heap:
        walk(heap, [], ())
        gc.collect()
        assert heap.process.memory.remembered() == 0
    assert len(found) == sum(4**n for n in range(5))
    for way in Random(1).sample(list(product(range(4), repeat=4)), 30):
        with Heap("osmem") as heap:
            held = []
            for number in way:
                steps[number](heap, held)
            assert found[way] == (heap.blocks, heap.calls[-1:], [str(f) for f in heap.check()])


def test_a_heap_whose_process_died_is_revived():
    with Heap("osmem", budget=100_000) as heap:
        p = heap.malloc(24)
        sound = heap.snapshot()
        heap.memory[p - 32 : p] = b"\xff" * 32
        with pytest.raises(GuestDied):
            heap.fill(0, 1, 8)
        with pytest.raises(ClosedError):
            heap.malloc(8)
        heap.restore(sound)
        assert heap.check() == []
        heap.free(p)
        assert heap.malloc(24) == p


def test_a_snapshot_of_another_heap_is_refused():
    with Heap("osmem") as one, Heap("osmem") as other:
        with pytest.raises(SnapshotError, match="another heap"):
            other.restore(one.snapshot())
        with one.fork() as fork, pytest.raises(SnapshotError, match="another heap"):
            fork.restore(one.snapshot())


def test_a_closed_heap_is_neither_remembered_nor_forked():
    heap = Heap("osmem")
    snapshot = heap.snapshot()
    heap.close()
    for asked in (heap.snapshot, heap.fork, lambda: heap.restore(snapshot)):
        with pytest.raises(ClosedError):
            asked()


def test_a_list_of_calls_that_somebody_holds_is_not_cut():
    with Heap("osmem") as heap:
        before = heap.snapshot()
        heap.malloc(8)
        held = heap.calls
        heap.restore(before)
        assert (len(held), heap.calls) == (1, [])


def test_memory_that_is_given_back_to_the_host_does_not_grow():
    """Ten thousand snapshots, each of which is dropped."""
    with Heap("osmem") as heap:
        payload = heap.malloc(100_000)
        first = heap.snapshot()
        for turn in range(10_000):
            last = heap.snapshot()
            heap.memory[payload : payload + 8] = turn.to_bytes(8, "little")
        memory: Mmu = heap.process.memory
        assert memory.remembered() <= 2
        heap.restore(first)
        assert heap.memory[payload : payload + 8] == bytes(8)
        del first, last
        assert memory.remembered() == 0


def test_when_an_index_is_looked_at_does_not_depend_on_what_was_taken_back():
    """An index of many blocks is looked at now and then: the same calls find the same."""
    with Heap("indexed") as heap:
        blocks = [heap.malloc(24) for _ in range(400)]
        for payload in blocks[::2]:
            heap.free(payload)
        start = heap.image.symbols["bin_map"]
        heap.memory[start : start + 8] = bytes(8)
        here, found = heap.snapshot(), []
        for _ in range(2):
            heap.restore(here)
            found.append(
                [bool(heap.check_blocks(heap.walk(), only_changed=True)) for _ in range(6)]
            )
        assert found[0] == found[1]
        assert set(found[0]) == {True, False}
