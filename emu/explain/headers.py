"""What a call read and wrote of headers, in order."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from asm import layout
from emu.explain.call import pointers, result_of
from emu.explain.course import FIELDS, Change, Look
from emu.explain.replay import Replay
from emu.trace.memory import Memory
from emu.trace.trace import Span, Trace
from emu.trace.where import Where
from emu.view.blocks import HEADER, as_block
from syscalls.abi import TASK_SIZE


class Headers:
    """Of the heap's blocks as a replay has found them, and of mapped blocks that it was about."""

    def __init__(self, trace: Trace, span: Span, replay: Replay) -> None:
        self._trace, self._span, self._replay = trace, span, replay

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

    def changes(self) -> Iterator[Change]:
        """Writes to words of headers, in order."""
        memories = self._memories()
        before = {
            header
            for header, lives in self._replay.lives.items()
            if lives[0].first == self._replay.first
        }
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
        headers = np.array(sorted({*self._replay.lives, *self._mapped}), np.int64)
        if not len(headers):
            return
        accesses = self._trace.recorded_accesses[self._replay.first : self._replay.last]
        address = accesses["address"].astype(np.int64)
        last = address + accesses["size"] - 1
        which = np.searchsorted(headers, last, side="right") - 1
        near = headers[np.maximum(which, 0)]
        found = (which >= 0) & (address < near + layout.META) & (accesses["write"] == write)
        for index in np.flatnonzero(found).tolist():
            header = int(near[index])
            if self._is_mapped(header) or self._lived(
                header, index + self._replay.first, write=write
            ):
                yield index + self._replay.first, header

    def _lived(self, header: int, access: int, *, write: bool) -> bool:
        """Whether it is one then. It is written before it is one, and read when it was one."""
        lives = self._replay.lives[header]
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

    @property
    def _mapped(self) -> set[int]:
        """Headers outside the heap: of what the call was given, and of what it gave."""
        return {
            payload - layout.META
            for payload in (*pointers(self._span), result_of(self._span))
            if layout.META < payload < TASK_SIZE
            and not self._replay.start <= payload < self._replay.end
        }

    def _is_mapped(self, header: int) -> bool:
        return header not in self._replay.lives

    def _memories(self) -> list[Memory]:
        return [
            self._replay.memory_before(),
            *(Memory(self._trace, header, header + layout.META) for header in self._mapped),
        ]

    def _bytes(self, memories: list[Memory], access: int, address: int, size: int) -> bytes:
        memory = next(one for one in memories if one.covers(address, size))
        memory.forward(access, self._replay.events_before(access))
        return memory.read(address, size)


def _number(data: bytes) -> int:
    return int.from_bytes(data, "little")
