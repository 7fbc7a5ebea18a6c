"""Files, shared memory, and which regions join: one question a case, to Linux and to ours.

Compared are results, errnos, regions with all their pages, and totals (memory_kernels.py).
"""

from __future__ import annotations

import pytest
from questions import (
    AGAIN,
    ANON,
    DONTNEED,
    FILE,
    FIXED,
    GROWSDOWN,
    MADVISE,
    MAP_STACK,
    MMAP,
    MPROTECT,
    MREMAP,
    MUNMAP,
    NOREPLACE,
    NORESERVE,
    OTHER,
    PAGE,
    POPULATE,
    PRIVATE,
    REMOVE,
    SHARED,
    SYNC,
    TO_READ,
    TO_WRITE,
    VALIDATE,
    WRITE_ALL,
    R,
    W,
    filed,
    lines,
    mapped,
    page,
    read,
    shared,
    wrote,
)

CASES = {
    "a file, private": [filed(0, 6), read(0), read(3, 2047), read(3, 2048), read(4), wrote(0),
                        wrote(5), (MADVISE, page(0), PAGE, DONTNEED), read(0)],
    "a file, shared": [filed(0, 5, kind=SHARED), filed(8, 5, kind=SHARED, fd=AGAIN),
                       filed(16, 5), wrote(1), read(9), read(17), wrote(17, 9), wrote(1, 8),
                       read(17), (MUNMAP, page(0), 5 * PAGE), filed(0, 2, R, SHARED)],
    "shared pages are the file's when they are not needed": [
        filed(0, 2, kind=SHARED), wrote(0), (MADVISE, page(0), PAGE, DONTNEED), read(0),
    ],
    "a file replaced by itself": [
        filed(0, 2, kind=SHARED), wrote(0), filed(0, 2, kind=SHARED), read(0),
    ],
    "a file from its middle": [filed(0, 3, first=2), read(0), read(1), read(2)],
    "a file from behind its end": [filed(0, 1, first=4), read(0), wrote(0)],
    "the end of a file": [filed(0, 1, R, first=(1 << 39) - 1), filed(0, 1, R, first=1 << 51),
                          filed(0, 2, R, first=(1 << 51) - 2)],
    "a file to be read": [
        filed(0, 1, R, SHARED, TO_READ), (MPROTECT, page(0), PAGE, R | W), wrote(0),
        filed(1, 1, R | W, SHARED, TO_READ), filed(2, 1, R | W, PRIVATE, TO_READ), wrote(2),
        (MADVISE, page(0), PAGE, WRITE_ALL),
    ],
    "a file to be written": [filed(0, 1, W, kind, TO_WRITE) for kind in (SHARED, PRIVATE)],
    "a file, other types": [filed(0, 1, R, kind) for kind in (0, 4, 8, 15)],
    "a file, validated": [
        filed(0, 1, R, VALIDATE), filed(0, 1, R, VALIDATE | SYNC),
        filed(0, 1, R, VALIDATE | 1 << 22),
        (MMAP, page(2), PAGE, R, VALIDATE | NOREPLACE, FILE, 0), filed(1, 1, R, SHARED | SYNC),
        filed(2, 1, R, VALIDATE | GROWSDOWN), filed(2, 1, R, VALIDATE | POPULATE | MAP_STACK),
        (MMAP, page(3), PAGE, R, VALIDATE | ANON | FIXED, -1, 0),
    ],
    "a file that grows down": [filed(0, 1, R, PRIVATE | GROWSDOWN)],
    "neighbours of one file join, of two do not": [
        filed(0, 1), filed(1, 1, first=1), filed(2, 1, fd=AGAIN, first=2), filed(3, 1, first=3),
        filed(4, 1, fd=OTHER, first=4), filed(5, 1, first=4),
    ],
    "shared memory": [
        shared(0, 2), shared(2, 2), wrote(0), (MADVISE, page(0), 2 * PAGE, DONTNEED), read(0),
        (MPROTECT, page(1), PAGE, R), (MPROTECT, page(1), PAGE, R | W),
    ],
    "holes in shared memory": [
        shared(0, 3), wrote(0), wrote(1), (MADVISE, page(1), PAGE, REMOVE), read(1), read(0),
        mapped(3, 1), (MADVISE, page(3), PAGE, REMOVE), filed(4, 1),
        (MADVISE, page(4), PAGE, REMOVE),
    ],
    "shared memory beyond its end": [
        shared(0, 1), (MREMAP, page(0), PAGE, 2 * PAGE, 0, 0), wrote(0), wrote(1), read(1),
    ],
    # Joining and splitting
    "two that were written to apart stay apart": [
        mapped(0, 1), mapped(2, 1), wrote(0), wrote(2), mapped(1, 1), wrote(1),
    ],
    "neighbours that differ in rights were written to together": [
        mapped(0, 1), mapped(1, 1, W), wrote(0), wrote(1), (MPROTECT, page(1), PAGE, R | W),
    ],
    "read-only memory that was never writable promises nothing": [
        mapped(0, 1, R), mapped(1, 1), (MPROTECT, page(1), PAGE, R), mapped(2, 1), wrote(2),
        (MPROTECT, page(2), PAGE, R),
    ],
    "stacks and memory without promise do not join others": [
        mapped(0, 1), mapped(1, 1, flags=MAP_STACK), mapped(2, 1, flags=NORESERVE), mapped(3, 1),
    ],
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_linux_answers_the_same(case, linux):
    calls = lines(CASES[case])
    assert linux.like().play(calls) == linux.play(calls)
