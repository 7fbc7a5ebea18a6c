"""Host memory by physical address, in windows that are made when they are first needed.

The host gives pages only to what is touched, so a window costs nothing but address space.
"""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Callable, Iterator

from emu.errors import ClosedError
from emu.process.reserved import reserved

WINDOW = 1 << 32
_WINDOW_MASK = WINDOW - 1

MapWindow = Callable[[int, int, int], None]


class Window:
    """Host memory for the addresses [start, start + WINDOW)."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.bytes = reserved(WINDOW)
        self.bytes.madvise(mmap.MADV_NOHUGEPAGE)
        self._pin: ctypes.c_char | None = ctypes.c_char.from_buffer(self.bytes)
        self.host_address = ctypes.addressof(self._pin)

    def close(self) -> None:
        self._pin = None
        self.bytes.close()


class Windows:
    """All of them. map_window: the CPU's; it is told of each."""

    def __init__(self) -> None:
        self._windows: dict[int, Window] = {}
        self._closed = False
        self.map_window: MapWindow = lambda start, size, host: None

    def close(self) -> None:
        """After the CPU is closed: gives the host memory back."""
        self._closed = True
        for window in self._windows.values():
            window.close()
        self._windows.clear()

    def at(self, address: int) -> Window:
        """The window of an address."""
        window = self._windows.get(address & ~_WINDOW_MASK)
        if window is None:
            if self._closed:
                raise ClosedError("this process is closed: its memory is gone")
            window = self._windows[address & ~_WINDOW_MASK] = Window(address & ~_WINDOW_MASK)
            self.map_window(window.start, WINDOW, window.host_address)
        return window

    def read(self, address: int, size: int) -> bytes:
        window = self.at(address)
        offset = address - window.start
        if offset + size <= WINDOW:
            return window.bytes[offset : offset + size]
        split = WINDOW - offset
        return window.bytes[offset:] + self.read(address + split, size - split)

    def write(self, address: int, data: bytes) -> None:
        window = self.at(address)
        offset, size = address - window.start, len(data)
        if offset + size <= WINDOW:
            window.bytes[offset : offset + size] = data
            return
        for window, offset, done, size in self._parts(address, len(data)):
            window.bytes[offset : offset + size] = data[done : done + size]

    def zero(self, start: int, end: int) -> None:
        """Whole pages are given back to the host."""
        for window, offset, _, size in self._parts(start, end - start):
            window.bytes.madvise(mmap.MADV_DONTNEED, offset, size)

    def copy(self, start: int, end: int, to: int) -> None:
        """Bytes to a place that they do not overlap."""
        for source, offset, done, size in self._parts(start, end - start):
            for target, place, ahead, part in self._parts(to + done, size):
                ctypes.memmove(
                    target.host_address + place, source.host_address + offset + ahead, part
                )

    def copy_from(self, other: Windows, start: int, end: int) -> None:
        """The bytes that another has there."""
        for window, offset, done, size in self._parts(start, end - start):
            there = other.at(start + done).host_address
            ctypes.memmove(window.host_address + offset, there + offset, size)

    def _parts(self, address: int, size: int) -> Iterator[tuple[Window, int, int, int]]:
        """Window, offset in it, offset in the range, size: for the part in each window."""
        done = 0
        while done < size:
            window = self.at(address + done)
            offset = address + done - window.start
            part = min(size - done, WINDOW - offset)
            yield window, offset, done, part
            done += part
