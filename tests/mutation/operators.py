"""What can be done to one statement of assembly, so that another program comes out.

Each operator is given a Statement and what is around it, and gives texts to stand in its place. The
texts need not assemble, and need not mean something else: both is found out later.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from asm.expression import NAME
from asm.source import Statement, split_commas


@dataclass(frozen=True)
class Around:
    """What a statement may be confused with.

    fields: constants of a header's fields. variables: labels in .data. targets: local labels of the
    same function. functions: other labels of the text.
    """

    fields: Sequence[str]
    variables: Sequence[str]
    targets: Sequence[str]
    functions: Sequence[str]


Operator = Callable[[Statement, Around], Iterator[str]]

_NEGATED = {"e": "ne", "z": "nz", "b": "ae", "c": "nc", "a": "be", "l": "ge", "g": "le", "s": "ns"}
_NEGATED |= {negated: condition for condition, negated in _NEGATED.items()}
_EDGE = {"b": "be", "a": "ae", "l": "le", "g": "ge"}
_EDGE |= {edge: condition for condition, edge in _EDGE.items()}
_SIGNED = {"b": "l", "be": "le", "a": "g", "ae": "ge"}
_CONDITIONAL = re.compile(r"(j|cmov|set)(n?[a-z]{1,2})$")

_OPPOSITE = {
    "add": ["sub"], "sub": ["add"], "and": ["or"], "or": ["and"], "xor": ["or", "mov"],
    "shr": ["shl", "sar"], "shl": ["shr"], "mov": ["lea", "xchg"], "lea": ["mov"],
    "cmp": ["test"], "test": ["cmp"], "mul": ["imul"], "jmp": ["call"], "call": ["jmp"],
    "inc": ["dec"], "dec": ["inc"], "push": ["pop"], "pop": ["push"], "bsf": ["bsr"],
    "bsr": ["bsf"], "tzcnt": ["lzcnt"], "lzcnt": ["tzcnt"], "bts": ["btr"], "btr": ["bts"],
    "adc": ["add"], "sbb": ["sub"], "not": ["neg"], "neg": ["not"], "jnc": ["jmp"],
}  # fmt: skip
_STRING = re.compile(r"(stos|movs|lods|scas|cmps)([bwdq])$")

_FAMILIES = [
    ("rax", "eax", "ax", "al"), ("rcx", "ecx", "cx", "cl"), ("rdx", "edx", "dx", "dl"),
    ("rbx", "ebx", "bx", "bl"), ("rsi", "esi", "si", "sil"), ("rdi", "edi", "di", "dil"),
    ("rbp", "ebp", "bp", "bpl"),
    *((f"r{n}", f"r{n}d", f"r{n}w", f"r{n}b") for n in range(8, 16)),
]  # fmt: skip
_PLACE = {name: (family, width) for family, names in enumerate(_FAMILIES)
          for width, name in enumerate(names)}  # fmt: skip
_REGISTER = re.compile(rf"\b({'|'.join(sorted(_PLACE, key=len, reverse=True))})\b")
_NUMBER = re.compile(r"-?(0x[0-9a-f]+|\d+)$", re.IGNORECASE)
_SIZES = {"qword": ["dword"], "dword": ["qword", "word"], "word": ["byte"], "byte": ["word"]}
_BY = (1, -1, 8, -8)


def conditions(statement: Statement, around: Around) -> Iterator[str]:
    """The other condition; with the edge, or without; of signed numbers."""
    match = _CONDITIONAL.match(statement.word)
    if match and match[2] != "mp":
        for table in (_NEGATED, _EDGE, _SIGNED):
            if match[2] in table:
                yield f"{match[1]}{table[match[2]]} {statement.rest}"
        if match[1] == "j":
            yield f"jmp {statement.rest}"


def instructions(statement: Statement, around: Around) -> Iterator[str]:
    """Another instruction with the same operands."""
    for other in _OPPOSITE.get(statement.word, ()):
        yield f"{other} {statement.rest}"
    if match := _STRING.match(statement.rest or statement.word):
        prefix = f"{statement.word} " if statement.rest else ""
        yield from (f"{prefix}{match[1]}{width}" for width in "bwdq" if width != match[2])
        if prefix:
            yield match[0]


def dropped(statement: Statement, around: Around) -> Iterator[str]:
    """No instruction at all."""
    yield ""


def constants(statement: Statement, around: Around) -> Iterator[str]:
    """Numbers and named constants, one or eight more or less: operands, and what .equ gives."""
    operands = split_commas(statement.rest)
    for at, operand in enumerate(operands):
        if statement.word in (".equ", ".set") and at == 0:
            continue
        if _NUMBER.match(operand):
            values = [str(int(operand, 0) + by) for by in _BY]
        elif re.fullmatch(NAME, operand) and operand.isupper() and operand.lower() not in _PLACE:
            values = [f"{operand} {'+' if by > 0 else '-'} {abs(by)}" for by in _BY]
        else:
            continue
        yield from (_with(statement, operands, at, value) for value in values)


def fields(statement: Statement, around: Around) -> Iterator[str]:
    """Memory elsewhere: another field, another variable, one or eight bytes off."""
    for match in re.finditer(r"\[([^\]]*)\]", statement.body):
        terms = [term.strip() for term in match[1].split("+")]
        for names in (around.fields, around.variables):
            for at, term in enumerate(terms):
                for other in (name for name in names if term in names and name != term):
                    inside = " + ".join([*terms[:at], other, *terms[at + 1 :]])
                    yield _replaced(statement.body, match.span(1), inside)
        for off in ("+ 1", "+ 8", "- 8"):
            yield _replaced(statement.body, match.span(1), f"{match[1]} {off}")
        without = [term for term in terms if _REGISTER.fullmatch(term)]
        if len(without) < len(terms) and without:
            yield _replaced(statement.body, match.span(1), " + ".join(without))


def registers(statement: Statement, around: Around) -> Iterator[str]:
    """Another register, of the same width, in one place; both operands exchanged."""
    for match in _REGISTER.finditer(statement.body, len(statement.word)):
        family, width = _PLACE[match[1]]
        for step in (1, 2, 5):
            other = _FAMILIES[(family + step) % 6][width]
            if other != match[1]:
                yield _replaced(statement.body, match.span(), other)
    operands = split_commas(statement.rest)
    if len(operands) == 2:
        yield f"{statement.word} {operands[1]}, {operands[0]}"


def widths(statement: Statement, around: Around) -> Iterator[str]:
    """Fewer bits, or more."""
    for size, others in _SIZES.items():
        if re.search(rf"\b{size} ptr", statement.body):
            yield from (statement.body.replace(f"{size} ptr", f"{o} ptr") for o in others)
    outside = re.sub(r"\[[^\]]*\]", lambda match: "_" * len(match[0]), statement.body)
    found = list(_REGISTER.finditer(outside, len(statement.word)))
    for width in {_PLACE[match[1]][1] for match in found}:
        for other in {0: (1,), 1: (0, 2), 2: (1,), 3: (1,)}[width]:
            body = statement.body
            for match in reversed(found):
                family, now = _PLACE[match[1]]
                if now == width:
                    body = _replaced(body, match.span(), _FAMILIES[family][other])
            yield body


def targets(statement: Statement, around: Around) -> Iterator[str]:
    """A jump, or a call, to somewhere else."""
    if re.match(r"(j[a-z]+|call|loop[a-z]*)$", statement.word):
        for names in (around.targets, around.functions):
            if statement.rest in names:
                at = list(names).index(statement.rest)
                near = [*names[max(0, at - 1) : at], *names[at + 1 : at + 2]]
                yield from (f"{statement.word} {name}" for name in near)


OPERATORS: dict[str, Operator] = {
    operator.__name__: operator
    for operator in (
        conditions, instructions, dropped, constants, fields, registers, widths, targets,
    )
}  # fmt: skip


def _with(statement: Statement, operands: list[str], at: int, value: str) -> str:
    return f"{statement.word} {', '.join([*operands[:at], value, *operands[at + 1 :]])}"


def _replaced(text: str, span: tuple[int, int], new: str) -> str:
    return text[: span[0]] + new + text[span[1] :]
