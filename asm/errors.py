"""What can be wrong with a source file."""

from __future__ import annotations

from typing import Any


def why(error: OSError) -> str:
    """What the operating system says, for the middle of a sentence."""
    return (error.strerror or str(error)).lower()


class AssemblyError(Exception):
    """A source line that cannot be assembled, or must not be.

    file, line: where (line counts from 1; 0 where the file as a whole is meant).
    source: the line as written. reason: what is wrong and what to write instead.
    """

    def __init__(self, file: str, line: int, source: str, reason: str) -> None:
        self.file, self.line, self.source, self.reason = file, line, source, reason
        super().__init__(str(self))

    def __reduce__(self) -> tuple[Any, ...]:
        """It crosses processes whole."""
        return type(self), (self.file, self.line, self.source, self.reason)

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        quoted = f"\n    {self.source.strip()}" if self.source.strip() else ""
        return f"{place}: {self.reason}{quoted}"
