"""FUTEX_WAKE_OP's little language: an operation on a word and a comparison, coded in 32 bits.

    31    28 27    24 23            12 11             0
    | op     | cmp    | operand       | compared with  |        op & 8: 1 << operand

Source: futex(2), include/uapi/linux/futex.h.
"""

from __future__ import annotations

import operator
from collections.abc import Callable

_LOW = 0xFFFF_FFFF
_SHIFTED = 8

_CHANGES: dict[int, Callable[[int, int], int]] = {
    0: lambda _, operand: operand,
    1: operator.add,
    2: operator.or_,
    3: lambda old, operand: old & ~operand,
    4: operator.xor,
}
_COMPARISONS: dict[int, Callable[[int, int], bool]] = {
    0: operator.eq,
    1: operator.ne,
    2: operator.lt,
    3: operator.ge,
    4: operator.le,
    5: operator.gt,
}


def changed(code: int, old: int) -> int | None:
    """The word after the operation; None for an operation that there is not."""
    change = _CHANGES.get(code >> 28 & 7)
    operand = _signed(code >> 12, 12)
    if code >> 28 & _SHIFTED:
        operand = 1 << (operand & 31)
    return change(old, operand) & _LOW if change else None


def holds(code: int, old: int) -> bool | None:
    """Whether the comparison holds; None for one that there is not."""
    compare = _COMPARISONS.get(code >> 24 & 0xF)
    return compare(_signed(old, 32), _signed(code, 12)) if compare else None


def _signed(value: int, bits: int) -> int:
    low = value & (1 << bits) - 1
    return low - (1 << bits) if low >> bits - 1 else low
