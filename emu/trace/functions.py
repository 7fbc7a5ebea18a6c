"""Functions by number, so that arrays can hold them, and where blocks pass from one to another."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from emu.process.sources import Sources
from emu.trace.blocks import Blocks, Places, Words
from emu.trace.endings import Ending, Endings


class Functions:
    """Each symbol is one, and so is the code between two symbols, named by its lowest address."""

    def __init__(self, sources: Sources, blocks: Blocks) -> None:
        self._symbols = sources.symbols
        self._starts = np.array([symbol.address for symbol in sources.symbols], np.uint64)
        self._ends = np.array([one.address + one.size for one in sources.symbols], np.uint64)
        self._lowest: dict[int, int] = {}
        places = np.unique(np.concatenate((blocks.places, blocks.address)))
        for number, place in zip(self.at(places).tolist(), places.tolist(), strict=True):
            self._lowest.setdefault(number, place)

    def __len__(self) -> int:
        return 2 * len(self._symbols) + 1

    def at(self, addresses: Words) -> Places:
        """The number of the function that each address lies in."""
        index = np.searchsorted(self._starts, addresses, side="right") - 1
        if not len(self._symbols):
            return np.zeros(len(addresses), np.int64)
        inside = (index >= 0) & (addresses < self._ends[index])
        found: Places = np.where(inside, index, len(self._symbols) + index + 1)
        return found

    def start(self, number: int) -> int:
        """Where it begins; of what has no symbol, the lowest address known."""
        if number < len(self._symbols):
            return self._symbols[number].address
        return self._lowest.get(number, 0)

    def name(self, number: int) -> str:
        """Its symbol, or its start in hexadecimal."""
        named = number < len(self._symbols)
        return self._symbols[number].name if named else hex(self.start(number))


@dataclass(frozen=True, eq=False)
class Stretches:
    """A table: blocks, taken apart where they pass from one function to another.

    first: the row of each block's first stretch; count: how many it has. offset: instructions of
    the block before it. function, address: where it begins. kind, last, behind: of its end, as of
    a block's.
    """

    first: Places
    count: Places
    offset: Places
    function: Places
    address: Words
    kind: NDArray[np.uint8]
    last: Words
    behind: Words

    @cached_property
    def alone(self) -> bool:
        """Whether every block is one."""
        return bool(np.all(self.count == 1))


def stretches(blocks: Blocks, ends: Endings, functions: Functions) -> Stretches:
    """Of all blocks."""
    rows = np.repeat(np.arange(len(blocks)), blocks.instructions)
    inside = functions.at(blocks.places)
    begins = np.ones(len(rows), bool)
    begins[1:] = (rows[1:] != rows[:-1]) | (inside[1:] != inside[:-1])
    gates = np.flatnonzero(ends.kind == Ending.GATE)
    row = np.concatenate((rows[begins], gates))
    order = np.argsort(row, kind="stable")
    row = row[order]
    where = np.concatenate((np.flatnonzero(begins), np.zeros(len(gates), np.int64)))[order]
    address = np.concatenate((blocks.places[begins], blocks.address[gates]))[order]
    final = np.ones(len(row), bool)
    final[:-1] = row[1:] != row[:-1]
    last, behind = ends.last[row], ends.behind[row]
    inner = np.flatnonzero(~final)
    last[inner] = blocks.places[where[inner + 1] - 1]
    behind[inner] = address[inner + 1]
    count = np.bincount(row, minlength=len(blocks))
    gate = ends.kind[row] == Ending.GATE
    return Stretches(
        first=np.cumsum(count) - count,
        count=count,
        offset=np.where(gate, 0, where - blocks.first[row]),
        function=functions.at(address),
        address=address,
        kind=np.where(final, ends.kind[row], Ending.NEXT).astype(np.uint8),
        last=last,
        behind=behind,
    )
