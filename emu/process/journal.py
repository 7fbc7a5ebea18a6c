"""Who is told of the blocks that run, while they are recorded."""

from __future__ import annotations

from typing import Protocol


class Journal(Protocol):
    """Told of blocks in the order in which they are translated, entered, and cut short."""

    def learned(self, number: int, address: int, size: int, instructions: int) -> None:
        """A block was translated, and has a number from now on: the next one, from 0."""

    def entered(self, numbers: memoryview) -> None:
        """Blocks were entered, in order: 32 bits each. What is not copied is lost."""

    def cut(self, instructions: int) -> None:
        """So many of the last block entered did not run."""
