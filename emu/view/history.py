"""The heap over time: one bar for every block and what it was, from call to call."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from emu.view.blocks import Block


@dataclass(frozen=True, slots=True)
class Bar:
    """A block that stayed the same for a while.

    since: the call after which it was so; until: the call that changed it, None for the end.
    requested: what the caller asked for, None for a free block.
    """

    block: Block
    since: int
    until: int | None
    requested: int | None


@dataclass(frozen=True, slots=True)
class Sample:
    """The heap after a call, in bytes. brk counts from the heap's start.

    free and largest_free are 0, and blocks those in use, where nobody can walk it.
    """

    call: int
    brk: int
    live: int
    free: int
    largest_free: int
    blocks: int
    instructions: int


class History:
    """Fed with the blocks after every call; remembers only what changes."""

    def __init__(self) -> None:
        self._open: dict[int, Bar] = {}
        self.closed: list[Bar] = []
        self.samples: list[Sample] = []

    def add(self, sample: Sample, now: Iterable[Block], before: Iterable[Block]) -> None:
        """The blocks that changed, as they are now and as they were before the call."""
        self.samples.append(sample)
        gone = {block.address: block for block in before}
        for block in now:
            old = gone.pop(block.address, None)
            if old is None or not _same(old, block):
                self._begin(block, sample.call)
        for address in gone:
            self._end(address, sample.call)

    def held(self, block: Block | None, call: int, requested: int) -> None:
        """A caller was given a block, or may keep it with another size."""
        bar = self._open.get(block.address) if block else None
        if bar is None or bar.requested == requested:
            return
        if bar.since == call:
            self._open[bar.block.address] = replace(bar, requested=requested)
        else:
            self._begin(bar.block, call, requested)

    def _begin(self, block: Block, call: int, requested: int | None = None) -> None:
        self._end(block.address, call)
        self._open[block.address] = Bar(block, call, None, requested)

    def _end(self, address: int, call: int) -> None:
        bar = self._open.pop(address, None)
        if bar is not None:
            self.closed.append(replace(bar, until=call))

    @property
    def bars(self) -> list[Bar]:
        """Every bar, in the order of their beginnings."""
        return sorted([*self.closed, *self._open.values()], key=lambda bar: bar.since)

    def since(self, block: Block) -> int | None:
        """The call that made a block what it is now."""
        bar = self._open.get(block.address)
        return bar.since if bar else None


def _same(a: Block, b: Block) -> bool:
    return a.size == b.size and a.status == b.status
