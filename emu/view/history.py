"""The heap over time: one bar for every block and what it was, from call to call."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from emu.view.blocks import Block, Status


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
    """The heap after a call, in bytes. brk counts from the heap's start."""

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

    def add(
        self, sample: Sample, blocks: Iterable[Block], requested: dict[int, int]
    ) -> None:
        """requested: bytes asked for, by payload, of the blocks in use."""
        self.samples.append(sample)
        now: dict[int, Bar] = {}
        for block in blocks:
            asked = requested.get(block.address)
            bar = self._open.get(block.header)
            if bar is None or not _same(bar.block, block) or bar.requested != asked:
                bar = Bar(block, sample.call, None, asked)
            now[block.header] = bar
        for header, bar in self._open.items():
            if now.get(header) is not bar:
                self.closed.append(Bar(bar.block, bar.since, sample.call, bar.requested))
        self._open = now

    @property
    def bars(self) -> list[Bar]:
        """Every bar, in the order of their beginnings."""
        return sorted([*self.closed, *self._open.values()], key=lambda bar: bar.since)

    def since(self, block: Block) -> int | None:
        """The call that made a block what it is now."""
        bar = self._open.get(block.header)
        return bar.since if bar else None


def _same(a: Block, b: Block) -> bool:
    return a.size == b.size and a.status == b.status


def summary(blocks: Iterable[Block]) -> tuple[int, int]:
    """(bytes free, the largest free block) of a heap."""
    sizes = [block.size for block in blocks if block.status is Status.FREE]
    return sum(sizes), max(sizes, default=0)
