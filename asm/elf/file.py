"""A whole ELF file out of its sections and segments.

0                   the header
64                  the program headers
...                 the sections' bytes, each at a multiple of its alignment
...                 the section headers
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from asm.elf.constants import (
    EM_X86_64,
    EV_CURRENT,
    FileType,
    SectionFlag,
    SectionType,
    SegmentFlag,
    SegmentType,
)
from asm.elf.strings import Strings

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")
_SECTION_HEADER = struct.Struct("<IIQQQQIIQQ")
_IDENT = b"\x7fELF" + bytes([2, 1, EV_CURRENT])
"""64 bits, little-endian."""
_HEADERS_ALIGNED = 8


@dataclass(frozen=True, slots=True)
class Section:
    """A section as its header describes it. link: the name of another section, or "".

    info: a number, or the name of a section.

    In a file that is loaded, a section with an address lies at an offset that is congruent to it,
    modulo `align`.
    """

    name: str
    data: bytes
    kind: SectionType = SectionType.PROGBITS
    flags: SectionFlag = SectionFlag.NONE
    address: int = 0
    align: int = 1
    entry_size: int = 0
    link: str = ""
    info: int | str = 0


@dataclass(frozen=True, slots=True)
class Segment:
    """What a loader maps: the bytes of a section, by its name; "" for none.

    last: where it holds several, the last of them. headers: it begins with the file. room: its
    bytes in memory, where those are more than in the file.
    """

    kind: SegmentType
    flags: SegmentFlag
    section: str = ""
    align: int = 1
    last: str = ""
    headers: bool = False
    room: int = 0


def write(
    kind: FileType, sections: Sequence[Section], segments: Sequence[Segment] = (), entry: int = 0
) -> bytes:
    """The file. Its null section and .shstrtab are added; names of sections must differ."""
    names = Strings()
    for name in (*(section.name for section in sections), ".shstrtab"):
        names.add(name)
    whole = [
        Section("", b"", SectionType.NULL, align=0),
        *sections,
        Section(".shstrtab", bytes(names), SectionType.STRTAB),
    ]
    index = {section.name: number for number, section in enumerate(whole)}
    if len(index) != len(whole):
        raise ValueError("two sections of one name")
    body, offsets = _laid_out(whole, headers_size(len(segments)))
    headers_at = headers_size(len(segments)) + len(body)
    return b"".join(
        [
            _header(kind, entry, headers_at, len(segments), len(whole)),
            *(_program_header(segment, whole, index, offsets) for segment in segments),
            body,
            *(
                _section_header(section, names.add(section.name), index, offset)
                for section, offset in zip(whole, offsets, strict=True)
            ),
        ]
    )


def headers_size(segments: int) -> int:
    """Where the sections begin, in a file with so many segments."""
    return _HEADER.size + segments * _PROGRAM_HEADER.size


def _laid_out(sections: Sequence[Section], start: int) -> tuple[bytes, list[int]]:
    """What stands between the two tables of headers, and where in the file each section is."""
    body = bytearray()
    offsets = []
    for section in sections:
        if section.kind is SectionType.NULL:
            offsets.append(0)
            continue
        body += bytes(-(start + len(body) - section.address) % section.align)
        offsets.append(start + len(body))
        body += section.data
    body += bytes(-(start + len(body)) % _HEADERS_ALIGNED)
    return bytes(body), offsets


def _header(kind: FileType, entry: int, headers_at: int, segments: int, sections: int) -> bytes:
    return _HEADER.pack(
        _IDENT,
        kind,
        EM_X86_64,
        EV_CURRENT,
        entry,
        _HEADER.size if segments else 0,
        headers_at,
        0,
        _HEADER.size,
        _PROGRAM_HEADER.size,
        segments,
        _SECTION_HEADER.size,
        sections,
        sections - 1,  # .shstrtab is the last
    )


def _program_header(
    segment: Segment, sections: Sequence[Section], index: dict[str, int], offsets: list[int]
) -> bytes:
    first, last = index[segment.section], index[segment.last or segment.section]
    offset, address = offsets[first], sections[first].address
    if segment.headers:
        offset, address = 0, address - offset
    size = offsets[last] + len(sections[last].data) - offset
    return _PROGRAM_HEADER.pack(
        segment.kind,
        segment.flags,
        offset,
        address,
        address,
        size,
        max(size, segment.room),
        segment.align,
    )


def _section_header(section: Section, name: int, index: dict[str, int], offset: int) -> bytes:
    info = section.info
    return _SECTION_HEADER.pack(
        name,
        section.kind,
        section.flags,
        section.address,
        offset,
        len(section.data),
        index[section.link],
        index[info] if isinstance(info, str) else info,
        section.align,
        section.entry_size,
    )
