"""Machine code of ours for the host: assembled, and put where the host may run it."""

from __future__ import annotations

import ctypes
import mmap
import platform
from functools import cache

from asm.assembler import assemble_cached
from asm.layout import numbers
from asm.source import PACKAGE

_kept: list[mmap.mmap] = []
"""Executable memory that engines may still call."""


def runs_here() -> bool:
    """Whether the host is an x86-64."""
    return platform.machine() in ("x86_64", "AMD64")


@cache
def address_of(probe: str) -> int:
    """Where the first routine of asm/probe/<probe>.s stands in executable memory."""
    code = assemble_cached(PACKAGE / "probe" / f"{probe}.s").segments[0].data
    memory = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    memory[: len(code)] = code
    _kept.append(memory)
    return ctypes.addressof(ctypes.c_char.from_buffer(memory))


def layout_of(probe: str) -> dict[str, int]:
    """The numbers of asm/probe/<probe>.s: offsets into its header and its slots."""
    return numbers(PACKAGE / "probe" / f"{probe}.s")
