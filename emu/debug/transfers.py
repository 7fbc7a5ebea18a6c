"""qXfer: what gdb reads in pieces."""

from __future__ import annotations

import os
from collections.abc import Callable

from emu.debug import packets
from emu.debug.description import target_description
from emu.debug.files import executable_path
from emu.debug.replies import MALFORMED, NUMBER, UNKNOWN, groups, pattern
from emu.debug.target import Target

_FORM = pattern(rb"([a-z-]+):read:([^:]*):", NUMBER, rb",", NUMBER)
_BAD_ANNEX = b"E00"
_MORE, _LAST = b"m", b"l"
_MEMORY_MAP = b"""<?xml version="1.0"?>
<!DOCTYPE memory-map SYSTEM "gdb-memory-map.dtd">
<memory-map><memory type="ram" start="0" length="0xffffffffffffffff"/></memory-map>
"""
"""gdb reads the map once, and afterwards refuses to touch what is not in it, though the program
may have mapped it since. So everything is declared, and reads tell what is there."""


class Transfers:
    """Objects by name: from an annex to the bytes, or None where there is no such annex."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._objects: dict[bytes, Callable[[bytes], bytes | None]] = {
            b"features": lambda annex: target_description() if annex == b"target.xml" else None,
            b"memory-map": lambda annex: None if annex else _MEMORY_MAP,
            b"auxv": lambda annex: None if annex else target.auxv(),
            b"exec-file": lambda _: os.fsencode(executable_path(target)) or None,
        }

    def features(self) -> list[bytes]:
        """For qSupported."""
        return [b"qXfer:%b:read+" % name for name in self._objects]

    def answer(self, data: bytes) -> bytes:
        """qXfer:object:read:annex:offset,length."""
        if data.split(b":")[0] not in self._objects:
            return UNKNOWN
        name, annex, offset, length = groups(_FORM, data)
        whole = self._objects[name](annex)
        if whole is None:
            return _BAD_ANNEX
        start, size = int(offset, 16), int(length, 16)
        if start > len(whole):
            return MALFORMED
        room = min(size, packets.MOST - len(_MORE))
        piece = packets.fitting(whole[start : start + room], room)
        end = _LAST if start + len(piece) == len(whole) else _MORE
        return end + packets.escaped(piece)
