"""Every system call failing at every possible position of a set of scenarios."""

from __future__ import annotations

import pytest

from emu import Heap


def growing(heap):
    a = heap.malloc(1000)
    b = heap.malloc(100_000)
    c = heap.malloc(100_000)
    heap.free(b)
    heap.realloc(c, 120_000)
    heap.realloc(a, 131_000)
    heap.malloc(8)


def mapping(heap):
    a = heap.malloc(1 << 20)
    heap.realloc(a, 1 << 21)
    b = heap.calloc(4, 4096)
    heap.free(b)
    heap.realloc(heap.malloc(10), 1 << 18)


def mixed(heap):
    held = [heap.malloc(size) for size in (24, 200_000, 60_000, 70_000, 5000)]
    for address in held[::2]:
        heap.free(address)
    for address in held[1::2]:
        if address:
            heap.realloc(address, 150_000)
    heap.calloc(1, 50_000)


SCENARIOS = (growing, mapping, mixed)


def made(scenario, syscall):
    with Heap() as heap:
        scenario(heap)
        return sum(call.name == syscall for call in heap.syscalls)


POSITIONS = [
    (scenario, syscall, nth)
    for scenario in SCENARIOS
    for syscall in ("brk", "mmap", "munmap")
    for nth in range(1, made(scenario, syscall) + 1)
]


def test_the_scenarios_make_every_system_call():
    assert {syscall for _, syscall, _ in POSITIONS} == {"brk", "mmap", "munmap"}


@pytest.mark.parametrize(
    ("scenario", "syscall", "nth"), POSITIONS, ids=lambda value: getattr(value, "__name__", value)
)
def test_one_failure_gives_null_and_the_run_goes_on(scenario, syscall, nth):
    with Heap() as heap:
        heap.fail(syscall, nth)
        scenario(heap)
        refused = [call for call in heap.calls if call.result == 0 and call.args[-1]]
        lost = syscall == "mmap" or (syscall == "brk" and nth > 1)  # brk(0) cannot fail
        assert bool(refused) == lost
        assert all(call.errno == 12 for call in refused)
        assert heap.check() == []
        assert heap.malloc(64)
        assert heap.malloc(1 << 20)
