"""Emulated memory for a person's hands."""

from __future__ import annotations

import operator
from collections.abc import Callable

from emu.process.process import CallableProcess


class MemorySlice:
    """heap.memory: emulated memory as Python slices of bytes, by address.

        heap.memory[p : p + 8]              bytes
        heap.memory[p : p + 2] = b"ok"      a person's hand: no rights are asked
        heap.memory[p]                      one byte, an int

    IndexError where nothing is mapped. written(start, size): told of what was changed.
    """

    def __init__(self, process: CallableProcess, written: Callable[[int, int], None]) -> None:
        self._process, self._written = process, written

    def __getitem__(self, key: int | slice) -> int | bytes:
        start, end = self._range(key)
        data = self._process.memory.read(start, end - start)
        return data if isinstance(key, slice) else data[0]

    def __setitem__(self, key: int | slice, value: int | bytes) -> None:
        start, end = self._range(key)
        data = bytes([value]) if isinstance(value, int) else bytes(value)
        if len(data) != end - start:
            raise ValueError(f"{len(data)} bytes do not fill {end - start}")
        self._process.memory.write(start, data)
        self._written(start, len(data))

    def _range(self, key: int | slice) -> tuple[int, int]:
        if not isinstance(key, slice):
            start = operator.index(key)
            end = start + 1
        else:
            if key.step not in (None, 1) or key.start is None or key.stop is None:
                raise IndexError("emulated memory is addressed as memory[start:end]")
            start, end = key.start, max(key.start, key.stop)
        if not mapped(self._process, start, end):
            raise IndexError(f"not all of [{start:#x}, {end:#x}) is mapped")
        return start, end


def mapped(process: CallableProcess, start: int, end: int, *, writable: bool = False) -> bool:
    """Whether all of [start, end) is mapped, and may be written to."""
    reached = start
    for region in process.kernel.space.overlapping(start, end):
        if region.start > reached or (writable and not region.rights.write):
            return False
        reached = region.end
    return reached >= end
