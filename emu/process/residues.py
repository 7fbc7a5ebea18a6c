"""What addresses are modulo 16, told by the registers at the entry of their block.

Whether an access is aligned is a matter of the low four bits of its address, and most of what code
does to an address makes low bits of low bits alone: it adds, scales, copies, and it does so with
32 bits as with 64. So an address in a block is a sum of registers as they were at its entry,
modulo 16; or it is not known, where it came from memory, or by some other way.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass

from emu.process.disassembly import Operand, Step

REGISTERS = "rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15".split()
"""In the hardware's order."""
MODULUS = 16
_LOW = MODULUS - 1
_WIDE_ENOUGH = (4, 8)
"""Bytes of a register whose low bits are an address's. A byte may be the second one."""


def _numbers() -> dict[str, int]:
    """Which register a name means, or a part of."""
    found = {}
    for number, name in enumerate(REGISTERS):
        plain = name[1:]
        if number >= 8:
            names = {name + size for size in ("", "d", "w", "b")}
        elif plain.endswith("x"):
            names = {name, f"e{plain}", plain, f"{plain[0]}l", f"{plain[0]}h"}
        else:
            names = {name, f"e{plain}", plain, f"{plain}l"}
        found.update(dict.fromkeys(names, number))
    return found


_NUMBERS = _numbers()
_RSP = _NUMBERS["rsp"]


@dataclass(frozen=True, slots=True)
class Sum:
    """constant + factor * register + ..., modulo 16; a factor for each of REGISTERS."""

    constant: int
    factors: tuple[int, ...] = (0,) * len(REGISTERS)

    @property
    def known(self) -> bool:
        """Whether no register matters."""
        return not any(self.factors)

    def __add__(self, other: Sum) -> Sum:
        factors = map(operator.add, self.factors, other.factors)
        return Sum(self.constant + other.constant & _LOW, tuple(f & _LOW for f in factors))

    def __mul__(self, factor: int) -> Sum:
        return Sum(self.constant * factor & _LOW, tuple(f * factor & _LOW for f in self.factors))


Maybe = Sum | None
"""None where it is not known."""


def _number(value: int) -> Sum:
    return Sum(value & _LOW)


_ZERO, _ONES = _number(0), _number(_LOW)


class Followed:
    """The registers while a block is followed from its entry, instruction by instruction."""

    def __init__(self) -> None:
        each = range(len(REGISTERS))
        self._values: list[Maybe] = [
            Sum(0, tuple(int(number == other) for other in each)) for number in each
        ]

    def address(self, place: Operand) -> Maybe:
        """An address that the next instruction states."""
        if place.segment in ("fs", "gs"):
            return None
        base = self._register(place.base) if place.base else _ZERO
        index = self._register(place.index) if place.index else _ZERO
        if base is None or index is None:
            return None
        return base + index * place.scale + _number(place.displacement)

    def take(self, step: Step) -> None:
        """The next instruction runs."""
        changes = self._changes(step)
        if changes is None:
            changes = self._lost(step)
        for number, value in changes.items():
            self._values[number] = value

    def _lost(self, step: Step) -> dict[int, Maybe]:
        """Registers that are not known any more, after a step of which no more can be told."""
        written = step.written
        if written is None:
            return dict.fromkeys(range(len(REGISTERS)))
        return {_NUMBERS[name]: None for name in written if name in _NUMBERS}

    def _changes(self, step: Step) -> dict[int, Maybe] | None:
        """Registers whose new values can be told; None where the step is of no such kind."""
        if step.name in _STACK:
            return self._stack(step)
        target = step.operands[0] if step.operands else ""
        if not isinstance(target, str) or target not in _NUMBERS:
            return None
        if step.name not in _RESULTS or step.sizes[0] not in _WIDE_ENOUGH:
            return None
        if len(step.operands) < _FEWEST.get(step.name, 1):
            return None
        return {_NUMBERS[target]: _RESULTS[step.name](self, step)}

    def _stack(self, step: Step) -> dict[int, Maybe] | None:
        """push and pop, of 8 bytes."""
        operand = step.operands[0]
        if step.sizes[0] != 8 or (isinstance(operand, str) and operand not in _NUMBERS):
            return None
        if step.name == "push":
            return {_RSP: _plus(self._values[_RSP], -8)}
        changes = {_RSP: _plus(self._values[_RSP], 8)}
        return changes | ({_NUMBERS[operand]: None} if isinstance(operand, str) else {})

    def _register(self, name: str) -> Maybe:
        number = _NUMBERS.get(name)
        return None if number is None else self._values[number]

    def value(self, step: Step, index: int) -> Maybe:
        """An operand's value before the step."""
        operand = step.operands[index]
        if isinstance(operand, int):
            return _number(operand)
        if isinstance(operand, str) and step.sizes[index] in _WIDE_ENOUGH:
            return self._register(operand)
        return None


def _plus(value: Maybe, number: int) -> Maybe:
    return None if value is None else value + _number(number)


# What the first operand is afterwards

_Result = Callable[[Followed, Step], Maybe]


def _of_two(rule: Callable[[Sum, Sum], Maybe]) -> _Result:
    def result(before: Followed, step: Step) -> Maybe:
        left, right = (before.value(step, index) for index in (-2, -1))
        return None if left is None or right is None else rule(left, right)

    return result


def _of_one(rule: Callable[[Sum], Maybe]) -> _Result:
    def result(before: Followed, step: Step) -> Maybe:
        value = before.value(step, -1)
        return None if value is None else rule(value)

    return result


def _lea(before: Followed, step: Step) -> Maybe:
    place = step.operands[1]
    return before.address(place) if isinstance(place, Operand) else None


def _shifted(before: Followed, step: Step) -> Maybe:
    value, count = before.value(step, 0), step.operands[-1]
    if value is None or not isinstance(count, int):
        return None
    return value * (1 << (count & (8 * step.sizes[0] - 1)))


def _product(left: Sum, right: Sum) -> Maybe:
    if right.known:
        return left * right.constant
    return right * left.constant if left.known else None


def _and(left: Sum, right: Sum) -> Maybe:
    for one, other in ((left, right), (right, left)):
        if one == _ZERO or other in (_ONES, one):
            return one
    return None


def _or(left: Sum, right: Sum) -> Maybe:
    for one, other in ((left, right), (right, left)):
        if one == _ONES or other in (_ZERO, one):
            return one
    return None


def _xor(left: Sum, right: Sum) -> Maybe:
    if left == right:
        return _ZERO
    return _or(left, right) if _ZERO in (left, right) else None


_STACK = {"push", "pop"}
_RESULTS: dict[str, _Result] = {
    "mov": _of_one(lambda value: value),
    "movabs": _of_one(lambda value: value),
    "movsxd": _of_one(lambda value: value),
    "lea": _lea,
    "add": _of_two(operator.add),
    "sub": _of_two(lambda left, right: left + right * -1),
    "inc": _of_one(lambda value: value + _number(1)),
    "dec": _of_one(lambda value: value + _number(-1)),
    "neg": _of_one(lambda value: value * -1),
    "not": _of_one(lambda value: value * -1 + _ONES),
    "shl": _shifted,
    "sal": _shifted,
    "and": _of_two(_and),
    "or": _of_two(_or),
    "xor": _of_two(_xor),
    "imul": _of_two(_product),
}
_FEWEST = {"imul": 2}
"""Operands; with one, imul writes rax and rdx."""
