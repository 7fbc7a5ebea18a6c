"""Ranges: the arithmetic that everything else stands on."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from syscalls.region import READ_WRITE, Region, Rights

bounds = st.tuples(st.integers(0, 20), st.integers(0, 20)).map(sorted)


def region(start, end, name=""):
    return Region(start, end, READ_WRITE, name)


def bytes_of(*regions):
    return {byte for one in regions for byte in range(one.start, one.end)}


@given(bounds, bounds)
def test_without_leaves_exactly_the_other_bytes(whole, taken):
    one = region(*whole)
    pieces = one.without(*taken)
    assert len(pieces) <= 2
    assert all(piece.size for piece in pieces) or not one.size
    assert bytes_of(*pieces) == bytes_of(one) - set(range(*taken))


@given(bounds, bounds)
def test_overlap_is_sharing_a_byte(one, other):
    shared = set(range(*one)) & set(range(*other))
    if one[0] < one[1] and other[0] < other[1]:
        assert region(*one).overlaps(*other) == bool(shared)
    if shared:
        assert bytes_of(region(*one).within(*other)) == shared


def test_only_like_neighbours_join():
    assert region(0, 4).joins(region(4, 8))
    assert not region(0, 4).joins(region(5, 8))
    assert not region(0, 4).joins(region(4, 8, "heap"))
    assert not region(0, 4).joins(Region(4, 8, Rights(read=True, write=False, execute=False)))


def test_it_prints_as_in_proc_maps():
    assert str(region(0x1000, 0x2000, "heap")) == "000000001000-000000002000 rw- heap"
