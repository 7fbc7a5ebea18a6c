"""How DWARF writes numbers, names and the lengths of what it holds (DWARF 5, chapter 7)."""

from __future__ import annotations

import struct

ADDRESS_SIZE = 8


def uleb(value: int) -> bytes:
    """An unsigned number, seven bits a byte, the lowest first."""
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


def sleb(value: int) -> bytes:
    """A signed number, seven bits a byte; bit 6 of the last is the sign."""
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        done = value == (-1 if low & 0x40 else 0)
        out.append(low | (0 if done else 0x80))
        if done:
            return bytes(out)


def text(value: str) -> bytes:
    """A name: DW_FORM_string."""
    return value.encode() + b"\0"


def u16(value: int) -> bytes:
    return struct.pack("<H", value)


def u32(value: int) -> bytes:
    return struct.pack("<I", value)


def address(value: int) -> bytes:
    return struct.pack("<Q", value)


def sized(content: bytes) -> bytes:
    """With its length before it: in 32 bits, which leaves addresses 64."""
    return u32(len(content)) + content
