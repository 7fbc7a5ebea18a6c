"""Machine code of ours for the host: assembled, and put where the host may run it."""

from __future__ import annotations

import ctypes
import mmap
import platform
from functools import cache

from asm.assembler import assemble_cached
from asm.image import Image
from asm.layout import numbers
from asm.source import PACKAGE

_CHUNK = 1 << 16


def runs_here() -> bool:
    """Whether the host is an x86-64."""
    return platform.machine() in ("x86_64", "AMD64")


class Area:
    """Memory that the host may execute. It must live as long as anybody may jump there."""

    def __init__(self) -> None:
        self._chunks: list[mmap.mmap] = []
        self._free = 0

    def put(self, code: bytes) -> int:
        """The address of a copy of some code that works wherever it stands."""
        if len(code) > self._free:
            size = -(-len(code) // _CHUNK) * _CHUNK
            rights = mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
            self._chunks.append(mmap.mmap(-1, size, prot=rights))
            self._free = size
        chunk = self._chunks[-1]
        offset = len(chunk) - self._free
        chunk[offset : offset + len(code)] = code
        self._free -= len(code)
        return ctypes.addressof(ctypes.c_char.from_buffer(chunk, offset))


_AREA = Area()
"""Of the probes, which engines may call until the end."""


@cache
def _placed(probe: str) -> int:
    return _AREA.put(_image(probe).segments[0].data)


def address_of(probe: str, routine: str) -> int:
    """Where a routine of asm/probe/<probe>.s stands in executable memory."""
    image = _image(probe)
    return _placed(probe) + image.symbols[routine] - image.segments[0].address


def piece(probe: str, start: str, end: str) -> bytes:
    """The machine code of asm/probe/<probe>.s from one label up to another."""
    image = _image(probe)
    first = image.symbols[start]
    return image.bytes_at(first, image.symbols[end] - first)


def layout_of(probe: str) -> dict[str, int]:
    """The numbers of asm/probe/<probe>.s: offsets into its header and its slots."""
    return numbers(PACKAGE / "probe" / f"{probe}.s")


def _image(probe: str) -> Image:
    return assemble_cached(PACKAGE / "probe" / f"{probe}.s")
