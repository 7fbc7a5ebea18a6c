"""futex(2): the operation says which arguments there are. Source: linux/futex.h."""

from __future__ import annotations

from syscalls.text.clocks import timespec
from syscalls.text.sight import Sight, low, low_hexadecimal, number, pointer, unsigned
from syscalls.text.words import Names, numbered, one_of

_OPERATIONS = numbered(
    "WAIT WAKE FD REQUEUE CMP_REQUEUE WAKE_OP LOCK_PI UNLOCK_PI TRYLOCK_PI WAIT_BITSET WAKE_BITSET"
    " WAIT_REQUEUE_PI CMP_REQUEUE_PI LOCK_PI2", "FUTEX_"
)  # fmt: skip
_PRIVATE, _REALTIME, _COMMAND = 128, 256, 127
_WITH_PRIVATE = set(range(14)) - {2}
_ADD = numbered("SET ADD OR ANDN XOR", "FUTEX_OP_")
_COMPARE = numbered("EQ NE LT LE GT GE", "FUTEX_OP_CMP_")
_ANY_BIT = 0xFFFFFFFF
"""By operation, what the arguments from the third on are."""
_SHAPES = {
    "WAIT": "value timeout", "WAKE": "value", "FD": "value",
    "REQUEUE": "value count second", "CMP_REQUEUE": "value count second value",
    "WAKE_OP": "value count second operation", "LOCK_PI": "- timeout", "UNLOCK_PI": "",
    "TRYLOCK_PI": "", "WAIT_BITSET": "value timeout - bits", "WAKE_BITSET": "value - - bits",
    "WAIT_REQUEUE_PI": "value timeout second", "CMP_REQUEUE_PI": "value count second value",
    "LOCK_PI2": "- timeout",
}  # fmt: skip
_UNKNOWN = "value second second low"


def operation(value: int, _: Sight) -> str:
    """FUTEX_WAIT_PRIVATE; FUTEX_WAIT_BITSET|FUTEX_CLOCK_REALTIME."""
    value = low(value)
    plain = value & ~_PRIVATE & ~_REALTIME
    if plain not in _OPERATIONS:
        return one_of(value, {}, "FUTEX")
    private = "_PRIVATE" if value & _PRIVATE and plain in _WITH_PRIVATE else ""
    realtime = "|FUTEX_CLOCK_REALTIME" if value & _REALTIME else ""
    return f"{_OPERATIONS[plain]}{private}{realtime}"


def argument(value: int, sight: Sight) -> str | None:
    """One of the last four arguments, as the operation has it."""
    plain = low(sight.args[1]) & _COMMAND
    name = _OPERATIONS.get(plain, "").removeprefix("FUTEX_")
    shape = _SHAPES.get(name, _UNKNOWN).split()
    position = sight.index - 2
    if position >= len(shape) or shape[position] == "-":
        return None
    return _MEANINGS[shape[position]](value, sight)


def _bits(value: int, _: Sight) -> str:
    return "FUTEX_BITSET_MATCH_ANY" if low(value) == _ANY_BIT else number(low(value))


def _wake_operation(value: int, _: Sight) -> str:
    """What is done to the second word, and how it is compared, in four fields."""
    value = low(value)
    change = _shifted(value >> 28 & 7, _ADD, 28, "FUTEX_OP")
    compare = _shifted(value >> 24 & 15, _COMPARE, 24, "FUTEX_OP_CMP")
    by_shift = "FUTEX_OP_OPARG_SHIFT<<28|" if value >> 31 else ""
    return f"{by_shift}{change}|{number(value >> 12 & 0xFFF)}<<12|{compare}|{number(value & 0xFFF)}"


def _shifted(value: int, known: Names, shift: int, unknown: str) -> str:
    if value in known:
        return f"{known[value]}<<{shift}"
    return f"{number(value)}<<{shift} /* {unknown}_??? */"


_MEANINGS = {
    "value": unsigned,
    "count": unsigned,
    "low": low_hexadecimal,
    "timeout": timespec,
    "second": lambda value, _: pointer(value),
    "bits": _bits,
    "operation": _wake_operation,
}
