"""Alignment checked where a block is entered: machine code made for what has to be checked.

What is checked are sums of registers (residues.py). The code is put together of the pieces in
asm/probe/count.s, counts the block's instructions as well, and is called in the counter's stead.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable
from functools import cache
from itertools import pairwise

from emu.process import host_code
from emu.process.binding import Hook
from emu.process.engine import Engine
from emu.process.residues import REGISTERS, Sum

_MOST_SUMS = 8
"""Of a block; the instruction hook is no slower than many of them."""
_MOST_ROUTINES = 1 << 14
_REGISTER_SIZE = 8
_PROBE = "count"
_NOP = b"\x90"


class EntryChecks:
    """Routines for Unicorn to call before a block; they live as long as this."""

    def __init__(self) -> None:
        self._area = host_code.Area()
        self._made: dict[frozenset[Sum], int] = {}

    def routine(self, sums: frozenset[Sum]) -> int | None:
        """Where the routine is that stops the engine unless all sums are 0 modulo 16.

        None where it is better to look at each access.
        """
        made = self._made.get(sums)
        if made is not None:
            return made
        if len(sums) > _MOST_SUMS or len(self._made) >= _MOST_ROUTINES:
            return None
        made = self._made[sums] = self._area.put(_code(sums))
        return made


def _code(sums: Iterable[Sum]) -> bytes:
    pieces = _pieces()
    ordered = sorted(sums, key=lambda one: (one.factors, one.constant))
    return pieces.begin + b"".join(map(pieces.sum, ordered)) + pieces.check


class _Pieces:
    """What stands between the labels of count.s, with the numbers filled in."""

    def __init__(self) -> None:
        labels = "begin_sums start_sum add_term end_sum check_sums first_entry".split()
        self.begin, self._start, self._term, self._end, self.check = (
            host_code.piece(_PROBE, *between) for between in pairwise(labels)
        )
        layout = host_code.layout_of(_PROBE)
        self._constant, self._register = (
            struct.pack("<I", layout[name]) for name in ("CONSTANT", "REGISTER")
        )
        self._factor = bytes([layout["FACTOR"]])

    def sum(self, one: Sum) -> bytes:
        start = self._start.replace(self._constant, struct.pack("<I", one.constant))
        terms = [self._filled(*pair) for pair in enumerate(one.factors) if pair[1]]
        return start + b"".join(terms) + self._end

    def _filled(self, number: int, factor: int) -> bytes:
        offset = struct.pack("<I", _REGISTER_SIZE * number)
        return self._term.replace(self._register, offset).replace(self._factor, bytes([factor]))


@cache
def _pieces() -> _Pieces:
    return _Pieces()


def usable() -> bool:
    """Whether routines run here, and find the registers where they look."""
    return host_code.runs_here() and _registers_found()


@cache
def _registers_found() -> bool:
    """It is tried out, once."""
    engine = Engine()
    values = [0x1234_5678_9ABC_DEF1 * (number + 3) & (1 << 64) - 1 for number in range(16)]
    for name, value in zip(REGISTERS, values, strict=True):
        engine.set(name, value)
    found = ctypes.c_uint64()
    routine = ctypes.c_void_p(host_code.address_of(_PROBE, "find_state"))
    engine.hook(Hook.BLOCK, routine, user=ctypes.addressof(found))
    engine.boot(_NOP)
    state = _own_memory(found.value, _REGISTER_SIZE * len(values))
    engine.close()
    return state == struct.pack("<16Q", *values)


def _own_memory(address: int, size: int) -> bytes:
    """Bytes of this process; none where it has nothing there."""
    with open("/proc/self/mem", "rb", buffering=0) as memory:
        try:
            return os.pread(memory.fileno(), size, address)
        except OSError:
            return b""
