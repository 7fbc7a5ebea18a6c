"""What a linker or a loader must change, as an ELF file says it (Elf64_Rela)."""

from __future__ import annotations

import struct

from asm.elf.constants import RelocationType

_ENTRY = struct.Struct("<QQq")
RELOCATION_SIZE = _ENTRY.size


def relocation(offset: int, kind: RelocationType, symbol: int, addend: int) -> bytes:
    """symbol: its number in the symbol table that belongs to the section."""
    return _ENTRY.pack(offset, symbol << 32 | kind, addend)
