"""Call frame information: how to get from a function to its caller (DWARF 5, 6.4).

The canonical frame address (CFA) is what rsp was before the call: the return address stands in the
8 bytes below it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from asm.dwarf.encoding import ADDRESS_SIZE, address, sized, sleb, text, u32, uleb

NUMBERS = {
    name: number
    for number, name in enumerate(
        "rax rdx rcx rbx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 rip".split()
    )
}
"""The registers as DWARF counts them; 16 stands for the return address (System V ABI, 3.6.2)."""
RETURN_ADDRESS = "rip"
WORD = 8

_VERSION = 4
_CIE_ID = 0xFFFF_FFFF
_NOP, _ADVANCE_1, _ADVANCE_4 = 0x00, 0x02, 0x04
_UNDEFINED, _SAME_VALUE = 0x07, 0x08
_DEF_CFA, _DEF_CFA_OFFSET = 0x0C, 0x0E
_ADVANCE, _OFFSET = 0x40, 0x80
_SHORTEST = 1 << 6


@dataclass(frozen=True, slots=True)
class Row:
    """What holds from one instruction on.

    cfa: a register and the CFA's distance above it. saved: the caller's registers that stand in
    memory, by their distance from the CFA: a multiple of -8. lost: those that are nowhere. The
    others are as they were.
    """

    address: int
    cfa: tuple[str, int]
    saved: Mapping[str, int] = field(default_factory=dict)
    lost: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Frame:
    """The rows of [start, end), by address; the first is at `start`.

    outermost: nothing called this; debuggers stop here.
    """

    start: int
    end: int
    rows: tuple[Row, ...]
    outermost: bool = False


ENTRY = ("rsp", WORD)
"""The CFA at a function's first instruction."""


def frame_section(frames: Iterable[Frame], at: int = 0) -> bytes:
    """.debug_frame: what is common to all, then every frame. at: where it begins."""
    return _common() + b"".join(_description(frame, at) for frame in frames)


def _common() -> bytes:
    """The CIE: the state at a function's first instruction."""
    entry = b"".join(
        [
            u32(_CIE_ID),
            bytes([_VERSION]),
            text(""),
            bytes([ADDRESS_SIZE, 0]),
            uleb(1),
            sleb(-WORD),
            uleb(NUMBERS[RETURN_ADDRESS]),
            _cfa(ENTRY, None),
            _saved(RETURN_ADDRESS, -WORD),
        ]
    )
    return sized(_padded(entry))


def _description(frame: Frame, common_at: int) -> bytes:
    """An FDE."""
    instructions = bytearray()
    if frame.outermost:
        instructions += bytes([_UNDEFINED]) + uleb(NUMBERS[RETURN_ADDRESS])
    before = Row(frame.start, ENTRY)
    for row in frame.rows:
        instructions += _advance(row.address - before.address) + _changes(before, row)
        before = row
    head = u32(common_at) + address(frame.start) + address(frame.end - frame.start)
    return sized(_padded(head + instructions))


def _padded(entry: bytes) -> bytes:
    """The length field and the entry are a multiple of an address."""
    return entry + bytes([_NOP]) * (-(4 + len(entry)) % ADDRESS_SIZE)


def _advance(distance: int) -> bytes:
    if distance == 0:
        return b""
    if distance < _SHORTEST:
        return bytes([_ADVANCE | distance])
    if distance < 1 << 8:
        return bytes([_ADVANCE_1, distance])
    return bytes([_ADVANCE_4]) + u32(distance)


def _changes(before: Row, row: Row) -> bytes:
    """The instructions from one row to the next."""
    out = bytearray()
    if row.cfa != before.cfa:
        out += _cfa(row.cfa, before.cfa)
    for register, number in NUMBERS.items():
        rule = _rule(row, register)
        if rule == _rule(before, register):
            continue
        if isinstance(rule, int):
            out += _saved(register, rule)
        else:
            out += bytes([_UNDEFINED if rule else _SAME_VALUE]) + uleb(number)
    return bytes(out)


def _rule(row: Row, register: str) -> int | str:
    """Where the caller's register is: its distance from the CFA, "lost", or "" for unchanged."""
    if register in row.saved:
        return row.saved[register]
    return "lost" if register in row.lost else ""


def _cfa(cfa: tuple[str, int], before: tuple[str, int] | None) -> bytes:
    register, offset = cfa
    if before is not None and before[0] == register:
        return bytes([_DEF_CFA_OFFSET]) + uleb(offset)
    return bytes([_DEF_CFA]) + uleb(NUMBERS[register]) + uleb(offset)


def _saved(register: str, offset: int) -> bytes:
    return bytes([_OFFSET | NUMBERS[register]]) + uleb(offset // -WORD)
