"""What is known of code by address: functions and source lines, of images or of ELF files."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from asm.image import Image, SourceLine


@dataclass(frozen=True, slots=True)
class Symbol:
    """A function, or data: [address, address + size)."""

    address: int
    size: int
    name: str


@dataclass(frozen=True)
class Sources:
    """symbols and lines: sorted by address; of the same kind, they do not overlap."""

    symbols: tuple[Symbol, ...] = ()
    lines: tuple[SourceLine, ...] = ()
    _symbol_starts: tuple[int, ...] = field(init=False, repr=False, compare=False)
    _line_starts: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        symbols, lines = (tuple(one.address for one in all_) for all_ in (self.symbols, self.lines))
        object.__setattr__(self, "_symbol_starts", symbols)
        object.__setattr__(self, "_line_starts", lines)

    def symbol_at(self, address: int) -> Symbol | None:
        """What an address lies in."""
        index = bisect_right(self._symbol_starts, address) - 1
        if index < 0:
            return None
        found = self.symbols[index]
        return found if address < found.address + found.size else None

    def function_at(self, address: int) -> str:
        """The name of what an address lies in; the address in hexadecimal where there is none."""
        found = self.symbol_at(address)
        return found.name if found else hex(address)

    def spelled(self, address: int) -> str:
        """find_best+0x12."""
        found = self.symbol_at(address)
        if found is None:
            return hex(address)
        offset = address - found.address
        return f"{found.name}+{offset:#x}" if offset else found.name

    def line_at(self, address: int) -> SourceLine | None:
        """The line that an instruction stands in."""
        index = bisect_right(self._line_starts, address) - 1
        if index < 0:
            return None
        found = self.lines[index]
        return found if address < found.address + found.size else None

    def address_of(self, name: str) -> int | None:
        """Where a symbol is."""
        return next((one.address for one in self.symbols if one.name == name), None)


def printable(text: str) -> str:
    """Control characters as dots: a terminal would obey them."""
    return "".join(
        letter if letter.isprintable() or letter == "\t" else "\u00b7" for letter in text
    )


def together(all_: Iterable[Sources]) -> Sources:
    """Of several, which do not overlap."""
    ordered = sorted(all_, key=_first_symbol)
    symbols = tuple(symbol for one in ordered for symbol in one.symbols)
    lines = tuple(line for one in ordered for line in one.lines)
    return Sources(symbols, lines)


def _first_symbol(sources: Sources) -> int:
    return sources.symbols[0].address if sources.symbols else 0


def of_images(images: Iterable[Image]) -> Sources:
    """What assembled images know of themselves."""
    ordered = sorted(images, key=lambda image: image.segments[0].address)
    symbols = tuple(symbol for image in ordered for symbol in _symbols(image))
    return Sources(symbols, tuple(line for image in ordered for line in image.lines))


def _symbols(image: Image) -> Iterable[Symbol]:
    """A symbol goes as far as the next, or as its segment."""
    for segment in image.segments:
        within = sorted(
            (address, name)
            for name, address in image.symbols.items()
            if segment.address <= address < segment.end
        )
        for (start, name), (end, _) in pairwise([*within, (segment.end, "")]):
            if start < end:
                yield Symbol(start, end - start, name)
