"""A trace as text that the Tenet trace explorer loads, of which registers were recorded.

A line is a moment. It has the registers that have other values than on the line before, and then
the memory that the instruction before it read and wrote:

    rax=0x18,rsp=0x7fffffffe010,rip=0x400004,mr=0x7fffffffe008:0500000000000000

The first line has all general registers; rip is on every line, the last of the registers. What the
kernel wrote for a system call is on the line behind it. The last line is how it all ended. Tenet
knows neither flags nor vectors.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from emu.errors import InputError
from emu.process.event import Interrupted, PageFaulted, SystemCalled, Wrote
from emu.report.export.target import Target, write_lines
from emu.trace.trace import Trace

_GENERAL = "rax rbx rcx rdx rbp rsp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15".split()
_AT_ONCE = 1 << 16
"""Lines that are made together."""

Values = NDArray[np.uint64]


def tenet(trace: Trace, target: Target) -> None:
    """Writes a trace. InputError where registers were not recorded.

    Without accesses, only registers are told.
    """
    if trace.registers is None:
        raise InputError("Tenet shows registers, and they were not recorded", "tenet")
    write_lines(_lines(trace), target)


def _lines(trace: Trace) -> Iterator[str]:
    writes = _written_by_kernel(trace)
    for first in range(0, len(trace) + 1, _AT_ONCE):
        last = min(first + _AT_ONCE, len(trace) + 1)
        memory = _touched(trace, first, last)
        for line, registers in enumerate(_register_lines(trace, first, last), first):
            yield ",".join([registers, *memory[line], *writes.get(line, ())])


def _register_lines(trace: Trace, first: int, last: int) -> Iterator[str]:
    """What lines [first, last) have before memory."""
    values = _values(trace, max(0, first - 1), last)
    rip = _column(trace, "rip", first, last).tolist()
    changed = np.ones((last - first, len(_GENERAL)), bool)
    changed[1 if first == 0 else 0 :] = values[1:] != values[:-1]
    rows = values[-(last - first) :].tolist()
    for row, new, place in zip(rows, changed.tolist(), rip, strict=True):
        told = [
            f"{name}={value:#x}"
            for name, value, is_new in zip(_GENERAL, row, new, strict=True)
            if is_new
        ]
        yield ",".join([*told, f"rip={place:#x}"])


def _values(trace: Trace, first: int, last: int) -> Values:
    """The general registers: a row a line."""
    return np.stack([_column(trace, name, first, last) for name in _GENERAL], axis=1)


def _column(trace: Trace, name: str, first: int, last: int) -> Values:
    found: Values = trace.recorded_registers[name][first:last]
    if last <= len(trace):
        return found
    assert trace.registers_after is not None
    return np.append(found, trace.registers_after[name])


def _touched(trace: Trace, first: int, last: int) -> dict[int, list[str]]:
    """What the instructions before lines [first, last) did to memory, by line."""
    found: dict[int, list[str]] = defaultdict(list)
    if trace.accesses is None:
        return found
    part = trace.accesses_within(first - 1, last - 1)
    accesses = trace.accesses[part]
    columns = (accesses[name].tolist() for name in ("write", "address", "size", "value"))
    pieces = zip(trace.moments[part].tolist(), *columns, strict=True)
    for (moment, write), row in groupby(pieces, key=lambda piece: piece[:2]):
        for start, data in _joined((address, size, value) for _, _, address, size, value in row):
            found[moment + 1].append(_told("mw" if write else "mr", start, data))
    return found


def _joined(pieces: Iterator[tuple[int, int, int]]) -> Iterator[tuple[int, bytes]]:
    """Accesses (address, size, value), one behind the other where they touch."""
    begin, data = 0, b""
    for address, size, value in pieces:
        if data and address != begin + len(data):
            yield begin, data
            data = b""
        begin = begin if data else address
        data += value.to_bytes(size, "little")
    if data:
        yield begin, data


def _written_by_kernel(trace: Trace) -> dict[int, list[str]]:
    """What was written between two instructions, by the line behind it."""
    found: dict[int, list[str]] = defaultdict(list)
    for event in trace.events:
        if isinstance(event, SystemCalled | PageFaulted | Interrupted):
            for effect in event.effects:
                if isinstance(effect, Wrote):
                    found[event.at].append(_told("mw", effect.address, effect.data))
    return found


def _told(kind: str, start: int, data: bytes) -> str:
    return f"{kind}={start:#x}:{data.hex()}"
