"""The way from a function to its caller, as an ELF file tells it for exceptions (.eh_frame).

Most code has it, whatever it is compiled with. System V ABI for x86-64, 3.7; LSB Core, 10.6.
"""

from __future__ import annotations

import io
import struct
from bisect import bisect_right
from functools import lru_cache
from typing import Any, NamedTuple

_RBP, _RSP = 6, 7
"""DWARF's numbers of registers."""
_ENTRY = struct.Struct("<IIi")
"""Length, how far back what it has in common with others is, and where its function begins: from
there, in 32 bits, as compilers have it."""
_START_AT = 8
_LONG = 0xFFFF_FFFF
_PLT = "plt"
_WORD = 8
_BROKEN = (
    ValueError, ArithmeticError, LookupError, MemoryError, AttributeError, TypeError,
    AssertionError, RuntimeError, struct.error,
)  # fmt: skip


class Rule(NamedTuple):
    """Where the caller's frame begins (CFA): at a register, "rsp" or "rbp", and so far from it.

    The return address is below it. rbp: where the caller's rbp is, from there; None where it is
    still in the register. register "plt": a procedure linkage table's entry.
    """

    register: str
    offset: int
    rbp: int | None


class Frames:
    """Of one file, by its own addresses."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._starts: list[int] = []
        self._entries: list[int] = []
        self._rows = lru_cache(maxsize=1024)(self._decoded)
        self._index(*_section(data))

    def rule(self, address: int) -> Rule | None:
        """For an instruction that has not run yet; None where nothing is known."""
        index = bisect_right(self._starts, address) - 1
        if index < 0:
            return None
        try:
            return _rule(self._rows(index), address - self._starts[index])
        except _BROKEN:
            return None

    def _index(self, address: int, offset: int, size: int) -> None:
        """Where the functions begin, and their entries, in order."""
        found, at, end = [], offset, offset + size
        while at + 16 <= end:
            length, back, start = _ENTRY.unpack_from(self._data, at)
            if length in (0, _LONG):
                break
            if back:  # else it is what several functions have in common
                place = at + _START_AT
                found.append((address + place - offset + start, at))
            at += length + 4
        found.sort()
        self._starts, self._entries = ([one[n] for one in found] for n in (0, 1))

    def _decoded(self, index: int) -> tuple[int, list[dict[Any, Any]]]:
        """Bytes of a function, and the rows of its table: "pc" counts from its start."""
        from elftools.dwarf.callframe import FDE, CallFrameInfo
        from elftools.dwarf.structs import DWARFStructs

        at = self._entries[index]
        entry = self._piece(at)
        common = self._piece(at + 4 - int.from_bytes(entry[4:8], "little"))
        entry = entry[:4] + (len(common) + 4).to_bytes(4, "little") + entry[8:]
        both = common + entry
        structs = DWARFStructs(little_endian=True, dwarf_format=32, address_size=_WORD)
        info = CallFrameInfo(io.BytesIO(both), len(both), 0, structs, for_eh_frame=True)
        made = next(one for one in info.get_entries() if isinstance(one, FDE))
        start = made["initial_location"]
        rows = [{**row, "pc": row["pc"] - start} for row in made.get_decoded().table]
        return made["address_range"], rows

    def _piece(self, at: int) -> bytes:
        """An entry of .eh_frame with its length before it."""
        size = int.from_bytes(self._data[at : at + 4], "little")
        return self._data[at : at + 4 + size]


def _section(data: bytes) -> tuple[int, int, int]:
    """Address, offset and size of .eh_frame; all 0 where there is none."""
    from elftools.common.exceptions import ELFError
    from elftools.elf.elffile import ELFFile

    try:
        section = ELFFile(io.BytesIO(data)).get_section_by_name(".eh_frame")
        if section is None:
            return 0, 0, 0
        return section["sh_addr"], section["sh_offset"], min(section["sh_size"], len(data))
    except (ELFError, *_BROKEN):
        return 0, 0, 0


def _rule(table: tuple[int, list[dict[Any, Any]]], offset: int) -> Rule | None:
    size, rows = table
    if offset >= size:
        return None
    row = max((row for row in rows if row["pc"] <= offset), key=lambda row: row["pc"])
    frame = row["cfa"]
    if frame.expr is not None:
        return Rule(_PLT, _WORD, None) if len(rows) > 1 else None
    register = {_RBP: "rbp", _RSP: "rsp"}.get(frame.reg)
    if register is None:
        return None
    saved = row.get(_RBP)
    if saved is None or saved.type == "SAME_VALUE":
        return Rule(register, frame.offset, None)
    return Rule(register, frame.offset, saved.arg) if saved.type == "OFFSET" else None
