"""Sums of numbers and constants, computed here so that a range can be checked.

GNU as and Keystone rank operators differently (`8 << 1 + 1` is 17 to one, 32 to the other). So +, -
and * may be mixed; any other operator stands alone, or in parentheses.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping

NUMBER = r"(?:0x[0-9a-f]+|0b[01]+|0|[1-9][0-9]*|'(?:\\.|[^'\\])')"
NAME = r"(?:\.L|[A-Za-z_])[\w.]*"
"""Keystone never returns from some others: `$`, `.1`, a label `.else`."""

_TOKEN = re.compile(
    rf"\s*({NUMBER}(?![\w.$])|{NAME}|<<|>>|==|!=|<=|>=|[-+*&|^~()<>])", re.IGNORECASE
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_SUMS = frozenset("+-*")
_COMPARISONS: dict[str, Callable[[int, int], int]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt,
    ">": operator.gt, "<=": operator.le, ">=": operator.ge,
}  # fmt: skip
_OPERATORS: dict[str, Callable[[int, int], int]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "&": operator.and_,
    "|": operator.or_, "^": operator.xor, "<<": operator.lshift, ">>": operator.rshift,
    **_COMPARISONS,
}  # fmt: skip


def number(text: str) -> int:
    """16, 0x10, 0b101 or 'a'. ValueError for one that 64 bits cannot hold."""
    if text.startswith("'"):
        return ord(_ESCAPES.get(text[-2], text[-2]) if text[1] == "\\" else text[1])
    value = int(text, 0)
    if value >= 1 << 64:
        raise ValueError(f"{text} does not fit into 64 bits")
    return value


def value(text: str, names: Mapping[str, int], compare: bool = False) -> int:
    """What an expression comes to. ValueError says what is wrong with it.

    compare: whether == and its like may be used; what "true" is differs between assemblers.
    """
    tokens = _tokens(text)
    result = _Parser(tokens, names, compare).chunk()
    if tokens:
        raise ValueError(f"`{text.strip()}` is not understood from `{tokens[0]}` on")
    if not -(1 << 63) <= result < 1 << 64:
        raise ValueError(f"`{text.strip()}` does not fit into 64 bits")
    return result


def _tokens(text: str) -> list[str]:
    tokens, position = [], 0
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        if not match:
            raise ValueError(f"`{text[position:].strip()}` is not understood")
        tokens.append(match[1])
        position = match.end()
    return tokens


class _Parser:
    """Takes tokens from the front of a list."""

    def __init__(self, tokens: list[str], names: Mapping[str, int], compare: bool) -> None:
        self.tokens, self.names, self.compare = tokens, names, compare

    def chunk(self) -> int:
        """Operands and operators up to a closing parenthesis."""
        operands, operators = [self.operand()], []
        while self.tokens and self.tokens[0] in _OPERATORS:
            operators.append(self.tokens.pop(0))
            operands.append(self.operand())
        if len(operators) > 1 and not _SUMS.issuperset(operators):
            raise ValueError("assemblers rank operators differently: put parentheses")
        if not self.compare and not _COMPARISONS.keys().isdisjoint(operators):
            raise ValueError("a comparison belongs to .if")
        return _folded(operands, operators)

    def operand(self) -> int:
        token = self.tokens.pop(0) if self.tokens else ""
        if token in ("-", "~"):
            below = self.operand()
            return -below if token == "-" else ~below
        if token == "(":
            inside = self.chunk()
            if not self.tokens or self.tokens.pop(0) != ")":
                raise ValueError("parentheses do not match")
            return inside
        if re.fullmatch(NUMBER, token, re.IGNORECASE):
            return number(token)
        if token in self.names:
            return self.names[token]
        raise ValueError(
            f"`{token}` is no constant given above" if token else "a number is missing"
        )


def _folded(operands: list[int], operators: list[str]) -> int:
    sums, signs = [operands[0]], []
    for sign, operand in zip(operators, operands[1:], strict=True):
        if sign in "+-":
            signs.append(sign)
            sums.append(operand)
        else:
            sums.append(_applied(sign, sums.pop(), operand))
    result = sums[0]
    for sign, operand in zip(signs, sums[1:], strict=True):
        result = _applied(sign, result, operand)
    return result


def _applied(sign: str, left: int, right: int) -> int:
    if sign in ("<<", ">>") and not (0 <= right < 64 and left >= 0):
        raise ValueError("a shift is by 0 to 63, of a number that is not negative")
    return int(_OPERATORS[sign](left, right))
