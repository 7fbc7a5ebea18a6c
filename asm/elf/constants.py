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
    RELA = 4
    HASH = 5
    DYNAMIC = 6
    DYNSYM = 11


class SectionFlag(IntFlag):
    """sh_flags."""

    NONE = 0
    WRITE = 1
    ALLOC = 2
    EXECINSTR = 4
    INFO_LINK = 0x40


class SegmentType(IntEnum):
    """p_type."""

    LOAD = 1
    DYNAMIC = 2
    GNU_STACK = 0x6474E551
    GNU_RELRO = 0x6474E552


class SegmentFlag(IntFlag):
    """p_flags."""

    X = 1
    W = 2
    R = 4


class Tag(IntEnum):
    """d_tag."""

    NULL = 0
    HASH = 4
    STRTAB = 5
    SYMTAB = 6
    RELA = 7
    RELASZ = 8
    RELAENT = 9
    STRSZ = 10
    SYMENT = 11
    SONAME = 14
    RELACOUNT = 0x6FFFFFF9


class RelocationType(IntEnum):
    """The lower half of r_info, under the names of the x86-64 supplement, R_X86_64_ left out."""

    ABS64 = 1
    PC32 = 2
    RELATIVE = 8
    ABS32 = 10


class Binding(IntEnum):
    """The upper half of st_info."""

    LOCAL = 0
    GLOBAL = 1


class Visibility(IntEnum):
    """st_other."""

    DEFAULT = 0
    PROTECTED = 3


class SymbolType(IntEnum):
    """The lower half of st_info."""

    NOTYPE = 0
    OBJECT = 1
    FUNC = 2
    SECTION = 3
    FILE = 4


SHN_UNDEF = 0
SHN_ABS = 0xFFF1
