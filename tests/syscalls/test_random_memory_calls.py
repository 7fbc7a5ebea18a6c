"""Random sequences of memory system calls: Linux and ours agree on every answer, region and byte.

The normal profile makes 20 000 calls, the long one two million.
"""

from __future__ import annotations

import re

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from memory_calls import HAS_DATA, with_files, without_files
from memory_kernels import FTRUNCATE, PWRITE

_CHANGES_FILES = tuple(f"s {number} " for number in (PWRITE, FTRUNCATE))


def agree(linux, sequence):
    theirs = linux.play(sequence)
    ours = linux.like().play(sequence)
    if any(line.startswith(_CHANGES_FILES) for line in sequence):
        theirs, ours = without_residence(theirs), without_residence(ours)
    assert ours == theirs


def without_residence(lines):
    """A file that was lengthened has holes on Linux, which are not in memory; ours has none."""
    return [
        re.sub(" [01]:", " ?:", line) if re.search(r"file\||other\|", line) else line
        for line in lines
    ]


def sequences(calls):
    return st.lists(calls, min_size=80, max_size=120)


@settings(suppress_health_check=list(HealthCheck))
@given(sequence=sequences(without_files))
def test_anonymous_memory_is_as_on_linux(sequence, linux):
    agree(linux, sequence)


@settings(suppress_health_check=list(HealthCheck))
@given(sequence=sequences(with_files))
def test_mappings_of_files_are_as_on_linux(sequence, linux):
    agree(linux, HAS_DATA + sequence)
