"""The same memory system calls on our kernel and on the host's Linux: results, errnos, regions."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from books import balance
from hypothesis import given, settings
from hypothesis import strategies as st

from syscalls import Kernel, Limits
from syscalls.memory import NoMemory

MMAP, MPROTECT, MUNMAP, BRK = 9, 10, 11, 12
R, W, X = 1, 2, 4
SHARED, PRIVATE, FIXED, ANON, NOREPLACE = 1, 2, 0x10, 0x20, 0x100000
ARENA, PAGES = 0x1000_0000_0000, 24
PAGE = 4096
HEAP = 0x40_0000


class Brk(int):
    """An address counted from the first break."""


@pytest.fixture(scope="session")
def linux(tmp_path_factory):
    """Plays calls on the host's kernel, in a fresh process; answers and regions as lines."""
    made = tmp_path_factory.mktemp("linux") / "linux"
    source = Path(__file__).parent / "linux.c"
    subprocess.run(["gcc", "-O1", "-static", "-o", made, source], check=True)

    def play(calls):
        done = subprocess.run(
            [made, hex(ARENA), hex(ARENA + PAGES * PAGE)],
            input="".join(" ".join(map(spelled, padded(call))) + "\n" for call in calls),
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout.splitlines()

    return play


def padded(call):
    return (*call, *(0,) * (7 - len(call)))


def spelled(arg):
    return f"b+{int(arg)}" if isinstance(arg, Brk) else str(int(arg))


def ours(calls):
    """The same lines from our kernel; the books are balanced after every call."""
    kernel = Kernel(NoMemory(), HEAP, Limits(ram=None))
    lines = []
    for number, *args in map(padded, calls):
        registers = tuple((HEAP + a if isinstance(a, Brk) else a) & (1 << 64) - 1 for a in args)
        answer = kernel.call(number, registers)
        balance(kernel.space)
        signed = answer - (1 << 64) if answer >> 63 else answer
        lines.append(f"b+{signed - HEAP}" if number == BRK else str(signed))
    return lines + [
        f"{region.start:x}-{region.end:x} {region.rights}"
        for region in kernel.space.regions
        if region.start < ARENA + PAGES * PAGE and region.end > ARENA
    ]


def page(number):
    return ARENA + number * PAGE


def mapped(number, count, prot=R | W):
    return (MMAP, page(number), count * PAGE, prot, PRIVATE | ANON | FIXED, -1, 0)


CASES = {
    "length 0": [(MMAP, 0, 0, R, PRIVATE | ANON, -1, 0)],
    "no type": [(MMAP, page(0), PAGE, R, ANON, -1, 0)],
    "both types": [(MMAP, page(0), PAGE, R, SHARED | PRIVATE | ANON, -1, 0)],
    "no file": [(MMAP, page(0), PAGE, R, PRIVATE, -1, 0)],
    "no file, length 0": [(MMAP, page(0), 0, R, PRIVATE, -1, 0)],
    "a file that is not open": [(MMAP, page(0), PAGE, R, PRIVATE, 77, 0)],
    "odd offset": [(MMAP, page(0), PAGE, R, PRIVATE | ANON, -1, 1)],
    "odd offset, no file": [(MMAP, page(0), PAGE, R, PRIVATE, -1, 1)],
    "huge length": [(MMAP, 0, 1 << 47, R, PRIVATE | ANON, -1, 0)],
    "longest length": [(MMAP, 0, -1, R, PRIVATE | ANON, -1, 0)],
    "longest length, fixed and odd": [(MMAP, 1, -1, R, PRIVATE | ANON | FIXED, -1, 0)],
    "the last offset": [(MMAP, page(0), PAGE, R, PRIVATE | ANON, -1, -PAGE)],
    "fixed, odd": [(MMAP, page(0) + 1, PAGE, R, PRIVATE | ANON | FIXED, -1, 0)],
    "fixed beyond the end": [(MMAP, 1 << 47, PAGE, R, PRIVATE | ANON | FIXED, -1, 0)],
    "fixed across the end": [(MMAP, (1 << 47) - PAGE, PAGE, R, PRIVATE | ANON | FIXED, -1, 0)],
    "fixed where the errnos are": [
        (MMAP, address, PAGE, R, PRIVATE | ANON | FIXED, -1, 0)
        for address in (-1, -2, -4095, -4096, -4097, -8192)
    ],
    "fixed on free pages": [mapped(3, 2)],
    "fixed over others": [mapped(0, 6), mapped(2, 2, R)],
    "noreplace on free pages": [(MMAP, page(1), PAGE, R, PRIVATE | ANON | NOREPLACE, -1, 0)],
    "noreplace on others": [
        mapped(0, 2),
        (MMAP, page(1), 2 * PAGE, R, PRIVATE | ANON | NOREPLACE, -1, 0),
    ],
    "noreplace, no type": [mapped(0, 2), (MMAP, page(1), PAGE, R, ANON | NOREPLACE, -1, 0)],
    "hint on free pages": [(MMAP, page(5), PAGE, R | W, PRIVATE | ANON, -1, 0)],
    "hint in a page": [(MMAP, page(5) + 7, 5, R | W, PRIVATE | ANON, -1, 0)],
    "neighbours alike are one": [mapped(0, 1), mapped(2, 1), mapped(1, 1)],
    "neighbours unlike are not": [mapped(0, 1, R), mapped(1, 1, R | W)],
    "rights are kept as asked for": [mapped(0, 1, W), mapped(1, 1, X), mapped(2, 1, 0)],
    "unknown bits of prot": [(MMAP, page(0), PAGE, R | 0x40, PRIVATE | ANON | FIXED, -1, 0)],
    "unmap nothing": [(MUNMAP, page(0), PAGE)],
    "unmap length 0": [(MUNMAP, page(0), 0)],
    "unmap odd": [(MUNMAP, page(0) + 8, PAGE)],
    "unmap an odd length": [mapped(0, 3), (MUNMAP, page(0), PAGE + 1)],
    "unmap the middle": [mapped(0, 5), (MUNMAP, page(2), PAGE)],
    "unmap over holes": [mapped(0, 1), mapped(2, 1), (MUNMAP, page(0), 4 * PAGE)],
    "unmap beyond the end": [(MUNMAP, 1 << 47, PAGE)],
    "unmap too much": [(MUNMAP, page(0), -PAGE)],
    "unmap all but nothing": [(MUNMAP, page(0), -1)],
    "protect the middle": [mapped(0, 5), (MPROTECT, page(2), PAGE, R)],
    "protect and back": [mapped(0, 5), (MPROTECT, page(2), PAGE, R), (MPROTECT, page(2), 1, R | W)],
    "protect like the neighbour": [
        mapped(0, 2, R),
        mapped(2, 2),
        (MPROTECT, page(0), 4 * PAGE, R | W),
    ],
    "protect over a hole": [mapped(0, 2), mapped(3, 2), (MPROTECT, page(1), 4 * PAGE, R)],
    "protect nothing": [(MPROTECT, page(0), PAGE, R)],
    "protect from a hole": [mapped(1, 2), (MPROTECT, page(0), 2 * PAGE, R)],
    "protect length 0": [(MPROTECT, page(0), 0, R)],
    "protect length 0, odd": [(MPROTECT, page(0) + 1, 0, R)],
    "protect odd": [mapped(0, 1), (MPROTECT, page(0) + 1, PAGE, R)],
    "protect too much": [mapped(0, 1), (MPROTECT, page(0), -PAGE, R)],
    "protect so much that it wraps": [mapped(0, 1), (MPROTECT, page(0), -1, R)],
    "protect with unknown bits": [mapped(0, 1), (MPROTECT, page(0), PAGE, R | 0x100)],
    "protect with unknown bits, nothing": [(MPROTECT, page(0), PAGE, R | 0x100)],
    "protect with a high unknown bit": [mapped(0, 1), (MPROTECT, page(0), PAGE, R | 1 << 31)],
    "protect the last page of all": [
        (MPROTECT, -PAGE, 1, R), (MPROTECT, -PAGE, PAGE, R | 0x100), (MPROTECT, -2 * PAGE, PAGE, R),
    ],
    "protect to beyond the end": [mapped(0, 2), mapped(3, 1), (MPROTECT, page(1), 1 << 47, R)],
    "protect, growing, from a hole": [
        mapped(1, 1), (MPROTECT, page(0), 2 * PAGE, R | 0x0100_0000),
        (MPROTECT, page(0), 2 * PAGE, R | 0x0200_0000), (MPROTECT, page(0), 1, R | 0x0100_0000),
    ],
    "protect, growing up": [mapped(0, 1), (MPROTECT, page(0), PAGE, R | 0x0200_0000)],
    "protect, growing": [mapped(0, 1), (MPROTECT, page(0), PAGE, R | 0x0100_0000)],
    "protect, growing both ways": [mapped(0, 1), (MPROTECT, page(0), PAGE, R | 0x0300_0000)],
    "protect, growing, length 0": [(MPROTECT, page(0), 0, R | 0x0300_0000)],
    "protect beyond the end": [(MPROTECT, 1 << 47, PAGE, R)],
    "the break asked for": [(BRK, 0)],
    "the break grown by bytes": [(BRK, Brk(1)), (BRK, Brk(4096)), (BRK, Brk(100_001)), (BRK, 0)],
    "the break lowered": [(BRK, Brk(100_000)), (BRK, Brk(5)), (BRK, 0)],
    "the break below its start": [(BRK, Brk(100)), (BRK, 1), (BRK, 0x1000), (BRK, 0)],
    "the break at its start": [(BRK, Brk(100)), (BRK, Brk(0)), (BRK, 0)],
    "the break beyond everything": [(BRK, 1 << 47), (BRK, -1), (BRK, 0)],
    "the break into a mapping": [
        (BRK, Brk(0)),
        (MMAP, Brk(8 * PAGE), PAGE, R, PRIVATE | ANON | FIXED, -1, 0),
        (BRK, Brk(6 * PAGE)),
        (BRK, Brk(7 * PAGE)),
        (BRK, Brk(7 * PAGE + 1)),
        (BRK, Brk(9 * PAGE)),
    ],
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_linux_answers_the_same(case, linux):
    calls = CASES[case]
    theirs, mine = linux(calls), ours(calls)
    if case == "the break into a mapping":  # where the break is differs, and so mmap's answer
        del theirs[1], mine[1]
    assert mine == theirs


def test_mappings_without_a_hint_go_top_down_into_the_highest_gap(linux):
    """Compared by their distance from the first."""
    calls = [(MMAP, 0, size * PAGE, R | W, PRIVATE | ANON, -1, 0) for size in (9, 1, 3, 2)]

    def distances(play):
        first, *rest = (int(line) for line in play(calls)[:4])
        return [first - address for address in rest]

    assert distances(ours) == distances(linux) == [1 * PAGE, 4 * PAGE, 6 * PAGE]


pages = st.integers(0, PAGES - 1)
counts = st.integers(1, 6)
odd = st.sampled_from([0, 0, 0, 0, 1, 4095])
prots = st.sampled_from([0, R, R | W, W, X, R | X])
calls = st.one_of(
    st.builds(
        lambda at, n, odd, prot, how: (MMAP, page(at), n * PAGE - odd, prot, how, -1, 0),
        pages, counts, odd, prots, st.sampled_from([FIXED, FIXED, NOREPLACE]).map(
            lambda how: how | PRIVATE | ANON
        ),
    ),
    st.builds(lambda at, n, odd: (MUNMAP, page(at), n * PAGE - odd), pages, counts, odd),
    st.builds(
        lambda at, n, odd, prot: (MPROTECT, page(at), n * PAGE - odd, prot),
        pages, counts, odd, prots,
    ),
    st.builds(lambda n: (BRK, Brk(n)), st.integers(0, 200_000)),
)  # fmt: skip


def test_random_calls_answer_as_on_linux(linux):
    @settings(max_examples=150)
    @given(st.lists(calls, min_size=5, max_size=40))
    def play(sequence):
        assert ours(sequence) == linux(sequence)

    play()
