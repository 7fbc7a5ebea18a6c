"""String tables: names behind one another, each ended by a zero byte."""

from __future__ import annotations


class Strings:
    """The bytes of a SHT_STRTAB section, growing. Offset 0 is the empty name."""

    def __init__(self) -> None:
        self._bytes = bytearray(1)
        self._places = {"": 0}

    def add(self, text: str) -> int:
        """The offset of a name, which is stored once."""
        if text not in self._places:
            self._places[text] = len(self._bytes)
            self._bytes += text.encode() + b"\0"
        return self._places[text]

    def __bytes__(self) -> bytes:
        return bytes(self._bytes)
