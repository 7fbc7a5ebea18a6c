"""How blocks end: by which instruction, and where that may go."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from emu.process.disassembly import statements
from emu.trace.blocks import Blocks, Words

CONDITIONAL = frozenset(
    "ja jae jb jbe je jg jge jl jle jne jno jnp jns jo jp js jcxz jecxz jrcxz loop loope loopne"
    .split()
)  # fmt: skip
_SPELLED_OTHERWISE = frozenset(
    "jna jnae jnb jnbe jz jng jnge jnl jnle jnz jpo jpe jc jnc loopz loopnz".split()
)
_CALLS, _RETURNS, _JUMPS = {"call", "lcall"}, {"ret", "retf", "retfq", "iretq"}, {"jmp", "ljmp"}
_REPEATS = ("rep", "repe", "repne", "repz", "repnz")
_PREFIXES = {"bnd", "notrack", *_REPEATS}


class Ending(IntEnum):
    """What the last instruction of a block is.

    GATE: none counts; the way into a call, or out of it. NEXT: one that goes to the instruction
    behind it, or repeats itself.
    """

    GATE, NEXT, CONDITION, JUMP, CALL, RETURN = range(6)


@dataclass(frozen=True, eq=False)
class Endings:
    """A table, a row a block.

    kind: an Ending. last: the address of the last instruction; behind: the one behind it. target:
    where it goes if it is a jump or a call; known: whether that stands in the code.
    """

    kind: NDArray[np.uint8]
    last: Words
    behind: Words
    target: Words
    known: NDArray[np.bool_]


def endings(blocks: Blocks) -> Endings:
    """Of all blocks."""
    rows = [_ending(blocks, row) for row in range(len(blocks))]
    kind, last, behind, target = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Endings(
        np.array(kind, np.uint8),
        np.array(last, np.uint64),
        np.array(behind, np.uint64),
        np.array([place or 0 for place in target], np.uint64),
        np.array([place is not None for place in target], bool),
    )


def is_conditional(line: str) -> bool:
    """Whether a line of a source is a conditional jump; a label may stand before it."""
    return _first_word(line) in CONDITIONAL | _SPELLED_OTHERWISE


def is_directive(line: str) -> bool:
    """Whether a line of a source is no instruction, but `.quad` and the like."""
    return _first_word(line).startswith(".")


def _first_word(line: str) -> str:
    words = line.split("#", maxsplit=1)[0].rpartition(":")[2].lower().split()
    return words[0] if words else ""


def _ending(blocks: Blocks, row: int) -> tuple[Ending, int, int, int | None]:
    address, count = int(blocks.address[row]), int(blocks.instructions[row])
    if not count:
        return Ending.GATE, address, address, None
    found = statements(blocks.code[row], address)[:count]
    if len(found) < count:  # bytes that the disassembler does not know
        end = address + len(blocks.code[row])
        return Ending.NEXT, address + blocks.offsets(row)[-1], end, end
    place, size, text = found[-1]
    kind, target = _kind(text)
    return kind, place, place + size, place + size if kind is Ending.NEXT else target


def _kind(text: str) -> tuple[Ending, int | None]:
    words = text.split()
    while len(words) > 1 and words[0] in _PREFIXES:
        words.pop(0)
    name, operand = words[0], words[-1]
    direct = len(words) == 2 and operand.startswith("0x")
    target = int(operand, 16) if direct else None
    if name in CONDITIONAL:
        return Ending.CONDITION, target
    if name in _JUMPS:
        return Ending.JUMP, target
    if name in _CALLS:
        return Ending.CALL, target
    return (Ending.RETURN, None) if name in _RETURNS else (Ending.NEXT, None)
