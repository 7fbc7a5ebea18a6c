"""What a Heap costs to make, and what a call costs from Python."""

from __future__ import annotations

import gc
from statistics import median
from time import perf_counter

from emu import Heap
from tests.bench.engines import Engine, image, pieces
from tests.bench.measure import Figure, seconds

_HALT = image("f: hlt")
_CALLS = 400


def figures() -> list[Figure]:
    return [_making(), *(_malloc(blocks) for blocks in (0, 100, 1000)), _pair()]


def _making() -> Figure:
    def bare() -> None:
        Engine(pieces(_HALT)).start(_HALT.symbols["f"])

    ours, theirs = seconds(lambda: Heap("osmem").close(), bare, rounds=200)
    gc.collect()  # the binding's engines are cycles
    value = f"{ours * 1e3:.2f} ms"
    return Figure("Heap('osmem')", value, ours / theirs, "bare engine", "< 2 ms", ours < 2e-3)


def _malloc(blocks: int) -> Figure:
    """With so many blocks in use; each malloc is freed again, so that there are no more."""
    with Heap("osmem") as heap:
        for _ in range(blocks):
            heap.malloc(24)
        engine = Engine(pieces(_HALT))
        start = _HALT.symbols["f"]
        ours, theirs = [], []
        for _ in range(_CALLS):
            begun = perf_counter()
            payload = heap.malloc(24)
            ours.append(perf_counter() - begun)
            heap.free(payload)
            begun = perf_counter()
            engine.start(start)
            theirs.append(perf_counter() - begun)
    taken, bare = median(ours), median(theirs)
    what = f"heap.malloc, {blocks} blocks in use"
    goal = "" if blocks else "< 60 us"
    return Figure(
        what, f"{taken * 1e6:.1f} us", taken / bare, "bare emu_start", goal, taken < 60e-6
    )


def _pair() -> Figure:
    engine = Engine(pieces(_HALT))

    def two_starts() -> None:
        engine.start(_HALT.symbols["f"])
        engine.start(_HALT.symbols["f"])

    with Heap("osmem") as heap:
        ours, theirs = seconds(lambda: heap.free(heap.malloc(24)), two_starts, rounds=_CALLS)
    return Figure("malloc and free", f"{ours * 1e6:.1f} us", ours / theirs, "2 bare emu_starts")
