"""Alignment checked where a block is entered: machine code made for what has to be checked.

What is checked are sums of registers (residues.py). The code is put together of the pieces in
asm/probe/count.s, counts the block's instructions as well, and is called in the counter's stead.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from functools import cache
from itertools import pairwise

from emu.process import host_code
from emu.process.cpu_state import registers_found
from emu.process.residues import Sum

_MOST_SUMS = 8
"""Of a block; the instruction hook is no slower than many of them."""
_MOST_ROUTINES = 1 << 14
_REGISTER_SIZE = 8
_PROBE = "count"


class EntryChecks:
    """Routines for Unicorn to call before a block; they live as long as this."""

    def __init__(self) -> None:
        self._area = host_code.Area()
        self._made: dict[tuple[frozenset[Sum], bool], int] = {}

    def routine(self, sums: frozenset[Sum], *, recording: bool) -> int | None:
        """Where the routine is that stops the engine unless all sums are 0 modulo 16.

        None where it is better to look at each access. recording: it records the block, too.
        """
        made = self._made.get((sums, recording))
        if made is not None:
            return made
        if len(sums) > _MOST_SUMS or len(self._made) >= _MOST_ROUTINES:
            return None
        made = self._made[sums, recording] = self._area.put(_code(sums, recording))
        return made


def _code(sums: Iterable[Sum], recording: bool) -> bytes:
    pieces = _pieces()
    ordered = sorted(sums, key=lambda one: (one.factors, one.constant))
    end = pieces.check_and_record if recording else pieces.check
    return pieces.begin + b"".join(map(pieces.sum, ordered)) + end


class _Pieces:
    """What stands between the labels of count.s, with the numbers filled in."""

    def __init__(self) -> None:
        labels = "begin_sums start_sum add_term end_sum check_sums record_sums find_state".split()
        self.begin, self._start, self._term, self._end, self.check, self.check_and_record = (
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
    return host_code.runs_here() and registers_found()
