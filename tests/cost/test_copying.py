"""What copies is told apart in any number of pieces as in one."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from emu.bench.code import Code
from emu.bench.copiers import copies

NOP, RET, REP = b"\x90", b"\xc3", b"\xf3\xa4"
COPIER = 0x5000
BLOCKS = [
    (0x1000, NOP * 3, 3),
    (0x1010, NOP + RET, 2),
    (COPIER, NOP * 2, 2),
    (COPIER + 2, NOP * 5, 5),
    (COPIER + 7, RET, 1),
    (0x2000, NOP + REP, 2),
    (0x2001, REP, 1),
    (0x3000, NOP * 4, 4),
]
"""Address, code, instructions; by number. The last one is of a function called memset."""
IN_MEMSET = 7


def _code() -> Code:
    memory = {address: code for address, code, _ in BLOCKS}
    code = Code(
        0, lambda at, size: memory[at], lambda at: "memset" if at == 0x3000 else "f", {COPIER}
    )
    for number, (address, data, instructions) in enumerate(BLOCKS):
        code.learn(number, address, len(data), instructions)
    return code


def _naive(numbers: list[int]) -> list[int]:
    """Of each entry, one after the other."""
    found, within, before = [], False, 0
    for number in numbers:
        address, data, instructions = BLOCKS[number]
        within = within or address == COPIER
        repeats = address == 0x2001 and before in (5, 6)
        found.append(instructions if within or number == IN_MEMSET else int(repeats))
        within = within and not data.endswith(RET)
        before = number
    return found


@given(st.lists(st.integers(0, len(BLOCKS) - 1), max_size=40), st.sets(st.integers(0, 40)))
def test_pieces_add_up_to_the_whole(numbers: list[int], cuts: set[int]) -> None:
    code, found, last = _code(), [0] * len(numbers), 0
    edges = sorted({0, len(numbers), *(cut for cut in cuts if cut < len(numbers))})
    for begin, end in pairwise(edges):
        entered = np.array(numbers[begin:end], np.uint32)
        which, counts = code.copied(entered, code.facts(entered), last)
        for index, count in zip(which.tolist(), counts.tolist(), strict=True):
            found[begin + index] += count
        last = numbers[end - 1]
    assert found == _naive(numbers)


def test_functions_are_known_by_their_names() -> None:
    named = "memcpy memmove __memset_sse2_unaligned mempcpy bzero copy_words clear".split()
    assert all(map(copies, named))
    others = "malloc os_calloc merge_free_runs memory clearance recopy copying 0x4010".split()
    assert not any(map(copies, others))
