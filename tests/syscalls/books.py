"""The books of an address space: what must hold after every system call."""

from __future__ import annotations

from itertools import pairwise

from syscalls import AddressSpace
from syscalls import vm_flags as vm
from syscalls.abi import PAGE, TASK_SIZE

HIDDEN = "program"
"""The name of regions that stand for what a program on Linux has besides, and do not count."""


def balance(space: AddressSpace) -> None:
    """Regions are whole pages, sorted and disjoint; the totals and the caches agree with them."""
    regions = space.regions
    for region in regions:
        assert region.start < region.end
        assert region.start % PAGE == region.end % PAGE == 0
        assert space.at(region.start) is space.at(region.end - 1) is region
    for before, behind in pairwise(regions):
        assert before.end <= behind.start
    assert space.areas._starts == [region.start for region in regions]
    assert space.brk >= space.heap_start
    _balance_totals(space)
    _balance_caches(space)
    _balance_pages(space)


def _balance_totals(space: AddressSpace) -> None:
    counted = [region for region in space.regions if region.name != HIDDEN]
    assert space.pages == sum(r.pages for r in counted)
    assert space.data_pages == sum(r.pages for r in counted if vm.is_data(r.flags))


def _balance_caches(space: AddressSpace) -> None:
    """Each cache knows how many regions show it, and none is left that nobody shows."""
    shown: dict[int, int] = {}
    for region in space.regions:
        if region.cache is not None:
            shown[id(region.cache)] = shown.get(id(region.cache), 0) + 1
            assert region.cache.regions >= 1
    for region in space.regions:
        if region.cache is not None:
            assert region.cache.regions == shown[id(region.cache)]
    for cache in space.caches:
        assert id(cache) in shown


def _balance_pages(space: AddressSpace) -> None:
    """Only what is mapped has anything; only what shows a file has frames, and none is lost."""
    for page in space.memory.resident(0, TASK_SIZE):
        assert space.at(page) is not None
    for page in space.faults.guards(0, TASK_SIZE):
        assert space.at(page) is not None
    held = getattr(space.memory, "frames_held", None)
    if held is not None:
        caches = {id(region.cache): region.cache for region in space.regions if region.cache}
        assert held() == sum(cache.frames for cache in caches.values())
