"""mremap, madvise, mlock, msync and mincore: one question a case, to Linux and to ours.

Compared are results, errnos, regions with all their pages, and totals (memory_kernels.py).
"""

from __future__ import annotations

import pytest
from memory_kernels import LOCKED
from questions import (
    BRK,
    DONTNEED,
    FREE,
    GUARD,
    KEEP,
    MADVISE,
    MAP_LOCKED,
    MAYMOVE,
    MINCORE,
    MLOCK,
    MLOCK2,
    MLOCKALL,
    MOVE_TO,
    MPROTECT,
    MREMAP,
    MSYNC,
    MUNLOCK,
    MUNLOCKALL,
    PAGE,
    READ_ALL,
    SHARED,
    UNGUARD,
    WRITE_ALL,
    Brk,
    R,
    W,
    filed,
    limited,
    lines,
    mapped,
    page,
    read,
    shared,
    wrote,
)

CASES = {
    "remap, wrong numbers": [
        mapped(0, 4),
        *((MREMAP, page(0) + odd, old, new, flags, to) for odd, old, new, flags, to in (
            (1, PAGE, PAGE, 0, 0), (0, PAGE, 0, 0, 0), (0, PAGE, 1 << 47, 0, 0),
            (0, PAGE, PAGE, 8, 0), (0, PAGE, PAGE, 2, page(8)), (0, PAGE, PAGE, 4, page(8)),
            (0, PAGE, 2 * PAGE, KEEP, page(8)), (0, PAGE, PAGE, MOVE_TO, page(8) + 1),
            (0, 2 * PAGE, PAGE, MOVE_TO, page(1)), (0, 2 * PAGE, 2 * PAGE, MOVE_TO, 1 << 47),
            (0, 0, PAGE, MAYMOVE, 0), (0, PAGE, PAGE, MOVE_TO, 0), (0, -1, -1, MOVE_TO, page(8)),
        )),
        (MREMAP, page(9), PAGE, PAGE, 0, 0), (MREMAP, page(9), 2 * PAGE, PAGE, 0, 0),
    ],
    "remap in place": [
        mapped(0, 2), wrote(1), (MREMAP, page(0), 2 * PAGE, 4 * PAGE, 0, 0), read(1), wrote(3),
        (MREMAP, page(0), 4 * PAGE, PAGE, 0, 0), (MREMAP, page(0), PAGE, 2 * PAGE, 0, 0), read(1),
    ],
    "remap where there is no room": [
        mapped(0, 2), mapped(2, 1, R), wrote(0), wrote(1),
        (MREMAP, page(0), 2 * PAGE, 4 * PAGE, 0, 0),
        (MREMAP, page(0), 2 * PAGE, 4 * PAGE, MAYMOVE, 0),
    ],
    "remap a part": [
        mapped(0, 4), wrote(1), (MREMAP, page(1), PAGE, 2 * PAGE, 0, 0),
        (MREMAP, page(1), PAGE, 2 * PAGE, MAYMOVE, 0), read(1),
    ],
    "remap over two regions": [
        mapped(0, 2), mapped(2, 2, R), (MREMAP, page(0), 4 * PAGE, 5 * PAGE, MAYMOVE, 0),
        (MREMAP, page(0), 4 * PAGE, 3 * PAGE, 0, 0),
        (MREMAP, page(0), 3 * PAGE, 2 * PAGE, MOVE_TO, page(10)),
    ],
    "remap several to a fixed place": [
        mapped(0, 2), mapped(3, 2, R), wrote(0), wrote(1),
        (MREMAP, page(0), 5 * PAGE, 5 * PAGE, MOVE_TO, page(10)), read(10), read(11),
    ],
    "remap several, the first missing": [
        mapped(1, 2), (MREMAP, page(0), 3 * PAGE, 3 * PAGE, MOVE_TO, page(10)),
    ],
    "remap over what is there": [
        mapped(0, 2), mapped(8, 4), wrote(0), wrote(9),
        (MREMAP, page(0), 2 * PAGE, 2 * PAGE, MOVE_TO, page(9)), read(9), read(10),
    ],
    "remap smaller to a fixed place": [
        mapped(0, 4), wrote(0), wrote(3), (MREMAP, page(0), 4 * PAGE, PAGE, MOVE_TO, page(9)),
        read(9),
    ],
    "remap and back": [
        mapped(0, 1), mapped(1, 1), wrote(0), (MREMAP, page(0), PAGE, PAGE, MOVE_TO, page(9)),
        (MREMAP, page(9), PAGE, PAGE, MOVE_TO, page(0)),
    ],
    "remap, the old place stays": [
        mapped(0, 2), wrote(0), (MREMAP, page(0), 2 * PAGE, 2 * PAGE, KEEP, page(9)), read(0),
        filed(4, 2), wrote(4), (MREMAP, page(4), 2 * PAGE, 2 * PAGE, KEEP | 2, page(14)),
        read(4), read(14),
    ],
    "a second view": [
        shared(0, 2), wrote(0), (MREMAP, page(0), 0, 2 * PAGE, MAYMOVE, 0), wrote(0, 9),
        (MREMAP, page(0), 0, PAGE, 0, 0), filed(4, 2, kind=SHARED),
        (MREMAP, page(4), 0, PAGE, MOVE_TO, page(8)), wrote(8), read(4),
        filed(6, 1), (MREMAP, page(6), 0, PAGE, MAYMOVE, 0),
    ],
    # madvise
    "advice, wrong": [mapped(0, 2), *((MADVISE, page(0), PAGE, advice)
                      for advice in (5, 6, 7, 26, 100, 101, 104, -1, 25)),
                      (MADVISE, page(0) + 1, PAGE, DONTNEED), (MADVISE, page(0), -1, DONTNEED),
                      (MADVISE, page(0), -PAGE, DONTNEED), (MADVISE, page(0), 0, 5),
                      (MADVISE, page(0), 0, DONTNEED), (MADVISE, page(9), 0, DONTNEED)],
    "advice that changes nothing": [
        mapped(0, 2), wrote(0), *((MADVISE, page(0), PAGE, advice) for advice in (3, 8, 20)),
        (MADVISE, page(0), 4 * PAGE, 3), read(0),
    ],
    "advice over a hole": [
        mapped(0, 1), mapped(2, 1), wrote(0), wrote(2), (MADVISE, page(0), 4 * PAGE, DONTNEED),
        (MADVISE, page(0), 3 * PAGE, 10), (MADVISE, page(10), PAGE, DONTNEED),
    ],
    "advice for locked pages": [
        mapped(0, 1), wrote(0), (MLOCK, page(0), PAGE),
        *((MADVISE, page(0), PAGE, advice) for advice in (DONTNEED, FREE, 20, 21, GUARD, 24)),
    ],
    "populate by advice": [
        mapped(0, 2), mapped(2, 1, R), mapped(4, 1, 0), mapped(5, 1, W), filed(6, 5),
        *((MADVISE, page(at), 2 * PAGE, advice) for at in (0, 1, 2, 4, 5, 6, 9, 10)
          for advice in (READ_ALL, WRITE_ALL)),
    ],
    "guards": [
        mapped(0, 3), wrote(0), wrote(1), (MADVISE, page(1), PAGE, GUARD), read(1), wrote(1),
        (MADVISE, page(0), 3 * PAGE, DONTNEED), (MADVISE, page(0), 3 * PAGE, READ_ALL),
        (MREMAP, page(0), 3 * PAGE, 3 * PAGE, MOVE_TO, page(8)), read(9),
        (MADVISE, page(9), PAGE, UNGUARD), read(9),
    ],
    # Locks
    "lock": [mapped(0, 2), mapped(2, 1, R), mapped(3, 1, 0), (MLOCK, page(0) + 5, PAGE),
             (MLOCK, page(0), 4 * PAGE), (MUNLOCK, page(1), 1), (MUNLOCK, page(0), 9 * PAGE)],
    "lock what is not there": [(MLOCK, page(0), PAGE), (MUNLOCK, page(0), PAGE),
                               (MLOCK, page(0), 0), (MLOCK, -PAGE, 2 * PAGE),
                               (MLOCK, 0, -1), (MUNLOCK, 0, -1)],
    "lock behind the end of a file": [filed(0, 6), (MLOCK, page(0), 6 * PAGE)],
    "lock too much": [
        limited(LOCKED, 3), mapped(0, 4), (MLOCK, page(0), 4 * PAGE), (MLOCK, page(0), 3 * PAGE),
        (MLOCK, page(0), 3 * PAGE), (MLOCK, page(2), 2 * PAGE), mapped(8, 1, flags=MAP_LOCKED),
        (MUNLOCK, page(0), PAGE), mapped(8, 1, flags=MAP_LOCKED),
        (MREMAP, page(8), PAGE, 2 * PAGE, 0, 0), limited(LOCKED, 0), mapped(9, 1, flags=MAP_LOCKED),
        (MLOCK, page(0), PAGE), (MLOCKALL, 1),
    ],
    "lock on a touch": [mapped(0, 2), (MLOCK2, page(0), 2 * PAGE, 1), wrote(0),
                        (MLOCK2, page(0), PAGE, 0), (MLOCK2, page(0), PAGE, 2)],
    "lock what comes": [(MLOCKALL, 2), mapped(0, 1), mapped(1, 1, R), (BRK, Brk(5000)),
                        (MUNLOCKALL,), mapped(2, 1), (MLOCKALL, 6), mapped(3, 1)],
    "lock all, wrong": [(MLOCKALL, flags) for flags in (0, 4, 8, 9)],
    "locked pages become writable": [
        mapped(0, 1, R), (MLOCK, page(0), PAGE), (MPROTECT, page(0), PAGE, R | W),
    ],
    # msync and mincore
    "sync": [
        filed(0, 2, kind=SHARED), wrote(0), *((MSYNC, page(0), PAGE, flags) for flags in range(9)),
        (MSYNC, page(0) + 1, PAGE, 4), (MSYNC, page(0), -1, 4), (MSYNC, page(0), 3 * PAGE, 4),
        (MSYNC, page(0), 3 * PAGE, 1), (MSYNC, page(5), PAGE, 4), (MSYNC, page(5), 0, 4),
        (MLOCK, page(0), PAGE), (MSYNC, page(0), PAGE, 2), (MSYNC, page(1), PAGE, 2),
    ],
    "what is in memory": [
        mapped(0, 4), wrote(0), read(2), mapped(20, 1), (MINCORE, page(0), 4 * PAGE, page(20)),
        (MINCORE, page(0), 3 * PAGE + 1, page(20)), (MINCORE, page(0), 5 * PAGE, page(20)),
        (MINCORE, page(0) + 1, PAGE, page(20)), (MINCORE, page(0), 1 << 47, page(20)),
        (MINCORE, page(0), PAGE, page(19)), (MINCORE, page(0), PAGE, 1 << 47),
        (MINCORE, page(0), PAGE, -1), (MINCORE, page(0), 0, 0), (MINCORE, -PAGE, PAGE, page(20)),
        read(20), read(20, 1), read(20, 2),
    ],
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_linux_answers_the_same(case, linux):
    calls = lines(CASES[case])
    assert linux.like().play(calls) == linux.play(calls)
