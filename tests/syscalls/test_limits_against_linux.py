"""Limits, and protection keys: one question a case, to Linux and to ours.

Compared are results, errnos, regions with all their pages, and totals (memory_kernels.py).
"""

from __future__ import annotations

import pytest
from memory_kernels import ADDRESS_SPACE, DATA, STACK
from questions import (
    BRK,
    GROWSDOWN,
    KEEP,
    MAYMOVE,
    MPROTECT,
    MREMAP,
    PAGE,
    PKEY_MPROTECT,
    Brk,
    R,
    W,
    limited,
    lines,
    mapped,
    page,
    read,
    shared,
)

CASES = {
    "RLIMIT_AS": [
        limited(ADDRESS_SPACE, 4), mapped(0, 3), mapped(3, 2), mapped(2, 2), mapped(0, 4, R),
        (MREMAP, page(0), 4 * PAGE, 5 * PAGE, MAYMOVE, 0), (BRK, Brk(1)),
        (MREMAP, page(0), PAGE, PAGE, KEEP, page(8)),
    ],
    "RLIMIT_DATA": [
        limited(DATA, 4), mapped(0, 3), mapped(3, 2), mapped(1, 2), mapped(4, 4, R),
        (MPROTECT, page(4), 2 * PAGE, R | W), (MPROTECT, page(4), PAGE, R | W), shared(8, 4),
        mapped(12, 4, flags=GROWSDOWN), (BRK, Brk(1)),
    ],
    "a limit met in the middle of a region splits it": [
        limited(DATA, 2), mapped(0, 6, R), mapped(2, 3), mapped(2, 2),
    ],
    "RLIMIT_STACK": [limited(STACK, 2), mapped(20, 1, flags=GROWSDOWN), read(19), read(18)],
    # pkey_mprotect
    "keys": [mapped(0, 1), (PKEY_MPROTECT, page(0), PAGE, R, -1),
             (PKEY_MPROTECT, page(0), PAGE, R, 1), (PKEY_MPROTECT, page(0), 0, R, 1),
             (PKEY_MPROTECT, page(1), PAGE, R, 15)],
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_linux_answers_the_same(case, linux):
    calls = lines(CASES[case])
    assert linux.like().play(calls) == linux.play(calls)
