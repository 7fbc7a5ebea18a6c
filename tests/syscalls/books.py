"""The books of an address space: what must hold after every system call."""

from __future__ import annotations

from itertools import pairwise

from syscalls import AddressSpace
from syscalls.abi import PAGE, page_up


def balance(space: AddressSpace) -> None:
    """Regions are whole pages, sorted, disjoint, and as few as can be."""
    for region in space.regions:
        assert region.start < region.end
        assert region.start % PAGE == region.end % PAGE == 0
        assert space.at(region.start) is space.at(region.end - 1) is region
    for before, behind in pairwise(space.regions):
        assert before.end <= behind.start
        assert not before.joins(behind)
    assert space.size == sum(region.size for region in space.regions)
    assert space.brk >= space.heap_start
    assert not list(space.overlapping(page_up(space.brk), page_up(space.brk)))
