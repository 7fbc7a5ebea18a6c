"""The packets g, G, p and P: registers read and written."""

from __future__ import annotations

from errno import EPERM

from emu.debug.registers import (
    REGISTERS,
    SIZE,
    Register,
    all_decoded,
    all_encoded,
    decoded,
    encoded,
)
from emu.debug.replies import HEX, NUMBER, OK, Malformed, error, groups, numbers, pattern, unhex
from emu.debug.target import Target

_ONE = pattern(NUMBER)
_WRITE = pattern(NUMBER, rb"=", HEX)


def read_all(target: Target) -> bytes:
    """g."""
    return all_encoded(target.registers()).hex().encode()


def write_all(target: Target, data: bytes) -> bytes:
    """G digits."""
    given = unhex(data)
    if len(given) != SIZE:
        raise Malformed
    before = target.registers()
    changed = {name: value for name, value in all_decoded(given).items() if before[name] != value}
    return set_registers(target, changed)


def read_one(target: Target, data: bytes) -> bytes:
    """p number."""
    (number,) = numbers(_ONE, data)
    return encoded(_register(number), target.registers()).hex().encode()


def write_one(target: Target, data: bytes) -> bytes:
    """P number=digits."""
    number, digits = groups(_WRITE, data)
    register, given = _register(int(number, 16)), unhex(digits)
    if len(given) != register.size:
        raise Malformed
    return set_registers(target, decoded(register, given))


def _register(number: int) -> Register:
    if number >= len(REGISTERS):
        raise Malformed
    return REGISTERS[number]


def set_registers(target: Target, values: dict[str, int]) -> bytes:
    """By name. OK, or the answer where they cannot be set."""
    try:
        for name, value in values.items():
            target.set_register(name, value)
    except ValueError:
        return error(EPERM)
    return OK
