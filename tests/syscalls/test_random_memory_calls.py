"""Random sequences of memory system calls: Linux and ours agree on every answer, region and byte.

The normal profile makes 30 000 calls, the long one three million. A sequence in which they differ
is shortened before it is shown.
"""

from __future__ import annotations

import re
from contextlib import closing
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from memory_calls import HAS_DATA, with_files, without_files
from memory_kernels import FTRUNCATE, PWRITE

from emu.process.mmu import Mmu
from syscalls.faults import Faults

LENGTH = 100
_CHANGES_FILES = tuple(f"s {number} " for number in (PWRITE, FTRUNCATE))

seeds = st.integers(0, (1 << 64) - 1)


def both(linux, sequence, memory=None):
    """What they answer, and ours."""
    theirs, ours = linux.play(sequence), linux.like(memory).play(sequence)
    if any(line.startswith(_CHANGES_FILES) for line in sequence):
        theirs, ours = without_residence(theirs), without_residence(ours)
    return theirs, ours


def without_residence(lines):
    """A file that was lengthened has holes on Linux, which are not in memory; ours has none."""
    return [
        re.sub(" [01]:", " ?:", line) if re.search(r"file\||other\|", line) else line
        for line in lines
    ]


def differ(linux, sequence):
    theirs, ours = both(linux, sequence)
    return theirs != ours


def shortened(linux, sequence):
    """Without the calls that make no difference to the difference."""
    size = len(sequence)
    while size := size // 2:
        at = 0
        while at < len(sequence):
            rest = sequence[:at] + sequence[at + size :]
            if differ(linux, rest):
                sequence = rest
            else:
                at += size
    return sequence


def agree(linux, sequence):
    if differ(linux, sequence):
        sequence = shortened(linux, sequence)
        theirs, ours = both(linux, sequence)
        assert (sequence, ours) == (sequence, theirs)


def calls(chooser, seed):
    random = Random(seed)
    return [chooser(random) for _ in range(LENGTH)]


@given(seed=seeds)
def test_anonymous_memory_is_as_on_linux(seed, linux):
    agree(linux, calls(without_files, seed))


@given(seed=seeds)
def test_the_mmu_holds_what_linux_holds(seed, linux):
    """The memory that a CPU uses, here without one."""
    with closing(Mmu(lambda page, access: "", 1 << 30)) as memory:
        theirs, ours = both(linux, HAS_DATA + calls(with_files, seed), memory)
        assert ours == theirs


@given(seed=seeds)
def test_mappings_of_files_are_as_on_linux(seed, linux):
    agree(linux, HAS_DATA + calls(with_files, seed))


def test_a_kernel_that_does_not_know_where_was_written_is_found_out(linux, monkeypatch):
    """So the comparison can fail: without the marks of first writes, too many regions join."""
    monkeypatch.setattr(Faults, "prepare", lambda self, region: None)
    sequences = (calls(without_files, seed) for seed in range(200))
    wrong = next(sequence for sequence in sequences if differ(linux, sequence))
    assert 1 < len(shortened(linux, wrong)) < 10
