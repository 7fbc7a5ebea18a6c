"""Where the records of a probe in machine code go, and the header by which it finds its way.

Probes that are called within blocks share this: asm/probe/access.s, step.s. The counter's own ring
is another.
"""

from __future__ import annotations

import ctypes
import mmap

from emu.process import host_code
from emu.process.machine_counter import MachineCounter

BLOCK_STEP = 4
"""From a block's `entry` to the next one's: the size of a block's record."""
HALF = (1 << 32) - 1


class ProbeRing:
    """Of one probe and one counter.

    room: records between two drains. most_in_block: those that may come between the one that
    reaches MARK and the next block.
    words: what the header has beside AT, MARK, BLOCKS and END, by name.
    """

    def __init__(
        self,
        probe: str,
        counter: MachineCounter,
        room: int,
        most_in_block: int,
        words: dict[str, int],
    ) -> None:
        layout = host_code.layout_of(probe)
        self._counter = counter
        self._size = layout["RECORD_SIZE"]
        self._memory = mmap.mmap(-1, (room + most_in_block) * self._size)
        self._start = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))
        self._header = (ctypes.c_uint64 * (layout["HEADER_SIZE"] // 8))()
        _, blocks, end = counter.ring
        mark = self._start + room * self._size
        words = {"AT": self._start, "MARK": mark, "BLOCKS": blocks, "END": end, **words}
        for name, value in words.items():
            self._header[layout[name] // 8] = value
        self._at = layout["AT"] // 8
        self.address = ctypes.addressof(self._header)

    def __len__(self) -> int:
        return (self._header[self._at] - self._start) // self._size

    def take(self) -> tuple[memoryview, int]:
        """All records; the next ones will stand in the same place.

        And what `entry` is for the first block that was entered, modulo 2^32.
        """
        taken = memoryview(self._memory)[: len(self) * self._size]
        self._header[self._at] = self._start
        _, at, _ = self._counter.ring
        now = ctypes.c_uint64.from_address(at).value  # behind the last block's record
        first = now - BLOCK_STEP * (self._counter.entered - 1)
        return taken, first & HALF
