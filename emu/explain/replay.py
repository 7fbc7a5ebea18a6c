"""The heap's blocks during a call, from write to write.

Nothing is taken for granted but the block's header: what the blocks were at any time is read from
their own memory, played again.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from asm import layout
from emu.explain.call import accesses_of, break_after, events_of
from emu.explain.course import Merge
from emu.process.event import Event
from emu.trace.blocks import Places
from emu.trace.memory import Memory
from emu.trace.trace import Span, Trace
from emu.view.blocks import Block, Walk, Walker

NEVER = 1 << 62
_STATUS_END = layout.BLOCK_STATUS + 4
_WIDEST = 8
"""Bytes that one access writes at most."""


@dataclass(frozen=True, slots=True)
class Life:
    """A header was one of the heap's from one access on, until another."""

    first: int
    last: int = NEVER


class Replay:
    """Plays a call again. lives: when each header was one of the heap's.

    walks and breaks: as in Course. first, last: accesses of the call. heap_end: the highest break.
    """

    def __init__(self, trace: Trace, span: Span, heap_start: int, heap_end: int) -> None:
        self._trace, self._span = trace, span
        self.start, self.end = heap_start, heap_end
        self.first, self.last = accesses_of(trace, span)
        self._event = trace.events.index(span.called)
        self._events = events_of(trace, span, self._event)
        self._memory = self.memory_before()
        self._walker = Walker(self._memory)
        self.lives: dict[int, list[Life]] = {}
        self.walks: list[tuple[int, Walk]] = []
        self.breaks: list[tuple[int, int]] = []
        self.merges: list[Merge] = []

    # The blocks

    def walk_through(self) -> None:
        """Finds when which blocks were, and which took in which."""
        self.breaks = list(self._breaks())
        self._look_again(self.first, self.breaks[0][1])
        moves = iter([*self.breaks[1:], (NEVER, 0)])
        at, moved = next(moves)
        for access, address in self._heap_writes():
            while at <= access:
                self._look_again(at, moved)
                at, moved = next(moves)
            if self._reshapes(address):
                self._look_again(access + 1, self.walks[-1][1].end)
        while at < NEVER:
            self._look_again(at, moved)
            at, moved = next(moves)
        self._look_again(self.last, self.walks[-1][1].end)

    def _breaks(self) -> Iterator[tuple[int, int]]:
        """The break at the beginning, and each time it moved: from which access on, and where."""
        brk = self.start
        for event in self._trace.events[: self._event]:
            brk = break_after(event, brk)
        yield self.first, brk
        for event in self._events:
            moved = break_after(event, brk)
            if moved != brk:
                brk = moved
                yield event.accesses, brk

    def _heap_writes(self) -> Iterator[tuple[int, int]]:
        within = self._touching(self.start, self.end, write=True)
        addresses = self._trace.recorded_accesses["address"][within]
        return zip(within.tolist(), addresses.tolist(), strict=True)

    def _touching(self, start: int, end: int, *, write: bool) -> Places:
        """The call's accesses to [start, end), by number."""
        accesses = self._trace.recorded_accesses[self.first : self.last]
        found = (accesses["address"] < end) & (accesses["address"] + accesses["size"] > start)
        numbers: Places = np.flatnonzero(found & (accesses["write"] == write)) + self.first
        return numbers

    def _reshapes(self, address: int) -> bool:
        """Whether a write there may change the blocks: a size, a status, or the next header."""
        reached = self.walks[-1][1].reached
        return reached <= address < reached + layout.META or any(
            header in self.lives and self.lives[header][-1].last == NEVER
            for header in range(address - _STATUS_END + 1, address + _WIDEST)
        )

    def _look_again(self, access: int, brk: int) -> None:
        self._memory.forward(access, self.events_before(access))
        walk = self._walker.walk(self.start, brk)
        old = self.walks[-1][1] if self.walks else Walk(self.start, self.start, ())
        gone = {block.header: block for block in walk.middle(old.blocks)}
        for block in walk.middle(walk.blocks):
            was = gone.pop(block.header, None)
            if was is None:
                self.lives.setdefault(block.header, []).append(Life(access))
            elif block.size > was.size:
                self._merge(access, was, block, old)
        for header in gone:
            self.lives[header][-1] = Life(self.lives[header][-1].first, access)
        self.walks.append((access, walk))

    def _merge(self, access: int, was: Block, now: Block, old: Walk) -> None:
        for block in old.blocks[bisect_right(old.blocks, was.address, key=_address) :]:
            if block.header >= now.end:
                break
            self.merges.append(Merge(access, was, block))

    def events_before(self, access: int) -> int:
        """How many events there were before an access of the call."""
        return self._event + bisect_right(self._events, access, key=_made_before)

    def memory_before(self) -> Memory:
        """The heap as it was when the call began."""
        memory = Memory(self._trace, self.start, self.end)
        memory.forward(self.first, self._event)
        return memory


def _made_before(event: Event) -> int:
    return event.accesses


def _address(block: Block) -> int:
    return block.address
