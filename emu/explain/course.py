"""The course of one call: the heap's blocks, followed from write to write.

Nothing is taken for granted but the block's header. What the blocks were at any time comes from
their own memory, played again; which words of their headers were read and written, and by what,
from the accesses.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from asm import layout
from emu.process.event import Event, SystemCalled
from emu.trace.blocks import Places
from emu.trace.memory import Memory
from emu.trace.questions import writes
from emu.trace.trace import Span, Trace
from emu.trace.where import Where
from emu.view.blocks import HEADER, Block, Status, Walk, Walker, as_block
from syscalls.abi import TASK_SIZE

FIELDS = {
    "size": (layout.BLOCK_SIZE, 8),
    "status": (layout.BLOCK_STATUS, 4),
    "prev": (layout.BLOCK_PREV, 8),
    "next": (layout.BLOCK_NEXT, 8),
}
"""Offset and size of each word of a header."""
_NEVER = 1 << 62
_STATUS_END = layout.BLOCK_STATUS + 4
_WIDEST = 8
"""Bytes that one access writes at most."""


@dataclass(frozen=True, slots=True)
class Look:
    """A function read words of a block's header, one after the other.

    block: as it was then. fields: which words, in the order in which they were first read.
    """

    moment: int
    function: str
    block: Block
    fields: tuple[str, ...]
    reads: int


@dataclass(frozen=True, slots=True)
class Change:
    """A word of a header was written, or of the allocator's own data.

    what: "size", "status", "prev", "next", or a symbol. address: of the payload, or the symbol's.
    old: None where nothing is known of it: the header was none before, or the symbol not written.
    """

    moment: int
    access: int
    where: Where
    what: str
    address: int
    old: int | None
    new: int

    @property
    def is_header(self) -> bool:
        return self.what in FIELDS


@dataclass(frozen=True, slots=True)
class Merge:
    """A block came to cover another one. into: as it was before."""

    access: int
    into: Block
    absorbed: Block


@dataclass(frozen=True, slots=True)
class _Life:
    """A header was one of the heap's from one access on, until another."""

    first: int
    last: int = _NEVER


@dataclass
class Course:
    """walks: the heap's blocks, and from which access on it was so; the first: at the beginning.

    breaks: the same of the break.
    """

    before: Walk
    after: Walk
    looks: tuple[Look, ...]
    changes: tuple[Change, ...]
    merges: tuple[Merge, ...]
    walks: list[tuple[int, Walk]] = field(default_factory=list)
    breaks: list[tuple[int, int]] = field(default_factory=list)

    def walk_before(self, access: int) -> Walk:
        """The blocks before an access was made."""
        return self.walks[bisect_right(self.walks, access, key=_position) - 1][1]


def follow(trace: Trace, span: Span, heap_start: int, heap_end: int) -> Course:
    """The course of a call. heap_end: the highest break of the trace."""
    followed = _Followed(trace, span, heap_start, heap_end)
    followed.walk_through()
    return Course(
        followed.walks[0][1], followed.walks[-1][1], tuple(followed.looks()),
        tuple(sorted([*followed.header_changes(), *_data_changes(trace, span)], key=_when)),
        tuple(followed.merges), followed.walks, followed.breaks,
    )  # fmt: skip


