"""Shadow memory: what may be done with each byte of the guest's memory, where somebody watches it.

A byte has a state of two bits (asm/probe/shadow.s draws them, and how they are kept). Here states
are written and read by a person's hand; a probe reads them at each access.
"""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from emu.errors import InternalError
from emu.process import host_code
from emu.process.reserved import reserved
from emu.process.windows import Window
from syscalls.abi import PAGE, TASK_SIZE

_LAYOUT = host_code.layout_of("shadow")


class State(IntEnum):
    """Of a byte. FOREIGN: it is none of the heap's, though the page is."""

    UNADDRESSABLE = _LAYOUT["UNADDRESSABLE"]
    UNWRITTEN = _LAYOUT["UNWRITTEN"]
    FOREIGN = _LAYOUT["FOREIGN"]
    WRITTEN = _LAYOUT["WRITTEN"]


_FIRST = _LAYOUT["FIRST"]
_SHIFT = PAGE.bit_length() - 1
_OFFSET = PAGE - 1
_PAGES = (TASK_SIZE >> _SHIFT) + 1
_STATES = 1 << _LAYOUT["STATES_SHIFT"]
"""Bytes of a page's states: four states a byte."""
_ROOM = 1 << 36
_NOWHERE = 1 << 63
_ENTRY = 4
"""Bytes of a page's entry in the table."""
LOW = 0x5555_5555_5555_5555
"""The low bits of 32 states."""


class ShadowState(NamedTuple):
    """All states. areas: the pages that are watched; for each, its entries and its states."""

    areas: list[tuple[int, int]]
    entries: list[bytes]
    states: list[list[bytes]]


def pattern(count: int, state: int) -> int:
    """So many bytes in one state: two bits each, those of the first byte the lowest."""
    return ((1 << 2 * count) - 1) // 3 * state


