"""Images as an executable file that a debugger understands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from asm import image as images
from asm.dwarf.frame import Frame
from asm.elf.constants import (
    FileType,
    SectionFlag,
    SectionType,
    SegmentFlag,
    SegmentType,
    SymbolType,
)
from asm.elf.debug import debug_sections
from asm.elf.file import Section, Segment, write
from asm.elf.symbols import Symbol, file_symbol, symbol_sections, symbols_of
from asm.image import Image

START = "_start"
"""Where a program begins that says nothing else."""

_PAGE = 4096


def executable(
    image: Image | Sequence[Image], *, frames: Iterable[Frame] = (), entry: int | None = None
) -> bytes:
    """The bytes of an ELF file for x86-64: images at their addresses, with symbols and DWARF.

    frames: how to unwind. entry: the first instruction; `_start` unless told otherwise, 0 where
    there is none. ValueError where images overlap.
    """
    all_images = [image] if isinstance(image, Image) else list(image)
    _check_apart(all_images)
    sections, segments, symbols = [], [], []
    for number, one in enumerate(all_images):
        symbols.append(file_symbol(one.source.name))
        for segment in one.segments:
            sections.append(loaded_section(segment, one.name if number else ""))
            segments.append(loaded_segment(segment, sections[-1].name))
            symbols += symbols_of(one, segment, section=len(sections))
    segments.append(Segment(SegmentType.GNU_STACK, SegmentFlag.R | SegmentFlag.W))
    debug = debug_sections(all_images, frames)
    return write(
        FileType.EXEC,
        [*sections, *debug, *symbol_sections(symbols)],
        segments,
        _entry(symbols) if entry is None else entry,
    )


def loaded_section(segment: images.Segment, suffix: str = "") -> Section:
    """A segment of an image as the section of that name."""
    flags = SectionFlag.ALLOC
    if segment.executable:
        flags |= SectionFlag.EXECINSTR
    if segment.writable:
        flags |= SectionFlag.WRITE
    name = f".{segment.name}.{suffix}" if suffix else f".{segment.name}"
    return Section(name, segment.data, SectionType.PROGBITS, flags, segment.address, _PAGE)


def loaded_segment(segment: images.Segment, section: str) -> Segment:
    """The PT_LOAD of a segment whose bytes are in `section`."""
    flags = SegmentFlag.R
    if segment.executable:
        flags |= SegmentFlag.X
    if segment.writable:
        flags |= SegmentFlag.W
    return Segment(SegmentType.LOAD, flags, section, _PAGE)


def _entry(symbols: Iterable[Symbol]) -> int:
    code = (s.address for s in symbols if s.name == START and s.kind is SymbolType.FUNC)
    return next(code, 0)


def _check_apart(images: Iterable[Image]) -> None:
    """PT_LOADs stand in the order of their addresses, and share no byte."""
    end = 0
    for image in images:
        for segment in image.segments:
            if segment.address < end:
                raise ValueError(f"{image.name} begins below the end of the image before it")
            end = segment.end
