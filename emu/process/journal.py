"""Who is told of the blocks that run, while they are recorded."""

from __future__ import annotations

from typing import Protocol


class Journal(Protocol):
    """Told of blocks in the order in which they are translated, entered, and cut short."""

    def learned(self, name: int, address: int, size: int, instructions: int) -> None:
        """A block was translated, and has a name from now on."""

    def entered(self, names: bytes) -> None:
        """Blocks were entered, in order: 32 bits each."""

    def cut(self, instructions: int) -> None:
        """So many of the last block entered did not run."""
