"""What an allocator costs that a person brings: glibc's, against osmem in the same run."""

from __future__ import annotations

from pathlib import Path

from emu import Heap
from tests.bench.measure import Figure, seconds

GLIBC = Path("/lib/x86_64-linux-gnu/libc.so.6")
_CALLS, _HEAPS = 400, 40


def figures() -> list[Figure]:
    return [_call(), _again(), _open()]


def _call() -> Figure:
    with Heap(GLIBC) as glibc, Heap("osmem") as osmem:
        ours, theirs = seconds(
            lambda: glibc.free(glibc.malloc(24)),
            lambda: osmem.free(osmem.malloc(24)),
            rounds=_CALLS,
        )
    return Figure("malloc and free, glibc's", f"{ours * 1e6:.1f} us", ours / theirs, "osmem's")


def _again() -> Figure:
    """To a fresh heap, by going back to one."""
    with Heap(GLIBC) as heap, Heap("osmem") as osmem:
        fresh, plain = heap.snapshot(), osmem.snapshot()

        def back() -> None:
            heap.malloc(24)
            heap.restore(fresh)

        def plain_back() -> None:
            osmem.malloc(24)
            osmem.restore(plain)

        ours, theirs = seconds(back, plain_back, rounds=_CALLS)
    return Figure(
        "malloc and restore, glibc's", f"{ours * 1e3:.2f} ms", ours / theirs, "osmem's", "< 2 ms",
        ours < 2e-3,
    )  # fmt: skip


def _open() -> Figure:
    """One more heap, of an allocator that was opened before."""
    ours, theirs = seconds(
        lambda: Heap(GLIBC).close(), lambda: Heap("osmem").close(), rounds=_HEAPS
    )
    return Figure("Heap(libc.so.6), again", f"{ours * 1e3:.2f} ms", ours / theirs, "Heap('osmem')")
