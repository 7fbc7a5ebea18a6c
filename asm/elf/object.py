"""A program as an object file, for a linker: `osmem.o`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from asm.assembler import BASE
from asm.elf.constants import FileType, RelocationType, SectionFlag, SectionType
from asm.elf.debug import Beginnings, debug_sections
from asm.elf.executable import loaded_section
from asm.elf.file import Section, write
from asm.elf.references import MOVED, Frames, Make, Reference, moved_numbers, number, references
from asm.elf.relocations import RELOCATION_SIZE, relocation
from asm.elf.symbols import Symbol, file_symbol, section_symbol, symbol_sections, symbols_of
from asm.image import Image

_NO_EXECUTABLE_STACK = Section(".note.GNU-stack", b"")
_OFFSET_MOVED = 1 << 28


def relocatable(make: Make, frames: Frames) -> bytes:
    """The bytes of an ELF object. make: assembles it; frames: how to unwind what it made.

    AssemblyError for an address that no linker could move.
    """
    image = make(BASE, 0)
    loaded = [replace(loaded_section(segment), address=0) for segment in image.segments]
    debug = debug_sections([image], frames(image))
    sections = [*loaded, *debug]
    index = {section.name: number for number, section in enumerate(sections, 1)}
    wanted = [
        *(
            replace(r, segment=f".{r.segment}", target=f".{r.target}")
            for r in references(make, BASE)
        ),
        *_debug_references(make, frames, debug),
    ]
    symbols = [section_symbol(number) for number in index.values()]
    return write(
        FileType.REL,
        [
            *sections,
            _NO_EXECUTABLE_STACK,
            *_relocation_sections(sections, wanted, index),
            *symbol_sections([*symbols, *_named(image)]),
        ],
    )


def _named(image: Image) -> Iterator[Symbol]:
    """The names of the source, counted from the beginning of their section."""
    yield file_symbol(image.source.name)
    for section, segment in enumerate(image.segments, 1):
        for symbol in symbols_of(image, segment, section):
            yield replace(symbol, address=symbol.address - segment.address)


def _debug_references(make: Make, frames: Frames, sections: list[Section]) -> Iterator[Reference]:
    """What the debug sections say of the text, and of one another: found as in the program."""
    image, moved = make(BASE, 0), make(BASE + MOVED, 0)
    others = debug_sections([moved], frames(moved))
    text = image.segments[0]
    yield from _moved(sections, others, MOVED, RelocationType.ABS64, ".text", text.address)
    for part in ("info", "abbrev", "line", "frame"):
        begin = Beginnings(**{part: _OFFSET_MOVED})
        others = debug_sections([image], frames(image), begin)
        kind = RelocationType.ABS32
        yield from _moved(sections, others, _OFFSET_MOVED, kind, f".debug_{part}", 0)


def _moved(
    sections: list[Section],
    others: list[Section],
    by: int,
    kind: RelocationType,
    target: str,
    start: int,
) -> Iterator[Reference]:
    width = 8 if kind is RelocationType.ABS64 else 4
    for section, other in zip(sections, others, strict=True):
        for offset in moved_numbers(section.data, other.data, by, width):
            value = number(section.data, offset, width)
            yield Reference(section.name, offset, kind, target, value - start)


def _relocation_sections(
    sections: Iterable[Section], wanted: list[Reference], index: dict[str, int]
) -> Iterator[Section]:
    """Section symbols come first in .symtab, so that their numbers are those of the sections."""
    for section in sections:
        own = sorted((r for r in wanted if r.segment == section.name), key=lambda r: r.offset)
        if own:
            yield Section(
                f".rela{section.name}",
                b"".join(relocation(r.offset, r.kind, index[r.target], r.addend) for r in own),
                SectionType.RELA,
                SectionFlag.INFO_LINK,
                align=8,
                entry_size=RELOCATION_SIZE,
                link=".symtab",
                info=section.name,
            )
