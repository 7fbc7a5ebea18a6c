"""What the dynamic loader has loaded, as it tells debuggers: struct r_debug, link.h."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator

_DT_NULL, _DT_DEBUG = 0, 21
_ENTRY = struct.Struct("<QQ")
_R_DEBUG = struct.Struct("<i4xQ")
"""Its version, and where the first link_map is."""
_LINK_MAP = struct.Struct("<QQQQ")
"""l_addr, l_name, l_ld, l_next."""
_MOST, _LONGEST_PATH = 1000, 4096

Read = Callable[[int, int], bytes | None]


def loaded(read: Read, program: bytes, bias: int) -> Iterator[tuple[int, str]]:
    """(load bias, path) in the order in which symbols are looked for; "" is the program itself.

    read: of memory, None where it cannot be read. Nothing where there is no loader.
    """
    at = _debug(read, _dynamic(program, bias))
    for _ in range(_MOST):
        fields = _unpacked(read, _LINK_MAP, at) if at else None
        if fields is None:
            return
        bias, name, _, at = fields
        yield bias, _string(read, name)


def _dynamic(program: bytes, bias: int) -> int:
    from elftools.elf.elffile import ELFFile

    segments = ELFFile(io.BytesIO(program)).iter_segments("PT_DYNAMIC")
    found: int = next((segment["p_vaddr"] + bias for segment in segments), 0)
    return found


def _debug(read: Read, dynamic: int) -> int:
    """The first link_map; 0 for none."""
    for number in range(_MOST if dynamic else 0):
        entry = _unpacked(read, _ENTRY, dynamic + number * _ENTRY.size)
        if entry is None or entry[0] == _DT_NULL:
            return 0
        if entry[0] == _DT_DEBUG:
            about = _unpacked(read, _R_DEBUG, entry[1]) if entry[1] else None
            return about[1] if about else 0
    return 0


def _unpacked(read: Read, layout: struct.Struct, address: int) -> tuple[int, ...] | None:
    data = read(address, layout.size)
    return None if data is None else layout.unpack(data)


def _string(read: Read, address: int) -> str:
    found = b""
    while len(found) < _LONGEST_PATH:
        letter = read(address + len(found), 1)
        if letter in (None, b"\0"):
            break
        found += letter or b""
    return found.decode(errors="surrogateescape")
