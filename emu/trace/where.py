"""Where an instruction stands: its function, its line of source, and its text."""

from __future__ import annotations

from dataclasses import dataclass

from asm.image import SourceLine
from emu.process.disassembly import statements
from emu.process.sources import Sources
from emu.trace.blocks import Blocks


@dataclass(frozen=True, slots=True)
class Where:
    """An instruction. symbol: "find_best+0x12"; line: None where no source is known."""

    address: int
    symbol: str
    function: str
    line: SourceLine | None
    text: str

    @property
    def place(self) -> str:
        """search.s:44; where no source is known, the function."""
        return self.line.place if self.line else self.symbol


class Listing:
    """The instructions of blocks by number: by their index in `blocks.places`.

    Each is looked up once.
    """

    def __init__(self, blocks: Blocks, sources: Sources) -> None:
        self._blocks, self._sources = blocks, sources
        self._known: dict[int, Where] = {}
        self._texts: dict[int, dict[int, str]] = {}

    def __getitem__(self, number: int) -> Where:
        found = self._known.get(number)
        if found is None:
            found = self._known[number] = self._look_up(number)
        return found

    def _look_up(self, number: int) -> Where:
        sources = self._sources
        address = int(self._blocks.places[number])
        return Where(
            address,
            sources.spelled(address),
            sources.function_at(address),
            sources.line_at(address),
            self._text(number, address),
        )

    def _text(self, number: int, address: int) -> str:
        blocks = self._blocks
        row = int(blocks.first.searchsorted(number, side="right")) - 1
        if row not in self._texts:
            found = statements(blocks.code[row], int(blocks.address[row]))
            self._texts[row] = {place: text for place, _, text in found}
        return self._texts[row].get(address, "(unknown)")
