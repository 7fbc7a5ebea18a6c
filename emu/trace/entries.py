"""The blocks that were entered, as rows of a table."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emu.trace.growing import Growing


class Entries:
    """Numbers of blocks, as the counter has them, are given rows, and then become those.

    They are the same until a block is translated a second time.
    """

    def __init__(self) -> None:
        self._entered = Growing(np.uint32)
        self._row_of = np.zeros(1, np.uint32)
        self._same = True

    def __len__(self) -> int:
        return len(self._entered)

    def learn(self, number: int, row: int) -> None:
        """A number from now on."""
        if number >= len(self._row_of):
            self._row_of = np.concatenate((self._row_of, np.zeros(number + 1, np.uint32)))
        self._row_of[number] = row
        self._same = self._same and number == row

    def append(self, numbers: memoryview) -> None:
        """In order, 32 bits each; while they are in the cache."""
        entered = np.frombuffer(numbers, np.uint32)
        part = self._entered.more(len(entered))
        if self._same:
            part[:] = entered
        else:  # mode: the default would buffer `out`, and take ten times as long
            self._row_of.take(entered, out=part, mode="clip")

    @property
    def rows(self) -> NDArray[np.uint32]:
        """All so far."""
        return self._entered.all
