"""Which blocks of code ran, as DynamoRIO's drcov writes it: for Lighthouse, bncov and their like.

A trace knows of no modules: code with less than 16 MiB between is one, named by the source that it
begins with, or its first symbol.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from emu.report.export.target import Target, write_bytes
from emu.trace.blocks import Places
from emu.trace.trace import Trace
from syscalls.abi import PAGE, page_up

_BLOCK = np.dtype([("start", "<u4"), ("size", "<u2"), ("module", "<u2")])
_GAP = 16 << 20
_Module = tuple[int, int]
"""[start, end)."""


def drcov(trace: Trace, target: Target) -> None:
    """Writes version 2: a table of modules as text, and the blocks, each once."""
    blocks = _blocks(trace)
    modules = _modules(trace, blocks)
    lines = [
        "DRCOV VERSION: 2",
        "DRCOV FLAVOR: drcov",
        f"Module Table: version 2, count {len(modules)}",
        "Columns: id, base, end, entry, checksum, timestamp, path",
        *(_row(trace, number, *module) for number, module in enumerate(modules)),
        f"BB Table: {len(blocks)} bbs",
    ]
    text = "".join(f"{line}\n" for line in lines)
    write_bytes(text.encode(errors="replace") + _table(blocks, modules), target)


def _blocks(trace: Trace) -> list[tuple[int, int]]:
    """(address, bytes) of what ran, in order of address; of a block that was cut, its beginning."""
    ran = _most(trace)
    found = set()
    for row in np.flatnonzero(ran).tolist():
        blocks, count = trace.blocks, int(ran[row])
        whole = count == int(blocks.instructions[row])
        size = len(blocks.code[row]) if whole else blocks.offsets(row)[count]
        found.add((int(blocks.address[row]), size))
    return sorted(found)


def _most(trace: Trace) -> Places:
    """The most instructions of each row that ran in one go."""
    entered = np.bincount(trace.entries, minlength=len(trace.blocks))
    rows = trace.entries[trace.cuts[:, 0]]
    whole = entered > np.bincount(rows, minlength=len(trace.blocks))
    found = np.where(whole, trace.blocks.instructions, 0)
    np.maximum.at(found, rows, trace.cuts[:, 1])
    return found


def _modules(trace: Trace, blocks: Iterable[tuple[int, int]]) -> list[_Module]:
    known = {(symbol.address, symbol.size) for symbol in trace.sources.symbols}
    ranges = sorted({(start, start + size) for start, size in {*blocks, *known}})
    if not ranges:
        return []
    found = [ranges[0]]
    for start, end in ranges[1:]:
        first, last = found[-1]
        if start - last < _GAP:
            found[-1] = first, max(last, end)
        else:
            found.append((start, end))
    return [(start & -PAGE, page_up(end)) for start, end in found]


def _row(trace: Trace, number: int, start: int, end: int) -> str:
    return f" {number}, {start:#x}, {end:#x}, 0x0, 0x0, 0x0, {_name(trace, start, end)}"


def _name(trace: Trace, start: int, end: int) -> str:
    lines = (line.file for line in trace.sources.lines if start <= line.address < end)
    symbols = (one.name for one in trace.sources.symbols if start <= one.address < end)
    return next(lines, None) or next(symbols, None) or hex(start)


def _table(blocks: list[tuple[int, int]], modules: list[_Module]) -> bytes:
    table = np.zeros(len(blocks), _BLOCK)
    for index, (address, size) in enumerate(blocks):
        number = next(n for n, (start, end) in enumerate(modules) if start <= address < end)
        table[index] = address - modules[number][0], size, number
    return table.tobytes()
