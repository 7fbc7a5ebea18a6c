"""Trace: all that happened, in arrays. Moments are counted in instructions since it began."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from emu.process.disassembly import Instruction
from emu.process.event import Called, Event, Returned
from emu.process.sources import Sources
from emu.process.step_probe import RECORDED
from emu.trace.blocks import Blocks, Places, Words
from emu.trace.shown import ShownPages
from emu.trace.where import Listing, Where

ACCESS = np.dtype([
    ("address", "<u8"),
    ("value", "<u8"),
    ("entry", "<u4"),
    ("offset", "<u2"),
    ("size", "u1"),
    ("write", "?"),
])  # fmt: skip
"""An access to memory: where, which bytes (the lowest first), in which entry, at which offset from
its block's beginning the instruction stands, how many bytes, and whether they were written.

An access of 16 bytes is two of 8.
"""
Accesses = NDArray[np.void]
REGISTERS = np.dtype([(name, "<u8") for name in RECORDED])
"""The general registers, rip and rflags."""
Registers = NDArray[np.void]
E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True)
class Span:
    """A call: its events, and what lies between them. Ranges are [first, last).

    returned: None where it did not come back.
    """

    called: Called
    returned: Returned | None
    first: int
    last: int
    first_entry: int
    last_entry: int

    @property
    def index(self) -> int:
        return self.called.index

    @property
    def instructions(self) -> int:
        return self.last - self.first


@dataclass(frozen=True, eq=False)
class Trace:
    """Instructions, accesses and events.

    blocks: the table of code. entries: rows of it, in the order in which they were entered. cuts:
    entries that ended early, and how many of their instructions ran: two columns, in order.
    accesses: an array of ACCESS, in order; None where they were not recorded. events: in order.
    registers: an array of REGISTERS, row i before instruction i: 144 bytes an instruction; None
    where they were not recorded. registers_after: one row, as they were when recording ended.
    """

    blocks: Blocks
    entries: NDArray[np.uint32]
    cuts: Places
    accesses: Accesses | None = None
    events: tuple[Event, ...] = ()
    sources: Sources = field(default_factory=Sources)
    registers: Registers | None = None
    registers_after: Registers | None = None

    def __len__(self) -> int:
        """Instructions."""
        return int(self.starts[-1])

    # Instructions

    @cached_property
    def lengths(self) -> Places:
        """How many instructions of each entry ran."""
        found = self.blocks.instructions[self.entries]
        found[self.cuts[:, 0]] = self.cuts[:, 1]
        return found

    @cached_property
    def starts(self) -> Places:
        """The moment of each entry, and of the end."""
        found = np.zeros(len(self.entries) + 1, np.int64)
        np.cumsum(self.lengths, out=found[1:])
        return found

    def entry_at(self, moment: int) -> int:
        """The entry that the instruction at a moment belongs to."""
        if not 0 <= moment < len(self):
            raise IndexError(f"{moment} is no instruction of {len(self)}")
        return int(np.searchsorted(self.starts, moment, side="right")) - 1

    def addresses(self, first: int = 0, last: int | None = None) -> Words:
        """Addresses of the instructions of [first, last), in order."""
        found: Words = self.blocks.places[self.numbers(first, last)]
        return found

    def numbers(self, first: int = 0, last: int | None = None) -> Places:
        """The same as indices of `blocks.places`, which tell apart what stood there when."""
        first, last, _ = slice(first, last).indices(len(self))
        if first >= last:
            return np.zeros(0, np.int64)
        begin, end = self.entry_at(first), self.entry_at(last - 1) + 1
        rows, lengths = self.entries[begin:end], self.lengths[begin:end]
        within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        found: Places = np.repeat(self.blocks.first[rows], lengths) + within
        skipped = first - int(self.starts[begin])
        return found[skipped : skipped + last - first]

    def instruction(self, moment: int) -> Instruction:
        """What ran at a moment."""
        entry = self.entry_at(moment)
        return self.blocks.disassembled(int(self.entries[entry]))[moment - int(self.starts[entry])]

    def where(self, moment: int) -> Where:
        """The same with its place in the source."""
        self.entry_at(moment)
        return self.listing[int(self.numbers(moment, moment + 1)[0])]

    # Accesses

    @cached_property
    def moments(self) -> Places:
        """The moment of each access: of the instruction that made it."""
        return self.moments_of(self.recorded_accesses)

    def moments_of(self, accesses: Accesses) -> Places:
        """The moments of some accesses."""
        found: Places = self.starts[accesses["entry"]] + self._within(accesses)
        return found

    def numbers_of(self, accesses: Accesses) -> Places:
        """The instructions that made some accesses, as indices of `blocks.places`."""
        found: Places = self.blocks.first[self.rows_of(accesses)] + self._within(accesses)
        return found

    def rows_of(self, accesses: Accesses) -> Places:
        """The blocks of instructions that made some accesses, as rows of `blocks`."""
        rows: Places = self.entries[accesses["entry"]]
        return rows

    def _within(self, accesses: Accesses) -> Places:
        """Which instructions of their blocks made them."""
        rows = self.rows_of(accesses).astype(np.int64)
        return self.blocks.number_at(rows, accesses["offset"].astype(np.int64))

    @property
    def recorded_accesses(self) -> Accesses:
        """ValueError where accesses were not recorded."""
        if self.accesses is None:
            raise ValueError("accesses were not recorded: ask for them when the trace begins")
        return self.accesses

    def accesses_within(self, first: int, last: int) -> slice:
        """Which accesses the instructions of [first, last) made."""
        begin, end = np.searchsorted(self.moments, (first, last))
        return slice(int(begin), int(end))

    def touching(self, start: int, end: int, *, write: bool | None = None) -> Places:
        """Accesses, by number, to any byte of [start, end); write: only those that do, or not."""
        found = [
            self._touching(part.at, part.at + part.end - part.start, slice(part.first, part.last))
            for part in self.shown.stretches(start, end)
        ]
        every = np.unique(np.concatenate(found)) if len(found) > 1 else found[0]
        if write is not None:
            every = every[self.recorded_accesses["write"][every] == write]
        return every

    def _touching(self, start: int, end: int, among: slice) -> Places:
        accesses = self.recorded_accesses[among]
        address = accesses["address"]
        found = (address < end) & (address + accesses["size"] > start)
        numbers: Places = np.flatnonzero(found) + among.start
        return numbers

    @cached_property
    def shown(self) -> ShownPages:
        """Which pages showed which frames."""
        return ShownPages(self.events, len(self.recorded_accesses))

    @cached_property
    def listing(self) -> Listing:
        """Its instructions by number, with their places and texts."""
        return Listing(self.blocks, self.sources)

    # Registers

    @property
    def recorded_registers(self) -> Registers:
        """ValueError where registers were not recorded."""
        if self.registers is None:
            raise ValueError("registers were not recorded: ask for them when the trace begins")
        return self.registers

    # Events

    def of_kind(self, kind: type[E]) -> Iterator[E]:
        """The events of one kind."""
        return (event for event in self.events if isinstance(event, kind))

    @cached_property
    def calls(self) -> tuple[Span, ...]:
        """The calls of the allocator."""
        back = {event.index: event for event in self.of_kind(Returned)}
        return tuple(self._span(event, back.get(event.index)) for event in self.of_kind(Called))

    def _span(self, called: Called, returned: Returned | None) -> Span:
        last = returned.at if returned else len(self)
        last_entry = returned.entry if returned else len(self.entries)
        return Span(called, returned, called.at, last, called.entry, last_entry)

    def call_at(self, moment: int) -> Span | None:
        """The call that an instruction belongs to."""
        index = int(np.searchsorted(self._call_starts, moment, side="right")) - 1
        if index < 0 or moment >= self.calls[index].last:
            return None
        return self.calls[index]

    @cached_property
    def _call_starts(self) -> Places:
        return np.array([call.first for call in self.calls], np.int64)
