"""What is known of the blocks of code that ran: how long they are, and which of them copy."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from emu.process.disassembly import mnemonics
from emu.process.slots import UNKNOWN

Numbers = NDArray[np.uint32]
_REPEATED = re.compile(r"rep (movs|stos)")
_COPIES = re.compile(r"_*w?mem(p?cpy|move|set)|_*(explicit_)?bzero|copy_|clear_")
"""Functions that do nothing but copy or clear, by how their names begin."""
_PREFIX = 0xF3
LENGTH, BEGINS_CALL, REPEATS, COPIES = 0xFFFF, 1 << 16, 1 << 17, 1 << 18
"""Bits of what is known of a block: how long it is, whether it is the mark, whether it begins with
an instruction that may be repeated, whether all of it copies."""


class Code:
    """A table by the numbers that the counter gives to blocks.

    mark: the address of the block by whose entries calls are told apart. read: bytes of code.
    function_at: the name of what an address lies in.
    """

    def __init__(
        self, mark: int, read: Callable[[int, int], bytes], function_at: Callable[[int], str]
    ) -> None:
        self._mark, self._read, self._function_at = mark, read, function_at
        self._facts = np.zeros(1, np.uint32)
        self._address = np.zeros(1, np.uint64)
        self._repeated = np.zeros(1, np.uint64)
        """Address of the instruction that ends a block, where that may be repeated."""

    def learn(self, number: int, address: int, size: int, instructions: int) -> None:
        """A number from now on."""
        self._grow(number + 1)
        facts = instructions if instructions < UNKNOWN else 0
        facts |= BEGINS_CALL * (address == self._mark)
        first, last = _repeated(self._read(address, size), address)
        facts |= REPEATS * first
        facts |= COPIES * bool(_COPIES.match(self._function_at(address)))
        self._facts[number], self._address[number], self._repeated[number] = facts, address, last

    def facts(self, entered: Numbers) -> Numbers:
        """Of each entry: its instructions, in the bits of LENGTH, and what else is known."""
        found = np.empty(len(entered), np.uint32)
        self._facts.take(entered, out=found, mode="clip")  # the default takes ten times as long
        return found

    def copied(
        self, entered: Numbers, facts: Numbers, before: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Which entries copied, and how many of their instructions. before: the entry before.

        A repetition is an entry of the instruction that ended the entry before.
        """
        which = np.flatnonzero(facts & (REPEATS | COPIES))
        if not len(which):
            return which, which
        previous, here = np.where(which, entered[which - 1], before), entered[which]
        again = self._repeated[previous] == self._address[here]
        lengths = facts[which] & LENGTH
        return which, np.where(facts[which] & COPIES, lengths, again).astype(np.int64)

    def _grow(self, size: int) -> None:
        if size > len(self._facts):
            for name in ("_facts", "_address", "_repeated"):
                old = getattr(self, name)
                setattr(self, name, np.concatenate((old, np.zeros(size, old.dtype))))


def _repeated(code: bytes, address: int) -> tuple[bool, int]:
    """Whether a block begins with `rep movs` or `rep stos`; where one is that ends it, or 0."""
    if _PREFIX not in code:
        return False, 0
    found = mnemonics(code, address)
    if not found:
        return False, 0
    first, (last, name) = found[0][1], found[-1]
    return bool(_REPEATED.match(first)), last if _REPEATED.match(name) else 0
