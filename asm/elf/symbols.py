"""An image's symbols with types and sizes, and the symbol table of an ELF file."""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from asm import dialect, source
from asm.elf.constants import SHN_ABS, Binding, SectionFlag, SectionType, SymbolType, Visibility
from asm.elf.file import Section
from asm.elf.strings import Strings
from asm.image import Image, Segment, SourceLine

_ENTRY = struct.Struct("<IBBHQQ")
SYMBOL_SIZE = _ENTRY.size


@dataclass(frozen=True, slots=True)
class Symbol:
    """A name for [address, address + size). section: the index of its section, or SHN_ABS."""

    name: str
    address: int
    size: int
    kind: SymbolType
    binding: Binding
    section: int = SHN_ABS
    visibility: Visibility = Visibility.DEFAULT

    @property
    def end(self) -> int:
        return self.address + self.size


def symbol_sections(symbols: Iterable[Symbol]) -> tuple[Section, Section]:
    """.symtab and .strtab. Local symbols come first, as the ABI wants it, each kind in order."""
    strings = Strings()
    table = _table(".symtab", SectionType.SYMTAB, symbols, strings, ".strtab")
    return table, Section(".strtab", bytes(strings), SectionType.STRTAB)


def dynamic_symbols(symbols: Iterable[Symbol], strings: Strings) -> Section:
    """.dynsym: what other programs may use. Its names are in .dynstr, which has others too."""
    table = _table(".dynsym", SectionType.DYNSYM, symbols, strings, ".dynstr")
    return replace(table, flags=SectionFlag.ALLOC)


def _table(
    name: str, kind: SectionType, symbols: Iterable[Symbol], strings: Strings, names: str
) -> Section:
    ordered = sorted(symbols, key=lambda symbol: symbol.binding)
    entries = [bytes(SYMBOL_SIZE), *(_entry(symbol, strings) for symbol in ordered)]
    first_global = 1 + sum(symbol.binding is Binding.LOCAL for symbol in ordered)
    data = b"".join(entries)
    return Section(name, data, kind, align=8, entry_size=SYMBOL_SIZE, link=names, info=first_global)


def _entry(symbol: Symbol, strings: Strings) -> bytes:
    return _ENTRY.pack(
        strings.add(symbol.name),
        symbol.binding << 4 | symbol.kind,
        symbol.visibility,
        symbol.section,
        symbol.address,
        symbol.size,
    )


def file_symbol(name: str) -> Symbol:
    """Says where the local symbols behind it come from."""
    return Symbol(name, 0, 0, SymbolType.FILE, Binding.LOCAL)


def section_symbol(section: int) -> Symbol:
    """Stands for the beginning of a section, in relocations."""
    return Symbol("", 0, 0, SymbolType.SECTION, Binding.LOCAL, section)


def symbols_of(image: Image, segment: Segment, section: int = 0) -> Iterator[Symbol]:
    """The names in one segment of an image, by address; `section` is where they are put.

    Code is a function and data an object, each up to the next name, alignment padding aside; the
    end of the segment is no type of thing.
    """
    named = sorted(
        (address, name)
        for name, address in image.symbols.items()
        if _segment_of(image, address) is segment
    )
    starts = sorted({address for address, _ in named} | {segment.end})
    for address, name in named:
        end = starts[bisect_right(starts, address)] if address < segment.end else address
        yield Symbol(
            name,
            address,
            _without_padding(image, address, end) - address,
            _kind(image, segment, address),
            Binding.GLOBAL if name in image.exported else Binding.LOCAL,
            section,
        )


def functions(image: Image) -> Iterator[Symbol]:
    """The functions of an image by address, one name each: the one that Image.symbol_at says."""
    for segment in image.segments:
        for symbol in symbols_of(image, segment):
            said = image.symbol_at(symbol.address) == symbol.name
            if symbol.kind is SymbolType.FUNC and symbol.size and said:
                yield symbol


def _segment_of(image: Image, address: int) -> Segment | None:
    """Where a label is; one behind a segment's last byte is still that segment's."""
    for last in (0, 1):
        for segment in image.segments:
            if segment.address <= address < segment.end + last:
                return segment
    return None


def _without_padding(image: Image, start: int, end: int) -> int:
    """Where what begins at `start` ends, if only padding stands between there and `end`."""
    while (line := image.line_at(end - 1)) and line.address > start and _pads(line):
        end = line.address
    return end


def _kind(image: Image, segment: Segment, address: int) -> SymbolType:
    if address == segment.end:
        return SymbolType.NOTYPE
    line = image.line_at(address)
    stores = line is not None and _word(line) in dialect.DATA_DIRECTIVES
    return SymbolType.FUNC if segment.executable and not stores else SymbolType.OBJECT


def _pads(line: SourceLine) -> bool:
    return _word(line) in dialect.ALIGN_DIRECTIVES


def _word(line: SourceLine) -> str:
    statement = source.statement(line.file, line.line, line.text)
    return statement.word if statement else ""
