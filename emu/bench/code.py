"""What is known of the blocks of code that ran: how long they are, and which of them copy."""

from __future__ import annotations

import re
from collections.abc import Callable, Container

import numpy as np
from numpy.typing import NDArray

from emu.bench.copiers import copies
from emu.process.disassembly import mnemonics
from emu.process.slots import UNKNOWN

Numbers = NDArray[np.uint32]
Indices = NDArray[np.int64]
_REPEATED = re.compile(r"rep (movs|stos)")
LENGTH, BEGINS_CALL, REPEATS, COPIES, BEGINS_COPY, RETURNS = (
    0xFFFF, 1 << 16, 1 << 17, 1 << 18, 1 << 19, 1 << 20,
)  # fmt: skip
"""Bits of what is known of a block: how long it is; whether it is the mark; whether it begins with
an instruction that may be repeated; whether all of it copies; whether a function without a name
that copies begins there; whether it ends in a return."""


class Code:
    """A table by the numbers that the counter gives to blocks.

    mark: the address of the block by whose entries calls are told apart. read: bytes of code.
    function_at: the name of what an address lies in. copiers: addresses of functions that copy or
    clear and call no others, whatever their names are.
    """

    def __init__(
        self,
        mark: int,
        read: Callable[[int, int], bytes],
        function_at: Callable[[int], str],
        copiers: Container[int] = (),
    ) -> None:
        self._mark, self._read, self._function_at = mark, read, function_at
        self._copiers = copiers
        self._facts = np.zeros(1, np.uint32)
        self._address = np.zeros(1, np.uint64)
        self._repeated = np.zeros(1, np.uint64)
        """Address of the instruction that ends a block, where that may be repeated."""
        self._in_copier = False

    def learn(self, number: int, address: int, size: int, instructions: int) -> None:
        """A number from now on."""
        self._grow(number + 1)
        found = mnemonics(self._read(address, size), address) or [(address, "")]
        last, name = found[-1]
        facts = instructions if instructions < UNKNOWN else 0
        facts |= BEGINS_CALL * (address == self._mark)
        facts |= REPEATS * bool(_REPEATED.match(found[0][1]))
        facts |= COPIES * copies(self._function_at(address))
        facts |= BEGINS_COPY * (address in self._copiers)
        facts |= RETURNS * name.startswith("ret")
        self._facts[number], self._address[number] = facts, address
        self._repeated[number] = last if _REPEATED.match(name) else 0

    def facts(self, entered: Numbers) -> Numbers:
        """Of each entry: its instructions, in the bits of LENGTH, and what else is known."""
        found = np.empty(len(entered), np.uint32)
        self._facts.take(entered, out=found, mode="clip")  # the default takes ten times as long
        return found

    def copied(self, entered: Numbers, facts: Numbers, before: int) -> tuple[Indices, Indices]:
        """Which entries copied, and how many of their instructions. Piece by piece, in order.

        before: the entry before. A repetition is an entry of the instruction that ended the entry
        before.
        """
        which = np.flatnonzero(facts & (REPEATS | COPIES))
        counts = self._counted(which, entered, facts, before) if len(which) else which
        within = self._within_copiers(facts)
        if within is None:
            return which, counts
        whole = np.where(within, facts & LENGTH, 0).astype(np.int64)
        whole[which] = np.maximum(whole[which], counts)
        return np.flatnonzero(whole), whole[np.flatnonzero(whole)]

    def _counted(self, which: Indices, entered: Numbers, facts: Numbers, before: int) -> Indices:
        previous, here = np.where(which, entered[which - 1], before), entered[which]
        again = self._repeated[previous] == self._address[here]
        lengths = facts[which] & LENGTH
        return np.where(facts[which] & COPIES, lengths, again).astype(np.int64)

    def _within_copiers(self, facts: Numbers) -> NDArray[np.bool_] | None:
        """Whether each entry is of a copier: from where one begins to the next return."""
        begins = np.flatnonzero(facts & BEGINS_COPY)
        if self._in_copier:
            begins = np.concatenate(([0], begins))
        if not len(begins) or not len(facts):
            return None
        returns = np.flatnonzero(facts & RETURNS)
        ends = np.append(returns + 1, len(facts))
        end = ends[np.searchsorted(returns, begins)]
        self._in_copier = bool(begins[-1] > (returns[-1] if len(returns) else -1))
        depth = np.zeros(len(facts) + 1, np.int64)
        np.add.at(depth, begins, 1)
        np.add.at(depth, end, -1)
        within: NDArray[np.bool_] = np.cumsum(depth[:-1]) > 0
        return within

    def _grow(self, size: int) -> None:
        if size > len(self._facts):
            for name in ("_facts", "_address", "_repeated"):
                old = getattr(self, name)
                setattr(self, name, np.concatenate((old, np.zeros(size, old.dtype))))
