"""How the engine tells of movbe, which turns bytes round: found by trying, once.

Where the host has a movbe of its own, Unicorn uses it, and tells of the value as it stands in the
register; elsewhere it tells of the bytes as they stand in memory.
"""

from __future__ import annotations

import ctypes
import mmap
from functools import cache
from typing import Any, NamedTuple

from emu.process.binding import ACCESS, PERMISSIONS, WALK, Hook, check
from emu.process.engine import Engine
from syscalls.abi import PAGE

_PAGE_AT = 1 << 20
_DATA = 64
"""Where the value stands in the page."""
_LOAD, _STORE = bytes.fromhex("480f38f001"), bytes.fromhex("480f38f101")
"""movbe rax, [rcx]; movbe [rcx], rax."""
_VALUE = 0x0102_0304_0506_0708


class Turned(NamedTuple):
    """Whether what movbe reads, and what it writes, is told the highest byte first."""

    reads: bool
    writes: bool


@cache
def turned() -> Turned:
    """How this host's engine tells."""
    return Turned(_told(_LOAD) != _VALUE, _told(_STORE) == _VALUE)


def _told(code: bytes) -> int:
    """What is told of an instruction that moves _VALUE, from where it stands."""
    page = mmap.mmap(-1, PAGE)
    page[: len(code)] = code
    page[_DATA : _DATA + 8] = _VALUE.to_bytes(8, "little")
    values: list[int] = []

    def accessed(_: Any, __: int, ___: int, ____: int, value: int, _____: Any) -> None:
        values.append(value)

    engine = Engine()
    host = ctypes.c_char.from_buffer(page)
    engine.map_window(_PAGE_AT, PAGE, ctypes.addressof(host))
    engine.hook(Hook.WALK, WALK(_walk))
    engine.hook(Hook.ACCESS, ACCESS(accessed))
    engine.set("rax", _VALUE)
    engine.set("rcx", _PAGE_AT + _DATA)
    check(engine.run(_PAGE_AT, _PAGE_AT + len(code)))
    engine.close()
    (value,) = values
    return value


def _walk(_: int, page: int, __: int, entry: Any, ___: int) -> bool:
    entry[0].paddr = page
    entry[0].perms = sum(PERMISSIONS.values())
    return True