class Shadow:
    """Of one process. header: what a probe in machine code finds its way by."""

    def __init__(self) -> None:
        self._table, self._memory = reserved((_PAGES + 1) * _ENTRY), reserved(_ROOM)
        for part in (self._table, self._memory):
            part.madvise(mmap.MADV_NOHUGEPAGE)
        self._entries = np.frombuffer(self._table, np.uint32)
        self._areas: list[tuple[int, int]] = []
        self.header = (ctypes.c_uint64 * (_LAYOUT["HEADER_SIZE"] // 8))()
        for name, value in (
            ("PAGES", _address(self._table)),
            ("END", _PAGES),
            ("STATES", _address(self._memory)),
            ("SPARE", _FIRST),
            ("WINDOW", _NOWHERE),
            ("STACK", _NOWHERE),
        ):
            self.header[_LAYOUT[name] // 8] = value

    def close(self) -> None:
        """After the probe is gone: gives the host's memory back."""
        del self._entries
        self._table.close()
        self._memory.close()

    # What is watched

    @property
    def areas(self) -> list[tuple[int, int]]:
        """The pages that are watched, as ranges [start, end) of addresses, in order."""
        return [(first << _SHIFT, end << _SHIFT) for first, end in self._areas]

    def watches(self, address: int) -> bool:
        """Whether anything is known of the page of an address."""
        page = address >> _SHIFT
        return page < _PAGES and bool(self._entries[page])

    def watch(self, start: int, end: int) -> None:
        """[start, end) is the heap's from now on, and unaddressable."""
        if start >= end:
            return
        first, last = start >> _SHIFT, (end - 1 >> _SHIFT) + 1
        for page in {first, last - 1}:
            if not self._entries[page]:
                self._entries[page] = 1 + State.FOREIGN
        self._areas = _with(self._areas, first, last)
        self.set(start, end, State.UNADDRESSABLE)

    def unwatch(self, start: int, end: int) -> None:
        """[start, end) is the heap's no more."""
        first, last = -(-start >> _SHIFT), end >> _SHIFT
        for low, high in _within(self._areas, start >> _SHIFT, -(-end >> _SHIFT)):
            a, b = max(start, low << _SHIFT), min(end, high << _SHIFT)
            self.set(a, b, State.FOREIGN)
        for low, high in _within(self._areas, first, last):
            self._fill(low, high, 0)
        self._areas = _without(self._areas, first, last)

    def see(self, window: Window) -> None:
        """Where the bytes of a part of the guest's memory are, for what a probe reads itself."""
        self._see("WINDOW", "HOST", window)

    def see_stack(self, window: Window) -> None:
        """The same, of the stack."""
        self._see("STACK", "STACK_HOST", window)

    def _see(self, start: str, host: str, window: Window) -> None:
        self.header[_LAYOUT[start] // 8] = window.start
        self.header[_LAYOUT[host] // 8] = window.host_address

    # States

    def set(self, start: int, end: int, state: State) -> None:
        """All bytes of a range, which is watched."""
        first, last = -(-start >> _SHIFT), end >> _SHIFT
        if first < last:
            self._put(start, (first << _SHIFT) - start, state)
            self._fill(first, last, 1 + state)
            start = last << _SHIFT
        self._put(start, end - start, state)

    def _put(self, start: int, count: int, state: State) -> None:
        """A range that crosses no page, or one."""
        if count > 0:
            self.put(start, count, pattern(count, state))

    def bits(self, start: int, count: int) -> int:
        """The states of a range, two bits each; FOREIGN where nobody watches."""
        first = start & ~3
        packed = b"".join(self._packed(first, start + count))
        return int.from_bytes(packed, "little") >> 2 * (start - first) & (1 << 2 * count) - 1

    def put(self, start: int, count: int, bits: int) -> None:
        """What `bits` gave; the range is watched."""
        first, end = start & ~3, start + count + 3 & ~3
        if (first, end) != (start, start + count):
            shift = 2 * (start - first)
            others = self.bits(first, end - first) & ~((1 << 2 * count) - 1 << shift)
            bits = others | bits << shift
        packed = bits.to_bytes(end - first >> 2, "little")
        done = 0
        for page, offset, size in _pieces(first, end):
            at = self._own(page) * _STATES + (offset >> 2)
            self._memory[at : at + (size >> 2)] = packed[done : done + (size >> 2)]
            done += size >> 2

    def written(self, start: int, count: int) -> None:
        """Whatever is unwritten in a range is written now."""
        for page, offset, size in _pieces(start, start + count):
            if page < _PAGES and self._entries[page]:
                at = (page << _SHIFT) + offset
                before = self.bits(at, size)
                after = before | (before & pattern(size, State.UNWRITTEN)) << 1
                if after != before:
                    self.put(at, size, after)

    def _packed(self, start: int, end: int) -> Iterator[bytes]:
        """Four states a byte; start is a multiple of four."""
        for page, offset, size in _pieces(start, end + 3 & ~3):
            entry = int(self._entries[page]) if page < _PAGES else 0
            if entry >= _FIRST:
                at = entry * _STATES + (offset >> 2)
                yield self._memory[at : at + (size >> 2)]
            else:
                yield _four(entry - 1 if entry else State.FOREIGN) * (size >> 2)

    def _own(self, page: int) -> int:
        """The number of the page's states, which it has from now on."""
        entry = int(self._entries[page])
        if entry >= _FIRST:
            return entry
        if not entry:
            raise InternalError(f"the page {page << _SHIFT:#x} has no shadow")
        spare = self.header[_SPARE]
        at = spare * _STATES
        ahead = int.from_bytes(self._memory[at : at + 4], "little", signed=True)
        self.header[_SPARE] = spare + 1 + ahead
        self._memory[at : at + _STATES] = _four(entry - 1) * _STATES
        self._entries[page] = spare
        return spare

    def _fill(self, first: int, last: int, entry: int) -> None:
        """Pages whose bytes are all in one state."""
        entries = self._entries[first:last]
        for states in entries[entries >= _FIRST].tolist():
            self._give_back(states)
        entries[:] = entry

    def _give_back(self, states: int) -> None:
        at = states * _STATES
        ahead = self.header[_SPARE] - (states + 1)
        self._memory[at : at + 4] = ahead.to_bytes(4, "little", signed=True)
        self.header[_SPARE] = states

    def foreign(self) -> list[tuple[int, int]]:
        """Ranges at the edges of what is watched that are not the heap's."""
        found = []
        for first, last in self._areas:
            for page in {first, last - 1}:
                start, own = page << _SHIFT, self._foreign_bytes(page)
                found += [(start, start + own[0]), (start + PAGE - own[1], start + PAGE)]
        return sorted({run for run in found if run[0] < run[1]})

    def _foreign_bytes(self, page: int) -> tuple[int, int]:
        """How many at the beginning of a page, and at its end."""
        other = self.bits(page << _SHIFT, PAGE) ^ pattern(PAGE, State.FOREIGN)
        if not other:
            return PAGE, 0
        return ((other & -other).bit_length() - 1) // 2, PAGE - (other.bit_length() + 1) // 2

    # Going back

    def saved(self) -> ShadowState:
        """All states."""
        entries = [self._table[a * _ENTRY : b * _ENTRY] for a, b in self._areas]
        states = [
            [self._memory[n * _STATES : (n + 1) * _STATES] for n in self._owned(a, b)]
            for a, b in self._areas
        ]
        return ShadowState(list(self._areas), entries, states)

    def put_back(self, saved: ShadowState) -> None:
        """What `saved` gave."""
        for first, last in self._areas:
            self._fill(first, last, 0)
        self._areas = list(saved.areas)
        for (first, last), entries, states in zip(*saved, strict=True):
            kept = iter(states)
            self._table[first * _ENTRY : last * _ENTRY] = entries
            for page in (np.flatnonzero(self._entries[first:last] >= _FIRST) + first).tolist():
                self._entries[page] = 1
                at = self._own(page) * _STATES
                self._memory[at : at + _STATES] = next(kept)

    def _owned(self, first: int, last: int) -> list[int]:
        entries = self._entries[first:last]
        owned: list[int] = entries[entries >= _FIRST].tolist()
        return owned


_SPARE = _LAYOUT["SPARE"] // 8


def _four(state: int) -> bytes:
    """A byte of four states."""
    return bytes([state * 0x55])


def _address(memory: mmap.mmap) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(memory))


def _pieces(start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(page, offset, size) of the pages of a range."""
    while start < end:
        size = min(end, (start | _OFFSET) + 1) - start
        yield start >> _SHIFT, start & _OFFSET, size
        start += size


def _with(runs: list[tuple[int, int]], first: int, last: int) -> list[tuple[int, int]]:
    """Runs, in order, and one more."""
    apart = [run for run in runs if run[1] < first or run[0] > last]
    joined = [run for run in runs if run[1] >= first and run[0] <= last]
    first = min([first, *(run[0] for run in joined)])
    last = max([last, *(run[1] for run in joined)])
    return sorted([*apart, (first, last)])


def _without(runs: list[tuple[int, int]], first: int, last: int) -> list[tuple[int, int]]:
    left = []
    for start, end in runs:
        left += [(start, min(end, first)), (max(start, last), end)]
    return [run for run in left if run[0] < run[1]]


def _within(runs: list[tuple[int, int]], first: int, last: int) -> Iterator[tuple[int, int]]:
    """The runs, as far as they lie in [first, last)."""
    for start, end in runs:
        if max(start, first) < min(end, last):
            yield max(start, first), min(end, last)
