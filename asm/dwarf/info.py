"""What there is: a compile unit an image, and in it the functions (DWARF 5, chapters 3 and 7.5)."""

from __future__ import annotations

from collections.abc import Iterable

from asm.dwarf.encoding import ADDRESS_SIZE, address, sized, text, u16, u32, uleb
from asm.elf.constants import Binding
from asm.elf.symbols import Symbol
from asm.image import Image, Segment

PRODUCER = "osmem-emu"

_VERSION, _ARANGES_VERSION = 5, 2
_UT_COMPILE = 1
_LANG_MIPS_ASSEMBLER = 0x8001
"""DWARF's only code for assembly, whatever the processor."""

_UNIT, _FUNCTION = 1, 2
_TAG_COMPILE_UNIT, _TAG_SUBPROGRAM = 0x11, 0x2E
_NAME, _STMT_LIST, _LOW_PC, _HIGH_PC = 0x03, 0x10, 0x11, 0x12
_LANGUAGE, _COMP_DIR, _PRODUCER, _EXTERNAL = 0x13, 0x1B, 0x25, 0x3F
_ADDR, _DATA2, _STRING, _FLAG, _UDATA, _SEC_OFFSET = 0x01, 0x05, 0x08, 0x0C, 0x0F, 0x17
_END = b"\0"


def abbreviations() -> bytes:
    """.debug_abbrev: the attributes of both kinds of entry, in the order of `unit`."""
    unit = [
        (_PRODUCER, _STRING),
        (_LANGUAGE, _DATA2),
        (_NAME, _STRING),
        (_COMP_DIR, _STRING),
        (_LOW_PC, _ADDR),
        (_HIGH_PC, _UDATA),
        (_STMT_LIST, _SEC_OFFSET),
    ]
    function = [(_NAME, _STRING), (_EXTERNAL, _FLAG), (_LOW_PC, _ADDR), (_HIGH_PC, _UDATA)]
    return (
        _abbreviation(_UNIT, _TAG_COMPILE_UNIT, True, unit)
        + _abbreviation(_FUNCTION, _TAG_SUBPROGRAM, False, function)
        + _END
    )


def _abbreviation(code: int, tag: int, children: bool, attributes: list[tuple[int, int]]) -> bytes:
    pairs = b"".join(uleb(name) + uleb(form) for name, form in [*attributes, (0, 0)])
    return uleb(code) + uleb(tag) + bytes([children]) + pairs


def unit(
    image: Image,
    code: Segment,
    functions: Iterable[Symbol],
    lines_at: int,
    abbreviations_at: int = 0,
) -> bytes:
    """One image's part of .debug_info.

    lines_at: where its part of .debug_line begins; abbreviations_at: the same of .debug_abbrev.
    """
    header = u16(_VERSION) + bytes([_UT_COMPILE, ADDRESS_SIZE]) + u32(abbreviations_at)
    entry = b"".join(
        [
            uleb(_UNIT),
            text(PRODUCER),
            u16(_LANG_MIPS_ASSEMBLER),
            text(image.source.name),
            text(str(image.source.parent)),
            address(code.address),
            uleb(len(code.data)),
            u32(lines_at),
        ]
    )
    return sized(header + entry + b"".join(map(_function, functions)) + _END)


def _function(symbol: Symbol) -> bytes:
    return b"".join(
        [
            uleb(_FUNCTION),
            text(symbol.name),
            bytes([symbol.binding is Binding.GLOBAL]),
            address(symbol.address),
            uleb(symbol.size),
        ]
    )


def address_ranges(code: Segment, unit_at: int) -> bytes:
    """One image's part of .debug_aranges. unit_at: where its part of .debug_info begins."""
    header = u16(_ARANGES_VERSION) + u32(unit_at) + bytes([ADDRESS_SIZE, 0])
    padding = bytes(-(4 + len(header)) % (2 * ADDRESS_SIZE))
    range_ = address(code.address) + address(len(code.data))
    return sized(header + padding + range_ + bytes(2 * ADDRESS_SIZE))
