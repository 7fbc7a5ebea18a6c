"""The blocks of code that ran: where each is, its bytes, and where its instructions begin."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from emu.process.disassembly import Instruction, disassemble, mnemonics

Words = NDArray[np.uint64]
Places = NDArray[np.int64]
_MOVBE = tuple(map(bytes.fromhex, ("0f38f0", "0f38f1")))
"""Bytes of every movbe that reads, or writes, behind its prefixes; and of crc32."""


@dataclass(frozen=True, eq=False)
class Blocks:
    """A table, a row a block, as the CPU translated them.

    A block that was cut, or whose bytes were changed, has another row.
    address: of the first instruction. instructions: how many count; 0 for the way in and the way
    out of a call. code: the bytes.
    """

    address: Words
    instructions: Places
    code: tuple[bytes, ...]

    def __len__(self) -> int:
        return len(self.code)

    @cached_property
    def size(self) -> Places:
        """Bytes of each."""
        return np.fromiter(map(len, self.code), np.int64, len(self.code))

    def offsets(self, row: int) -> list[int]:
        """Where the instructions of a block begin, from its own beginning."""
        address = int(self.address[row])
        found = [place - address for place, _ in mnemonics(self.code[row], address)]
        count = int(self.instructions[row])
        last = found[-1:] or [0]
        found += last * (count - len(found))  # bytes that the disassembler does not know
        return found[:count]

    def disassembled(self, row: int) -> list[Instruction]:
        """The instructions of a block that count."""
        found = disassemble(self.code[row], int(self.address[row]))
        return found[: int(self.instructions[row])]

    @property
    def swapped(self) -> list[tuple[int, int]]:
        """Row and offset of the instructions that read or write bytes in reverse order."""
        return [
            (row, address - int(self.address[row]))
            for row, code in enumerate(self.code)
            if any(opcode in code for opcode in _MOVBE)
            for address, name in mnemonics(code, int(self.address[row]))
            if name == "movbe"
        ]

    @cached_property
    def first(self) -> Places:
        """The index of each block's first instruction in `places`."""
        return np.concatenate(([0], np.cumsum(self.instructions)))[: len(self)].astype(np.int64)

    @cached_property
    def places(self) -> Words:
        """The addresses of all instructions of all blocks, block after block."""
        offsets = [offset for row in range(len(self)) for offset in self.offsets(row)]
        starts = np.repeat(self.address, self.instructions)
        found: Words = starts + np.array(offsets, np.uint64)
        return found

    @cached_property
    def _first_byte(self) -> Places:
        return np.concatenate(([0], np.cumsum(self.size)))[: len(self)].astype(np.int64)

    @cached_property
    def _numbers(self) -> Places:
        """For each byte of each block, which instruction of the block begins there or before."""
        begins = np.zeros(int(self.size.sum()), np.int64)
        rows = np.repeat(np.arange(len(self)), self.instructions)
        begins[self._first_byte[rows] + (self.places - self.address[rows]).astype(np.int64)] = 1
        counted = np.cumsum(begins)
        before = np.concatenate(([0], counted))[self._first_byte]
        found: Places = counted - np.repeat(before, self.size) - 1
        return found

    def number_at(self, rows: Places, offsets: Places) -> Places:
        """Which instruction of its block stands at an offset, of many at once.

        -1 in the way in and the way out of a call.
        """
        found: Places = self._numbers[self._first_byte[rows] + offsets]
        return found
