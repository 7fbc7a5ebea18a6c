"""Bytes to packets and back: `$data#checksum`, acknowledgments, Ctrl-C, and escapes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum

MOST = 0x4000
"""Bytes of data in a packet, of gdb's and of ours."""

_START, _END = b"$", b"#"
_TRAILER = 3
"""Bytes behind the data: "#" and the checksum."""
_OUTSIDE = re.compile(rb"[$+\-\x03]")
_MARKED = re.compile(rb"[$#]")
_CHECKSUM = re.compile(rb"[0-9a-fA-F]{2}")
_ESCAPE, _FLIP = 0x7D, 0x20
_TO_ESCAPE = re.compile(rb"[#$}*]")
_ESCAPED = re.compile(rb"\}(.?)", re.DOTALL)


class Mark(Enum):
    """What comes besides packets."""

    INTERRUPT = b"\x03"
    ACK = b"+"
    NAK = b"-"
    GARBLED = b""
    """A packet whose checksum is wrong, or that is longer than any may be."""


class Decoder:
    """Takes bytes as they come. What stands between packets and is nothing is passed over."""

    def __init__(self) -> None:
        self._kept = b""
        self._too_long = False

    def feed(self, data: bytes) -> Iterator[bytes | Mark]:
        """The data of packets, and marks, in the order in which they came."""
        self._kept += data
        while (item := self._next()) is not None:
            yield item

    def _next(self) -> bytes | Mark | None:
        found = _OUTSIDE.search(self._kept)
        if found is None:
            self._kept = b""
            return None
        self._kept = self._kept[found.start() :]
        if found[0] == _START:
            return self._packet()
        self._kept = self._kept[1:]
        return Mark(found[0])

    def _packet(self) -> bytes | Mark | None:
        """What is kept begins with "$". None where its end has not come yet."""
        found = _MARKED.search(self._kept, 1)
        if found is None:
            self._forget_too_long()
            return None
        end = found.start()
        if found[0] == _START:  # the end of the one before was lost
            return self._garbled(end)
        if len(self._kept) < end + _TRAILER:
            return None
        packet, given = self._kept[1:end], self._kept[end + 1 : end + _TRAILER]
        if self._too_long or len(packet) > MOST or not _fits(packet, given):
            return self._garbled(end + _TRAILER)
        self._kept = self._kept[end + _TRAILER :]
        return packet

    def _garbled(self, end: int) -> Mark:
        self._kept = self._kept[end:]
        self._too_long = False
        return Mark.GARBLED

    def _forget_too_long(self) -> None:
        if len(self._kept) > MOST + 1:
            self._kept = _START
            self._too_long = True


def _fits(packet: bytes, checksum: bytes) -> bool:
    return bool(_CHECKSUM.fullmatch(checksum)) and int(checksum, 16) == sum(packet) & 0xFF


def framed(data: bytes) -> bytes:
    """A packet as it is sent."""
    return b"$%b#%02x" % (data, sum(data) & 0xFF)


def escaped(data: bytes) -> bytes:
    """Any bytes, fit for a packet."""
    return _TO_ESCAPE.sub(lambda found: bytes((_ESCAPE, found[0][0] ^ _FLIP)), data)


def unescaped(data: bytes) -> bytes:
    """The bytes that `escaped` was given. A last "}" without its byte is dropped."""
    return _ESCAPED.sub(lambda found: bytes(byte ^ _FLIP for byte in found[1]), data)


def fitting(data: bytes, room: int) -> bytes:
    """As much from the start of data as takes at most `room` bytes once it is escaped."""
    data = data[:room]
    while (size := len(escaped(data))) > room:
        data = data[: len(data) - (size - room + 1) // 2]
    return data
