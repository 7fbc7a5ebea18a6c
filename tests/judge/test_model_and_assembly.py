"""The model and the assembly in lockstep: every result, system call and block is equal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emu import Heap
from emu.judge.model import MAX_REQUEST, Model

EDGES = [
    0, 1, 7, 8, 9, 24, 31, 32, 33, 40, 63, 64, 100, 500, 1000, 4055, 4056, 4063, 4064, 4065, 4096,
    65536, 131000, 131031, 131032, 131033, 131039, 131040, 131041, 131071, 131072, 200_000,
    1 << 20, 1 << 40, 1 << 47, MAX_REQUEST - 1, MAX_REQUEST, MAX_REQUEST + 1, 2**63, 2**64 - 33,
    2**64 - 32, 2**64 - 8, 2**64 - 1,
]  # fmt: skip

small = st.integers(0, 300)
sizes = small | st.sampled_from(EDGES) | st.integers(0, 140_000)
picks = st.integers(0, 63)
operations = st.one_of(
    st.tuples(st.just("malloc"), sizes),
    st.tuples(st.just("malloc"), small),
    st.tuples(st.just("calloc"), st.sampled_from([0, 1, 2, 3]), small | st.integers(3900, 4200)),
    st.tuples(st.just("calloc"), st.sampled_from([2**40, 2**63, 2**64 - 1]), sizes),
    st.tuples(st.just("free"), picks),
    st.tuples(st.just("free"), picks),
    st.tuples(st.just("realloc"), picks, sizes),
    st.tuples(st.just("realloc"), picks, small),
    st.tuples(st.just("misuse"), st.sampled_from(["free", "realloc"]), picks, small),
    st.tuples(st.just("fail"), st.sampled_from(["brk", "mmap", "munmap"]), st.integers(1, 3)),
)


class Lockstep:
    """The same calls on both; `step` asserts that nothing differs."""

    def __init__(self, heap: Heap) -> None:
        self.heap = heap
        self.model = Model.fresh(heap.start)
        self.live: list[int] = []
        self.freed: list[int] = []

    def step(self, operation: tuple) -> None:
        kind, *args = operation
        getattr(self, kind)(*args)
        self.compare()

    def compare(self) -> None:
        heap, model = self.heap, self.model
        assert tuple((b.address, b.size, str(b.status)) for b in heap.blocks) == model.blocks
        assert list(heap.syscalls) == model.kernel.calls
        assert heap.errno == model.errno
        assert heap.check() == [f for f in heap.findings if f.rule in MISUSE]

    def malloc(self, size: int) -> None:
        self._gave(self.heap.malloc(size), self.model.malloc(size))

    def calloc(self, count: int, size: int) -> None:
        self._gave(self.heap.calloc(count, size), self.model.calloc(count, size))

    def free(self, pick: int) -> None:
        address = self._take(pick)
        self.heap.free(address)
        self.model.free(address)
        self.freed.append(address)

    def realloc(self, pick: int, size: int) -> None:
        address = self._take(pick)
        new = self.heap.realloc(address, size)
        self._gave(new, self.model.realloc(address, size))
        if new or not size:
            self.freed.append(address)
        elif address:
            self.live.append(address)

    def misuse(self, kind: str, pick: int, size: int) -> None:
        """Frees or reallocs a block that is FREE."""
        free = [address for address, _, status in self.model.blocks if status == "free"]
        stale = [address for address in self.freed if address in free]
        if not stale:
            return
        address = stale[pick % len(stale)]
        if kind == "free":
            self.heap.free(address)
            self.model.free(address)
        else:
            assert self.heap.realloc(address, size) == self.model.realloc(address, size) == 0

    def fail(self, syscall: str, nth: int) -> None:
        self.heap.fail(syscall, nth)
        self.model.kernel.shortages.plan(syscall, nth, 12)

    def _gave(self, ours: int, models: int) -> None:
        assert ours == models
        if ours:
            self.live.append(ours)

    def _take(self, pick: int) -> int:
        return self.live.pop(pick % len(self.live)) if self.live else 0


MISUSE = ("double-free", "use-after-free", "invalid-free")


@pytest.mark.parametrize("allocator", ["osmem", "indexed"])
@given(calls=st.lists(operations, min_size=20, max_size=60))
def test_no_result_system_call_or_block_differs(allocator, calls):
    with Heap(allocator) as heap:
        both = Lockstep(heap)
        for operation in calls:
            both.step(operation)
