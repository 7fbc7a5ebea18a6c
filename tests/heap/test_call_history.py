"""A heap steps through its calls, in both directions."""

from __future__ import annotations

import pytest

from emu import Heap
from emu.errors import GuestDied


def _seen(heap):
    memory = heap.memory[heap.start : heap.brk] if heap.brk > heap.start else b""
    return heap.blocks, memory, list(heap.calls), heap.syscalls, heap.check()


def test_every_call_is_gone_back_to_and_forward_again():
    with Heap("osmem") as heap:
        history, states = heap.history, [_seen(heap)]
        held = [heap.malloc(1000)]
        states.append(_seen(heap))
        for act in (
            lambda: held.append(heap.malloc(24)),
            lambda: heap.free(held[0]),
            lambda: held.append(heap.calloc(3, 200_000)),
            lambda: held.append(heap.realloc(held[1], 5000)),
        ):
            act()
            states.append(_seen(heap))
        assert (len(history), history.at) == (5, 5)
        for at in (4, 3, 2, 1, 0):
            history.back()
            assert (history.at, _seen(heap)) == (at, states[at])
        for at in (1, 2, 3, 4, 5):
            history.forward()
            assert (history.at, _seen(heap)) == (at, states[at])
        for at in (2, 5, 0, 3):
            history.go_to(at)
            assert _seen(heap) == states[at]


def test_what_the_program_wrote_after_its_last_call_is_kept():
    with Heap("osmem") as heap:
        history = heap.history
        p = heap.malloc(8)
        heap.fill(p, 0x55)
        history.back()
        history.forward()
        assert heap.memory[p : p + 8] == b"\x55" * 8
        heap.fill(p, 0x66)
        history.back()
        history.forward()
        assert heap.memory[p : p + 8] == b"\x66" * 8


def test_a_call_in_the_past_takes_the_place_of_those_that_followed():
    with Heap("osmem") as heap:
        history = heap.history
        first = heap.malloc(100)
        heap.malloc(200)
        heap.malloc(300)
        history.go_to(1)
        heap.free(first)
        assert (len(history), history.at) == (2, 2)
        assert [call.name for call in heap.calls] == ["os_malloc", "os_free"]
        history.back(2)
        assert heap.blocks == ()


def test_a_heap_is_taken_back_from_its_death():
    with Heap("osmem") as heap:
        history = heap.history
        p = heap.malloc(100)
        with pytest.raises(GuestDied):
            heap.free(8)
        history.back()
        heap.free(p)
        assert len(heap.calls) == 2


def test_there_is_nothing_beyond_the_history():
    with Heap("osmem") as heap:
        heap.malloc(1)
        history = heap.history
        heap.malloc(2)
        with pytest.raises(IndexError, match="0 to 1"):
            history.back(2)
        with pytest.raises(IndexError, match="0 to 1"):
            history.forward()


def test_a_restored_heap_begins_another_history():
    with Heap("osmem") as heap:
        before, history = heap.snapshot(), heap.history
        heap.malloc(1)
        heap.restore(before)
        assert heap.history is not history
        assert len(heap.history) == 0
