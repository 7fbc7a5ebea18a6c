"""The memory of a counter in machine code: a header, and behind it a slot for each block.

Layout and meaning: asm/probe/count.s. Translated code knows where a slot is, so a slot stays where
it is until all code is forgotten.
"""

from __future__ import annotations

import ctypes
import mmap

from emu.errors import InternalError
from emu.process import host_code
from emu.process.reserved import reserved
from syscalls.abi import PAGE

LAYOUT = host_code.layout_of("count")
SLOT_SIZE = LAYOUT["SLOT_SIZE"]
_LENGTH, _COUNTER = LAYOUT["LENGTH"], LAYOUT["COUNTER"]
_FIRST = -(-LAYOUT["HEADER_SIZE"] // SLOT_SIZE) * SLOT_SIZE
_SIZE = 1 << 32
"""A record has 32 bits for a place. The host gives pages only to what is used."""
UNKNOWN = 1 << 62
"""The length of a block that was not learned: more than any limit allows."""


class Slots:
    """header: its words. place: of the next block to be translated."""

    def __init__(self) -> None:
        self._memory = reserved(_SIZE)
        self._memory.madvise(mmap.MADV_NOHUGEPAGE)
        self.header = (ctypes.c_int64 * (LAYOUT["HEADER_SIZE"] // 8)).from_buffer(self._memory)
        self.base = ctypes.addressof(self.header)
        self.place = 0
        self._forgotten = 0
        self._take(_FIRST)

    @property
    def address(self) -> int:
        """Of the next block's slot."""
        return self.base + self.place

    def learn(self, length: int) -> int:
        """The next block has so many instructions; the place of its slot."""
        place = self.place
        self._word(place + _LENGTH).value = length
        self._take(place + SLOT_SIZE)
        return place

    def length_at(self, place: int) -> int:
        return self._word(place + _LENGTH).value

    def forget(self, *, reuse: bool) -> None:
        """No code is translated any more. reuse: the places may be given to other blocks."""
        start, end = self._forgotten & -PAGE or PAGE, self.place & -PAGE
        if start < end:
            self._memory.madvise(mmap.MADV_DONTNEED, start, end - start)
        self._forgotten = end
        if reuse:
            self._forgotten = 0
            self._take(_FIRST)

    def _take(self, place: int) -> None:
        if place + SLOT_SIZE > _SIZE:
            raise InternalError("more blocks were translated than can be told apart")
        self.place = place
        self._word(place + _LENGTH).value = UNKNOWN
        self._word(place + _COUNTER).value = self.base

    def _word(self, place: int) -> ctypes.c_int64:
        return ctypes.c_int64.from_address(self.base + place)
