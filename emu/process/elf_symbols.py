"""Names of functions in an ELF file, for reports. elftools is imported here and in elf_lines.py."""

from __future__ import annotations

import io
import struct
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from emu.process.sources import Symbol, printable

_FAR = 1 << 16
"""Bytes behind a symbol without a size that may still be its."""
_ENTRY = struct.Struct("<IBBHQQ")
"""Elf64_Sym: name, info, other, section, value, size."""
_RELOCATION = struct.Struct("<QQq")
"""Elf64_Rela: offset, info, addend."""
_IRELATIVE = 37
_NO_TYPE, _OBJECT, _FUNCTION, _CHOOSER = 0, 1, 2, 10
_GLOBAL, _WEAK = 1, 2
_UNDEFINED, _ABSOLUTE = 0, 0xFFF1
_BROKEN = (ValueError, OverflowError, KeyError, MemoryError, AttributeError, struct.error)
"""What damaged sections raise, beside what pyelftools has for it."""


def symbol_at(data: bytes, address: int) -> str | None:
    """ "main+0x12", by the file's own addresses; None where no function is known."""
    functions = functions_of(data)
    index = bisect_right(functions, (address, "\U0010ffff", 0)) - 1
    if index < 0:
        return None
    start, name, size = functions[index]
    offset = address - start
    if offset >= (size or _FAR):
        return None
    return f"{name}+{offset:#x}" if offset else name


def symbols(data: bytes, bias: int) -> list[Symbol]:
    """Functions and variables of a file that is loaded so far from its own addresses.

    They do not overlap. One without a size goes as far as the next one, or as it may.
    """
    known = [one for one in _entries(data) if one.is_code or one.is_data]
    named = {one.address: one for one in sorted(known, key=_by_place)}
    following = [*named, 1 << 64][1:]
    return [
        Symbol(address + bias, min(one.size or _FAR, one.room, end - address), printable(one.name))
        for (address, one), end in zip(named.items(), following, strict=True)
        if one.room
    ]


def _by_place(entry: _Entry) -> tuple[int, int, str]:
    """Of several at one address, the largest goes last."""
    return entry.address, entry.size, entry.name


@lru_cache(maxsize=32)
def functions_of(data: bytes) -> list[tuple[int, str, int]]:
    """(address, name, size), sorted. A file may have broken sections, and still run."""
    return sorted({(e.address, e.name, e.size) for e in _entries(data) if e.is_code})


def data_of(data: bytes) -> list[tuple[int, int]]:
    """(address, size) of variables, sorted."""
    found = (one for one in _entries(data) if one.is_data and one.size)
    return sorted({(one.address, one.size) for one in found})


@lru_cache(maxsize=32)
def defined(data: bytes) -> dict[str, int]:
    """Addresses of functions and variables that a file defines for others, by name."""
    return {entry.name: entry.address for entry in _entries(data) if entry.is_global}


def choosers(data: bytes) -> dict[str, int]:
    """Addresses of functions that answer which function shall be called by a name.

    STT_GNU_IFUNC: the loader calls them.
    """
    return {one.name: one.address for one in _entries(data) if one.is_chooser}


def all_choosers(data: bytes) -> dict[int, list[str]]:
    """The names of all of them, by address; of some, only a relocation knows."""
    found: dict[int, list[str]] = {address: [] for address in _relocated(data)}
    for name, address in choosers(data).items():
        found.setdefault(address, []).append(name)
    return found


def _relocated(data: bytes) -> Iterator[int]:
    """The functions that R_X86_64_IRELATIVE has the loader call."""
    from elftools.common.exceptions import ELFError
    from elftools.elf.elffile import ELFFile

    try:
        for section in ELFFile(io.BytesIO(data)).iter_sections("SHT_RELA"):
            for _, info, addend in _RELOCATION.iter_unpack(section.data()):
                if info & 0xFFFF_FFFF == _IRELATIVE:
                    yield addend
    except (*_BROKEN, ELFError):
        return


class _Entry(NamedTuple):
    """Of a symbol table. room: bytes from there to the end of its section."""

    name: str
    info: int
    section: int
    room: int
    address: int
    size: int

    @property
    def is_defined(self) -> bool:
        return bool(self.address) and self.section not in (_UNDEFINED, _ABSOLUTE)

    @property
    def is_code(self) -> bool:
        """A function, or a label of assembly, which has no type; it may also be one of data."""
        return self.is_defined and self.info & 0xF in (_NO_TYPE, _FUNCTION)

    @property
    def is_data(self) -> bool:
        return self.is_defined and self.info & 0xF == _OBJECT

    @property
    def is_chooser(self) -> bool:
        return self.is_defined and self.info & 0xF == _CHOOSER

    @property
    def is_global(self) -> bool:
        kinds = (_NO_TYPE, _OBJECT, _FUNCTION)
        return self.is_defined and self.info >> 4 in (_GLOBAL, _WEAK) and self.info & 0xF in kinds


def _entries(data: bytes) -> Iterator[_Entry]:
    """All of them, as far as they can be read. Other than pyelftools, in no time."""
    from elftools.common.exceptions import ELFError
    from elftools.elf.elffile import ELFFile
    from elftools.elf.sections import SymbolTableSection

    try:
        sections = list(ELFFile(io.BytesIO(data)).iter_sections())
        ends = [one["sh_addr"] + one["sh_size"] for one in sections]
        for section in sections:
            if isinstance(section, SymbolTableSection):
                names = section.stringtable.data()
                for at, info, _, index, address, size in _ENTRY.iter_unpack(section.data()):
                    name = names[at : names.index(0, at)].decode(errors="replace")
                    room = max(0, ends[index] - address) if index < len(ends) else _FAR
                    yield _Entry(name, info, index, room, address, size)
    except (*_BROKEN, ELFError):
        return
