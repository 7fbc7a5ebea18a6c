"""Arrays that grow where they stand: what is recorded is written once, and never moved."""

from __future__ import annotations

import mmap
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from emu.errors import InternalError
from emu.process.reserved import reserved

_SIZE = 1 << 36
"""Bytes that an array may have."""


class Growing:
    """Records of one kind, in order."""

    def __init__(self, kind: DTypeLike) -> None:
        memory = reserved(_SIZE)
        memory.madvise(mmap.MADV_HUGEPAGE)
        kind = np.dtype(kind)
        self._array: NDArray[Any] = np.frombuffer(memory, kind, _SIZE // kind.itemsize)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def more(self, count: int) -> NDArray[Any]:
        """So many records more, to be filled in."""
        end = self._count + count
        if end > len(self._array):
            raise InternalError(f"more than {_SIZE} bytes were recorded of one kind")
        room = self._array[self._count : end]
        self._count = end
        return room

    def keep(self, count: int) -> None:
        """What stands behind so many records is gone."""
        self._count = count

    @property
    def all(self) -> NDArray[Any]:
        """Those so far. No copy: what comes later stands behind them."""
        return self._array[: self._count]
