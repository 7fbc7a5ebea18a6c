"""Small plots of letters: a column for some calls, the highest at the top."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HEIGHT = 6


@dataclass(frozen=True, slots=True)
class Area:
    """A curve, filled with a letter from below; what is drawn later covers it."""

    letter: str
    values: NDArray[np.int64]


def plot(areas: Sequence[Area], top: int, width: int) -> list[str]:
    """Rows of letters, the highest first. All values lie between 0 and `top`.

    A column shows the highest of its calls; what is more than nothing has a letter.
    """
    rows = [[" "] * width for _ in range(HEIGHT)]
    for area in areas:
        for column, value in enumerate(_columns(area.values, width)):
            for row in range(-(-value * HEIGHT // max(1, top))):
                rows[HEIGHT - 1 - row][column] = area.letter
    return ["".join(row).rstrip() for row in rows]


def _columns(values: NDArray[np.int64], width: int) -> list[int]:
    """The highest of those that each column stands for; few calls take several columns each."""
    count = len(values)
    if not count:
        return []
    starts = np.arange(width) * count // width
    ends = np.maximum(starts + 1, np.arange(1, width + 1) * count // width)
    return [int(values[a:b].max()) for a, b in zip(starts, ends, strict=True)]
