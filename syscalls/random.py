"""What is random for a process: always the same for the same seed."""

from __future__ import annotations

from random import Random


class RandomBytes:
    """A stream of bytes that follow from a seed."""

    def __init__(self, seed: int) -> None:
        self._source = Random(seed)

    def bytes(self, count: int) -> bytes:
        """The next bytes."""
        return self._source.randbytes(count)