class _Followed:
    def __init__(self, trace: Trace, span: Span, heap_start: int, heap_end: int) -> None:
        self._trace, self._span = trace, span
        self._start, self._end = heap_start, heap_end
        self._first, self._last = accesses_of(trace, span)
        self._event = trace.events.index(span.called)
        self._events = _events_of(trace, span, self._event)
        self._memory = self._memory_before()
        self._walker = Walker(self._memory)
        self._lives: dict[int, list[_Life]] = {}
        self.walks: list[tuple[int, Walk]] = []
        self.breaks: list[tuple[int, int]] = []
        self.merges: list[Merge] = []

    # The blocks

    def walk_through(self) -> None:
        """Finds when which blocks were, and which took in which."""
        self.breaks = list(self._breaks())
        self._look_again(self._first, self.breaks[0][1])
        moves = iter([*self.breaks[1:], (_NEVER, 0)])
        at, moved = next(moves)
        for access, address in self._heap_writes():
            while at <= access:
                self._look_again(at, moved)
                at, moved = next(moves)
            if self._reshapes(address):
                self._look_again(access + 1, self.walks[-1][1].end)
        while at < _NEVER:
            self._look_again(at, moved)
            at, moved = next(moves)
        self._look_again(self._last, self.walks[-1][1].end)

    def _breaks(self) -> Iterator[tuple[int, int]]:
        """The break at the beginning, and each time it moved: from which access on, and where."""
        brk = self._start
        for event in self._trace.events[: self._event]:
            brk = _break_after(event, brk)
        yield self._first, brk
        for event in self._events:
            moved = _break_after(event, brk)
            if moved != brk:
                brk = moved
                yield event.accesses, brk

    def _heap_writes(self) -> Iterator[tuple[int, int]]:
        within = self._touching(self._start, self._end, write=True)
        addresses = self._trace.recorded_accesses["address"][within]
        return zip(within.tolist(), addresses.tolist(), strict=True)

    def _touching(self, start: int, end: int, *, write: bool) -> Places:
        """The call's accesses to [start, end), by number."""
        accesses = self._trace.recorded_accesses[self._first : self._last]
        found = (accesses["address"] < end) & (accesses["address"] + accesses["size"] > start)
        numbers: Places = np.flatnonzero(found & (accesses["write"] == write)) + self._first
        return numbers

    def _reshapes(self, address: int) -> bool:
        """Whether a write there may change the blocks: a size, a status, or the next header."""
        reached = self.walks[-1][1].reached
        return reached <= address < reached + layout.META or any(
            header in self._lives and self._lives[header][-1].last == _NEVER
            for header in range(address - _STATUS_END + 1, address + _WIDEST)
        )

    def _look_again(self, access: int, brk: int) -> None:
        self._memory.forward(access, self._events_before(access))
        walk = self._walker.walk(self._start, brk)
        old = self.walks[-1][1] if self.walks else Walk(self._start, self._start, ())
        gone = {block.header: block for block in walk.middle(old.blocks)}
        for block in walk.middle(walk.blocks):
            was = gone.pop(block.header, None)
            if was is None:
                self._lives.setdefault(block.header, []).append(_Life(access))
            elif block.size > was.size:
                self._merge(access, was, block, old)
        for header in gone:
            self._lives[header][-1] = _Life(self._lives[header][-1].first, access)
        self.walks.append((access, walk))

    def _merge(self, access: int, was: Block, now: Block, old: Walk) -> None:
        for block in old.blocks[bisect_right(old.blocks, was.address, key=_address) :]:
            if block.header >= now.end:
                break
            self.merges.append(Merge(access, was, block))

    def _events_before(self, access: int) -> int:
        """How many events there were before an access of the call."""
        return self._event + bisect_right(self._events, access, key=_made_before)

    # What was read, and written

    def looks(self) -> Iterator[Look]:
        """Reads of headers, in order."""
        memories = self._memories()
        found: list[tuple[int, int, str]] = []
        for access, header in self._header_accesses(write=False):
            if found and found[-1][1:] == (header, self._where(access).function):
                found.append((access, header, found[-1][2]))
                continue
            if found:
                yield self._look(found, memories)
            found = [(access, header, self._where(access).function)]
        if found:
            yield self._look(found, memories)

    def _look(self, found: list[tuple[int, int, str]], memories: list[Memory]) -> Look:
        first, header, function = found[0]
        block = as_block(header, HEADER.unpack(self._bytes(memories, first, header, layout.META)))
        words = [word for access, *_ in found for word in self._words(access, header)]
        return Look(self._moment(first), function, block, tuple(dict.fromkeys(words)), len(found))

    def header_changes(self) -> Iterator[Change]:
        """Writes to words of headers, in order."""
        memories = self._memories()
        before = {header for header, lives in self._lives.items() if lives[0].first == self._first}
        written: set[tuple[int, str]] = set()
        for access, header in self._header_accesses(write=True):
            for word in self._words(access, header):
                offset, size = FIELDS[word]
                old = self._bytes(memories, access, header + offset, size)
                new = self._bytes(memories, access + 1, header + offset, size)
                known = header in before or self._is_mapped(header) or (header, word) in written
                written.add((header, word))
                yield Change(
                    self._moment(access), access, self._where(access), word,
                    header + layout.META, _number(old) if known else None, _number(new),
                )  # fmt: skip

    def _header_accesses(self, *, write: bool) -> Iterator[tuple[int, int]]:
        """(access, header) of those that touch a header while it is one."""
        headers = np.array(sorted({*self._lives, *self._mapped}), np.int64)
        if not len(headers):
            return
        accesses = self._trace.recorded_accesses[self._first : self._last]
        address = accesses["address"].astype(np.int64)
        last = address + accesses["size"] - 1
        which = np.searchsorted(headers, last, side="right") - 1
        near = headers[np.maximum(which, 0)]
        found = (which >= 0) & (address < near + layout.META) & (accesses["write"] == write)
        for index in np.flatnonzero(found).tolist():
            header = int(near[index])
            if self._is_mapped(header) or self._lived(header, index + self._first, write=write):
                yield index + self._first, header

    def _lived(self, header: int, access: int, *, write: bool) -> bool:
        """Whether it is one then. It is written before it is one, and read when it was one."""
        lives = self._lives[header]
        return access < lives[-1].last if write else lives[0].first <= access

    def _words(self, access: int, header: int) -> list[str]:
        one = self._trace.recorded_accesses[access]
        start, size = int(one["address"]) - header, int(one["size"])
        return [
            word
            for word, (offset, length) in FIELDS.items()
            if start < offset + length and offset < start + size
        ]

    def _where(self, access: int) -> Where:
        one = self._trace.recorded_accesses[access : access + 1]
        return self._trace.listing[int(self._trace.numbers_of(one)[0])]

    def _moment(self, access: int) -> int:
        one = self._trace.recorded_accesses[access : access + 1]
        return int(self._trace.moments_of(one)[0])

    # Memory

    def _memory_before(self) -> Memory:
        memory = Memory(self._trace, self._start, self._end)
        memory.forward(self._first, self._event)
        return memory

    @property
    def _mapped(self) -> set[int]:
        """Headers outside the heap: of what the call was given, and of what it gave."""
        return {
            payload - layout.META
            for payload in (*pointers(self._span), result_of(self._span))
            if layout.META < payload < TASK_SIZE and not self._start <= payload < self._end
        }

    def _is_mapped(self, header: int) -> bool:
        return header not in self._lives

    def _memories(self) -> list[Memory]:
        return [
            self._memory_before(),
            *(Memory(self._trace, header, header + layout.META) for header in self._mapped),
        ]

    def _bytes(self, memories: list[Memory], access: int, address: int, size: int) -> bytes:
        memory = next(one for one in memories if one.covers(address, size))
        memory.forward(access, self._events_before(access))
        return memory.read(address, size)


