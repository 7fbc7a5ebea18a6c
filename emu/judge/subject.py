"""A subject: the allocator that is judged, and how it is opened."""

from __future__ import annotations

import os

from emu.allocators import OSMEM, Choice
from emu.allocators.assembly import path_of
from emu.allocators.files import Kind, is_source
from emu.heap import Heap, HeapSnapshot
from syscalls.abi import PAGE

CALL_BUDGET = 5_000_000
"""Instructions that one call may take: no call of a check moves more than some MiB."""

_MOST_OPEN = 4


def is_assembly(subject: Choice) -> bool:
    """Whether its image, and the heap, can be laid anywhere."""
    return is_source(path_of(subject.name)) is Kind.ASSEMBLY


def opened(subject: Choice, *, sanitize: bool = False) -> Heap:
    """A fresh heap. InputError, AssemblyError where there is no such allocator."""
    return Heap(subject, budget=CALL_BUDGET, sanitize=sanitize)


def has_blocks(heap: Heap) -> bool:
    """Whether it is of osmem's kind: its entry points are os_*, and its blocks can be walked."""
    return heap.contract == OSMEM


_Key = tuple[int, Choice, bool]
_open: dict[_Key, tuple[Heap, HeapSnapshot]] = {}


def pristine(subject: Choice, *, sanitize: bool = False) -> Heap:
    """A heap in which nothing has happened, until somebody asks for it again.

    Going back is much cheaper than beginning anew, so the last few stay open in each process.
    """
    key = os.getpid(), subject, sanitize
    found = _open.pop(key, None)
    if found is None:
        heap = opened(subject, sanitize=sanitize)
        _touch_code(heap)
        found = heap, heap.snapshot()
    found[0].restore(found[1])
    _open[key] = found
    if len(_open) > _MOST_OPEN:
        oldest = next(iter(_open))
        closed, _ = _open.pop(oldest)
        if oldest[0] == os.getpid():
            closed.close()
    return found[0]


def _touch_code(heap: Heap) -> None:
    """The kernel gives the process its code now: what it gave later, going back would take away.

    Then the CPU would have to translate it again.
    """
    space = heap.process.kernel.space
    for region in space.regions:
        if region.rights.execute:
            for page in range(region.start, region.end, PAGE):
                space.fault(page, "x")
