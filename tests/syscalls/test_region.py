"""Regions: the arithmetic of ranges, and what joins."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from syscalls import vm_flags as vm
from syscalls.abi import PAGE
from syscalls.region import READ_WRITE, Fault, Region, Rights

bounds = st.tuples(st.integers(0, 20), st.integers(0, 20)).map(sorted)


def region(start, end, name="", **how):
    return Region(start * PAGE, end * PAGE, vm.READ | vm.WRITE, name=name, **how)


@given(bounds, bounds)
def test_a_part_shows_the_pages_that_the_whole_shows_there(whole, part):
    one = region(*whole, page_offset=7)
    piece = one.part(part[0] * PAGE, part[1] * PAGE)
    for page in range(*part):
        assert piece.page_at(page * PAGE) == one.page_at(page * PAGE)


def test_only_like_neighbours_join():
    assert region(0, 4).joins(region(4, 8))
    assert not region(0, 4).joins(region(5, 8))
    assert not region(0, 4).joins(region(4, 8, "stack"))
    assert not region(0, 4).joins(Region(4 * PAGE, 8 * PAGE, vm.READ))
    assert not region(0, 4).joins(region(4, 8, page_offset=5))


def test_the_heap_joins_memory_that_nobody_named():
    assert region(0, 4, "heap").joins(region(4, 8))
    assert region(0, 4).joins(region(4, 8, "heap"))


def test_regions_that_were_written_to_apart_do_not_join():
    one, other = Fault(), Fault()
    assert region(0, 4, written=one).joins(region(4, 8, written=one))
    assert region(0, 4, written=one).joins(region(4, 8))
    assert not region(0, 4, written=one).joins(region(4, 8, written=other))


def test_rights_and_flags_are_the_same_bits():
    for bits in range(8):
        rights = Region(0, PAGE, bits | vm.LOCKED).rights
        assert rights.flags == bits
        assert rights.readable == bool(bits)
    assert Rights(read=True, write=True, execute=False) == READ_WRITE


def test_it_prints_as_in_proc_maps():
    assert str(region(1, 2, "heap")) == "000000001000-000000002000 rw- heap"
