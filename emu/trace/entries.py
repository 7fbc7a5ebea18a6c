"""The blocks that were entered, as rows of a table."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emu.trace.growing import Growing


class Entries:
    """Names of blocks, as the counter has them, are given rows, and then become those."""

    def __init__(self) -> None:
        self._entered = Growing(np.uint32)
        self._row_of = np.zeros(1, np.uint32)

    def __len__(self) -> int:
        return len(self._entered)

    def learn(self, name: int, row: int) -> None:
        """A name from now on."""
        if name >= len(self._row_of):
            self._row_of = np.concatenate((self._row_of, np.zeros(name + 1, np.uint32)))
        self._row_of[name] = row

    def append(self, names: bytes) -> None:
        """In order, 32 bits each; while they are in the cache."""
        entered = np.frombuffer(names, np.uint32)
        # mode: the default would buffer `out`, and take ten times as long
        self._row_of.take(entered, out=self._entered.more(len(entered)), mode="clip")

    @property
    def rows(self) -> NDArray[np.uint32]:
        """All so far."""
        return self._entered.all
