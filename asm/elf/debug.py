"""The DWARF of images, as sections."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from asm.dwarf import info
from asm.dwarf.frame import Frame, frame_section
from asm.dwarf.line import line_program
from asm.elf.file import Section
from asm.elf.symbols import functions
from asm.image import Image


@dataclass(frozen=True, slots=True)
class Beginnings:
    """Where the debug sections that others point into begin, in a file linked of several."""

    info: int = 0
    abbrev: int = 0
    line: int = 0
    frame: int = 0


def debug_sections(
    images: Iterable[Image], frames: Iterable[Frame], begin: Beginnings = Beginnings()
) -> list[Section]:
    """The DWARF of images at their addresses, one unit each."""
    lines, units, ranges = bytearray(), bytearray(), bytearray()
    for image in images:
        (code,) = (segment for segment in image.segments if segment.executable)
        if code.data:
            ranges += info.address_ranges(code, begin.info + len(units))
        names = functions(image)
        units += info.unit(image, code, names, begin.line + len(lines), begin.abbrev)
        lines += line_program(image)
    return [
        Section(".debug_aranges", bytes(ranges), align=16),
        Section(".debug_info", bytes(units)),
        Section(".debug_abbrev", info.abbreviations()),
        Section(".debug_line", bytes(lines)),
        Section(".debug_frame", frame_section(frames, begin.frame), align=8),
    ]