def accesses_of(trace: Trace, span: Span) -> tuple[int, int]:
    """The first access of a call, and the first behind it."""
    total = len(trace.recorded_accesses)
    return span.called.accesses, span.returned.accesses if span.returned else total


def pointers(span: Span) -> tuple[int, ...]:
    """The payload that a call was given."""
    return span.called.args[:1] if span.called.name in ("os_free", "os_realloc") else ()


def result_of(span: Span) -> int:
    """The payload that a call gave; 0 for none. os_free gives none, whatever is in rax."""
    gives = span.returned is not None and span.called.name != "os_free"
    return span.returned.result if gives and span.returned else 0


def _data_changes(trace: Trace, span: Span) -> Iterator[Change]:
    """Writes to the allocator's own variables: whatever has a name."""
    first, last = accesses_of(trace, span)
    accesses = trace.recorded_accesses[first:last]
    named = trace.sources.symbols
    if not named:
        return
    low, high = named[0].address, max(one.address + one.size for one in named)
    found = accesses["write"] & (accesses["address"] >= low) & (accesses["address"] < high)
    for index in (np.flatnonzero(found) + first).tolist():
        address = int(trace.recorded_accesses["address"][index])
        symbol = trace.sources.symbol_at(address)
        if symbol is not None:
            yield _data_change(trace, index, symbol.address, trace.sources.spelled(address))


def _data_change(trace: Trace, access: int, address: int, what: str) -> Change:
    one = trace.recorded_accesses[access : access + 1]
    moment = int(trace.moments_of(one)[0])
    start, size = int(one["address"][0]), int(one["size"][0])
    earlier = writes(trace, start, start + size, moment)
    old = earlier[-1].value if earlier else None
    new = int(one["value"][0]) & (1 << 8 * size) - 1
    where = trace.listing[int(trace.numbers_of(one)[0])]
    return Change(moment, access, where, what, address, old, new)


def _events_of(trace: Trace, span: Span, first: int) -> tuple[Event, ...]:
    """From when it was called until it returned; first: the index of the first."""
    events = trace.events[first:]
    return events if span.returned is None else events[: events.index(span.returned) + 1]


def _made_before(event: Event) -> int:
    return event.accesses


def _break_after(event: Event, brk: int) -> int:
    if isinstance(event, SystemCalled) and event.call.name == "brk" and event.call.result:
        return event.call.result
    return brk


def _number(data: bytes) -> int:
    return int.from_bytes(data, "little")


def _position(walk: tuple[int, Walk]) -> int:
    return walk[0]


def _when(change: Change) -> int:
    return change.access


def _address(block: Block) -> int:
    return block.address


def status_of(word: int) -> Status:
    """What a status word says."""
    return as_block(0, (0, word, 0, 0)).status
