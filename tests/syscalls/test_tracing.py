"""Watching the kernel, and what it remembers of what it was asked."""

from __future__ import annotations

from contextlib import suppress

import pytest
from calling import MINUS, call
from hypothesis import given
from hypothesis import strategies as st
from paged_memory import PagedMemory

from syscalls import Kernel, ProcessExit
from syscalls.abi import EINVAL, ENOMEM, ENOSYS, PAGE
from syscalls.ending import Ending
from syscalls.region import READ_WRITE, Rights
from syscalls.strace import Strace
from syscalls.table import ROWS
from syscalls.tracer import Both

HEAP = 0x40_0000
WRITE, MUNMAP, BRK, EXIT = 1, 11, 12, 60


@pytest.fixture
def kernel():
    return Kernel(PagedMemory(), HEAP)


class Watcher:
    """A tracer that writes down what it is told."""

    def __init__(self):
        self.told = []

    def entering(self, row, args):
        self.told.append((row.name, args))
        return len(self.told)

    def leaving(self, entered, result):
        self.told.append((entered, result))


def test_a_tracer_is_told_of_every_call_before_and_after_it(kernel):
    kernel.tracer = watcher = Watcher()
    call(kernel, BRK, 0)
    call(kernel, MUNMAP, 1, 1)
    call(kernel, 999)
    with pytest.raises(ProcessExit):
        call(kernel, EXIT, 3)
    assert watcher.told == [
        ("brk", (0,)), (1, HEAP),
        ("munmap", (1, 1)), (3, -EINVAL),
        ("syscall_0x3e7", (0,) * 6), (5, -ENOSYS),
        ("exit", (3,)), (7, None),
    ]  # fmt: skip


def test_two_tracers_are_nested(kernel):
    outer, inner = Watcher(), Watcher()
    kernel.tracer = Both(outer, inner)
    call(kernel, BRK, 0)
    assert outer.told == inner.told == [("brk", (0,)), (1, HEAP)]


def test_a_planned_failure_is_traced_like_any_other(kernel):
    kernel.tracer = watcher = Watcher()
    kernel.shortages.plan("munmap", 1, ENOMEM)
    call(kernel, MUNMAP, 0, PAGE)
    assert watcher.told[-1] == (1, -ENOMEM)


def test_strace_reads_what_the_guest_can_read(kernel):
    kernel.space.map(0x10000, PAGE, READ_WRITE)
    kernel.space.map(0x11000, PAGE, Rights(read=False, write=False, execute=False))
    kernel.space.memory.write(0x10000, b"hello")
    lines = []
    kernel.tracer = Strace(lines.append, kernel.read)
    call(kernel, WRITE, 1, 0x10000, 5)
    call(kernel, WRITE, 1, 0x10FFD, 5)
    call(kernel, WRITE, 1, 0x11000, 5)
    assert lines == [
        'write(1, "hello", 5)                    = 5',
        "write(1, 0x10ffd, 5)                    = 3",
        "write(1, 0x11000, 5)                    = -1 EFAULT (Bad address)",
    ]


@pytest.mark.parametrize("most", [0, 1, 3])
def test_a_kernel_may_remember_only_the_last_calls(most):
    kernel = Kernel(PagedMemory(), HEAP, remember=most)
    for size in range(1, 50):
        call(kernel, BRK, HEAP + size)
        kept = [made.args[0] - HEAP for made in kernel.calls]
        assert kept == list(range(size - len(kept) + 1, size + 1))
        assert min(most, size) <= len(kept) <= 2 * most


def test_calls_without_a_row_are_counted_by_name(kernel):
    for number in (57, 999, 57):
        call(kernel, number)
    assert kernel.missing == {"fork": 2, "syscall_0x3e7": 1}


def test_a_guest_that_tries_all_numbers_fills_no_memory(kernel):
    for number in range(10_000, 15_000):
        call(kernel, number)
    assert len(kernel.missing) == 1000


@given(st.integers(0, (1 << 32) - 1), st.lists(st.integers(0, MINUS - 1), min_size=6, max_size=6))
def test_every_call_can_be_told_whatever_its_registers_hold(number, registers):
    kernel = Kernel(PagedMemory(), HEAP)
    lines = []
    kernel.tracer = Strace(lines.append, kernel.read)
    for row in (number, *(row.number for row in ROWS)):
        with suppress(Ending):
            kernel.call(row, tuple(registers))
    assert len(lines) == len(ROWS) + 1
