"""What is known of the blocks of code that ran: how long they are, and which of them copy."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from emu.process.disassembly import mnemonics

Names = NDArray[np.uint32]
_REPEATED = re.compile(r"rep (movs|stos)")
_COPIES = re.compile(r"_*w?mem(p?cpy|move|set)|_*(explicit_)?bzero|copy_|clear_")
"""Functions that do nothing but copy or clear, by how their names begin."""
_REPEATS, _COPYING = 1, 2
_PREFIX = 0xF3


class Code:
    """A table by the names that the counter gives to blocks.

    mark: the address of the block by whose entries calls are told apart. read: bytes of code.
    function_at: the name of what an address lies in.
    """

    def __init__(
        self, mark: int, read: Callable[[int, int], bytes], function_at: Callable[[int], str]
    ) -> None:
        self._mark, self._read, self._function_at = mark, read, function_at
        self.length = np.zeros(1, np.int32)
        """Instructions of each."""
        self.begins_call = np.zeros(1, np.bool_)
        self.kind = np.zeros(1, np.uint8)
        """1 where it begins with an instruction that may be repeated; 2 where all of it copies."""
        self.address = np.zeros(1, np.uint64)
        self.repeated = np.zeros(1, np.uint64)
        """Address of the instruction that ends it, where that may be repeated."""

    def learn(self, name: int, address: int, size: int, instructions: int) -> None:
        """A name from now on."""
        self._grow(name + 1)
        self.length[name], self.begins_call[name] = instructions, address == self._mark
        self.address[name] = address
        first, last = _repeated(self._read(address, size), address)
        self.repeated[name] = last
        self.kind[name] = _REPEATS if first else 0
        if _COPIES.match(self._function_at(address)):
            self.kind[name] = _COPYING

    def copied(self, entered: Names, before: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Which entries copied, and how many of their instructions. before: the entry before.

        A repetition is an entry of the instruction that ended the entry before.
        """
        kinds = self.kind.take(entered)
        which = np.flatnonzero(kinds)
        if not len(which):
            return which, np.zeros(0, np.int32)
        previous = np.where(which > 0, entered[which - 1], before)
        again = self.repeated[previous] == self.address[entered[which]]
        counts = np.where(kinds[which] == _COPYING, self.length[entered[which]], again)
        return which, counts.astype(np.int32)

    def _grow(self, size: int) -> None:
        if size > len(self.length):
            for field in ("length", "begins_call", "kind", "address", "repeated"):
                old = getattr(self, field)
                setattr(self, field, np.concatenate((old, np.zeros(size, old.dtype))))


def _repeated(code: bytes, address: int) -> tuple[bool, int]:
    """Whether a block begins with `rep movs` or `rep stos`; the address of one that ends it, or 0."""
    if _PREFIX not in code:
        return False, 0
    found = mnemonics(code, address)
    if not found:
        return False, 0
    first, (last, name) = found[0][1], found[-1]
    return bool(_REPEATED.match(first)), last if _REPEATED.match(name) else 0
