"""A program as a shared library: `libosmem.so`.

    0           R     headers, .hash, .dynsym, .dynstr, .rela.dyn
    next page   R X   .text         these two lie as in every image of the program: what the
    next page   RW    .data         code says of the distance stays true wherever they are loaded
    next page   R     .dynamic      writable until the loader has read it

Only addresses that are written out in the data depend on where that is: .rela.dyn names them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from asm import image as images
from asm.elf import dynamic
from asm.elf.constants import (
    Binding,
    FileType,
    RelocationType,
    SegmentFlag,
    SegmentType,
    SymbolType,
    Visibility,
)
from asm.elf.debug import debug_sections
from asm.elf.dynamic import Moved
from asm.elf.executable import loaded_section, loaded_segment
from asm.elf.file import Section, Segment, headers_size, write
from asm.elf.references import Frames, Make, references, wrong
from asm.elf.symbols import Symbol, file_symbol, symbol_sections, symbols_of
from asm.image import Image

_PAGE = 4096
_OWN_SEGMENTS = 5
_IN_TEXT = (
    "an address in the text: the text of a library is not written when it is loaded; "
    "put it into .data"
)


def library(make: Make, frames: Frames, name: str) -> bytes:
    """The bytes of an ELF shared library that programs find by `name` (SONAME).

    make: assembles it; frames: how to unwind what it made. Global labels are what it exports.
    AssemblyError for an address in the text, which nobody may write.
    """
    somewhere, moved = make(_PAGE, 0), _moved(make, _PAGE)
    start = _page_behind(_tables(somewhere, moved, name)[-1])
    image, moved = make(start, 0), _moved(make, start)
    tables = _tables(image, moved, name)
    loaded = [loaded_section(segment) for segment in image.segments]
    table = dynamic.dynamic(tables, name, len(moved), _page_behind(loaded[-1]))
    names = [file_symbol(image.source.name), *_symbols(image, len(tables))]
    return write(
        FileType.DYN,
        [
            *tables,
            *loaded,
            table,
            *debug_sections([image], frames(image)),
            *symbol_sections(names),
        ],
        _segments(tables, zip(image.segments, loaded, strict=True)),
    )


def _segments(
    tables: Sequence[Section], loaded: Iterable[tuple[images.Segment, Section]]
) -> list[Segment]:
    read, read_write = SegmentFlag.R, SegmentFlag.R | SegmentFlag.W
    first, last = tables[0].name, tables[-1].name
    return [
        Segment(SegmentType.LOAD, read, first, _PAGE, last=last, headers=True),
        *(loaded_segment(segment, section.name) for segment, section in loaded),
        Segment(SegmentType.LOAD, read_write, ".dynamic", _PAGE, room=_PAGE),
        Segment(SegmentType.DYNAMIC, read_write, ".dynamic", 8),
        Segment(SegmentType.GNU_RELRO, read, ".dynamic", room=_PAGE),
        Segment(SegmentType.GNU_STACK, read_write, align=16),
    ]


def _page_behind(section: Section) -> int:
    end = section.address + len(section.data)
    return end + -end % _PAGE


def _moved(make: Make, base: int) -> list[Moved]:
    """Every address that is written out in the data of the program at `base`."""
    image = make(base, 0)
    starts = {segment.name: segment.address for segment in image.segments}
    found = []
    for reference in references(make, base):
        if reference.kind is RelocationType.ABS64:
            place = starts[reference.segment] + reference.offset
            if reference.segment == "text":
                raise wrong(image, place, _IN_TEXT)
            found.append(Moved(place, starts[reference.target] + reference.addend))
    return found


def _tables(image: Image, moved: Sequence[Moved], name: str) -> list[Section]:
    names = _symbols(image, dynamic.count_of_tables(moved))
    exported = [symbol for symbol in names if symbol.binding is Binding.GLOBAL]
    start = headers_size(_OWN_SEGMENTS + len(image.segments))
    return dynamic.tables(exported, moved, name, start)


def _symbols(image: Image, tables: int) -> list[Symbol]:
    """The names of the source. The image's sections stand behind the tables."""
    numbered = enumerate(image.segments, 1 + tables)
    return [
        _kept(symbol) for number, part in numbered for symbol in symbols_of(image, part, number)
    ]


def _kept(symbol: Symbol) -> Symbol:
    """The library's variables stay its own: a program gets no copy that it could use instead.

    Where it would, the linker says so.
    """
    shared = symbol.kind is SymbolType.OBJECT and symbol.binding is Binding.GLOBAL
    return replace(symbol, visibility=Visibility.PROTECTED) if shared else symbol
