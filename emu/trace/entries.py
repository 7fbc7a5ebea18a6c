"""The blocks that were entered, as rows of a table: one array, which grows where it stands."""

from __future__ import annotations

import mmap

import numpy as np
from numpy.typing import NDArray

from emu.errors import InternalError

_MOST = 1 << 33
"""Entries. The host gives pages only to what is used."""
_SIZE = 4
_NORESERVE = 0x4000


class Entries:
    """Names of blocks, as the counter has them, are given rows, and then become those."""

    def __init__(self) -> None:
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _NORESERVE
        memory = mmap.mmap(-1, _MOST * _SIZE, flags=flags)
        memory.madvise(mmap.MADV_HUGEPAGE)
        self._all = np.frombuffer(memory, np.uint32)
        self._count = 0
        self._row_of = np.zeros(1, np.uint32)

    def __len__(self) -> int:
        return self._count

    def learn(self, name: int, row: int) -> None:
        """A name from now on."""
        if name >= len(self._row_of):
            self._row_of = np.concatenate((self._row_of, np.zeros(name + 1, np.uint32)))
        self._row_of[name] = row

    def append(self, names: bytes) -> None:
        """In order, 32 bits each; while they are in the cache."""
        rows = np.frombuffer(names, np.uint32)
        end = self._count + len(rows)
        if end > _MOST:
            raise InternalError(f"more than {_MOST} blocks were entered while they were recorded")
        # mode: the default would buffer `out`, and take ten times as long
        self._row_of.take(rows, out=self._all[self._count : end], mode="clip")
        self._count = end

    @property
    def rows(self) -> NDArray[np.uint32]:
        """All so far. No copy: what comes later stands behind it."""
        return self._all[: self._count]
