"""ELF's numbers, under the names of the System V ABI."""

from __future__ import annotations

from enum import IntEnum, IntFlag

EM_X86_64 = 62
EV_CURRENT = 1


class FileType(IntEnum):
    """e_type."""

    REL = 1
    EXEC = 2
    DYN = 3


class SectionType(IntEnum):
    """sh_type."""

    NULL = 0
    PROGBITS = 1
    SYMTAB = 2
    STRTAB = 3


class SectionFlag(IntFlag):
    """sh_flags."""

    NONE = 0
    WRITE = 1
    ALLOC = 2
    EXECINSTR = 4


class SegmentType(IntEnum):
    """p_type."""

    LOAD = 1
    GNU_STACK = 0x6474E551


class SegmentFlag(IntFlag):
    """p_flags."""

    X = 1
    W = 2
    R = 4


class Binding(IntEnum):
    """The upper half of st_info."""

    LOCAL = 0
    GLOBAL = 1


class SymbolType(IntEnum):
    """The lower half of st_info."""

    NOTYPE = 0
    OBJECT = 1
    FUNC = 2
    SECTION = 3
    FILE = 4


SHN_UNDEF = 0
SHN_ABS = 0xFFF1
