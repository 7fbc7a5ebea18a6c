"""What the assembler makes: segments, symbols and a line table, frozen."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Segment:
    """Bytes for one place in memory; `address` is a multiple of the page."""

    name: str
    address: int
    data: bytes
    writable: bool
    executable: bool

    @property
    def end(self) -> int:
        return self.address + len(self.data)


@dataclass(frozen=True, slots=True)
class SourceLine:
    """The bytes that one line of source became: [address, address + size)."""

    address: int
    size: int
    file: str
    line: int
    text: str

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Image:
    """A program ready to be loaded. `lines` is sorted by address.

    source: the file it begins in. files: where the files are that `lines` name.
    """

    name: str
    segments: tuple[Segment, ...]
    symbols: Mapping[str, int]
    exported: frozenset[str]
    lines: tuple[SourceLine, ...]
    source: Path
    files: Mapping[str, Path]
    _line_starts: tuple[int, ...] = field(init=False, repr=False, compare=False)
    _symbol_starts: tuple[tuple[int, str], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_line_starts", tuple(line.address for line in self.lines))
        by_address = sorted((address, name) for name, address in self.symbols.items())
        object.__setattr__(self, "_symbol_starts", tuple(by_address))

    @property
    def end(self) -> int:
        """The first address behind the last segment."""
        return max(segment.end for segment in self.segments)

    def line_at(self, address: int) -> SourceLine | None:
        """The source line whose bytes cover `address`."""
        index = bisect_right(self._line_starts, address) - 1
        if index < 0:
            return None
        line = self.lines[index]
        return line if address < line.address + line.size else None

    def symbol_at(self, address: int) -> str | None:
        """`address` as its symbol and the distance from it: "find_best+0x12"."""
        if not any(segment.address <= address < segment.end for segment in self.segments):
            return None
        index = bisect_right(self._symbol_starts, (address, "\U0010ffff")) - 1
        if index < 0:
            return None
        start, name = self._symbol_starts[index]
        return name if start == address else f"{name}+{address - start:#x}"

    def bytes_at(self, address: int, size: int) -> bytes:
        """What the image holds at an address; empty outside its segments."""
        for segment in self.segments:
            if segment.address <= address < segment.end:
                offset = address - segment.address
                return segment.data[offset : offset + size]
        return b""
