"""The dialect: what a statement may say, so that Keystone cannot misread it.

Keystone 0.9.2 drops minus signs, reads names as 0, skips directives and leaves brackets open
without a word. So a line is let through only in forms that GNU as and Keystone read alike (a test
compares them); any other is refused with the reason and what to write instead.

    number      16, 0x10, 0b101, 'a'; also -16 and ~7
    constant    a name given by .equ in a line above; its value is an expression (expression.py)
    immediate   number, constant, constant + number, constant - number
    memory      qword ptr [base + index*8 + constant + number], or [rip + label + number]
    target      a label, a register or memory, behind call, jmp, jcc and loop
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable

from asm import expression, instruction
from asm.expression import NAME
from asm.macros import Macro
from asm.registers import RESERVED
from asm.source import Statement, blank_strings, split_commas

DATA_DIRECTIVES = frozenset(
    ".byte .word .short .long .int .quad .zero .skip .space .ascii .asciz .string".split()
)
ALIGN_DIRECTIVES = frozenset({".p2align", ".align", ".balign"})
CONSTANT_DIRECTIVES = frozenset({".equ", ".set"})
OPENING = {".macro": ".endm", ".rept": ".endr", ".if": ".endif", ".ifdef": ".endif"}
OPENING |= {".ifndef": ".endif"}
INNER = frozenset({".else", ".elseif"})
SEGMENTS = {".text": "text", ".data": "data"}
SILENT = frozenset({".globl", ".global", ".type", ".size", ".intel_syntax"})
"""Understood here and not handed on."""

_REFUSED = {
    ".section": "Keystone drops everything behind it; there are .text and .data",
    ".bss": "there are .text and .data; write .data and .zero",
    ".org": "Keystone does not know it; write .zero or .p2align",
    ".att_syntax": "the source is in Intel syntax",
    ".comm": "write a label in .data and .zero",
    "endbr64": "Keystone does not know it; leave it out",
}
_STRINGS = frozenset({".ascii", ".asciz", ".string"})
_FILLS = frozenset({".zero", ".skip", ".space"})
WIDTHS = {".byte": 8, ".word": 16, ".short": 16, ".long": 32, ".int": 32, ".quad": 64}
_TESTS = frozenset({".if", ".elseif"})
_ALONE = frozenset({".else", *OPENING.values()})
_UNDERSTOOD = (
    DATA_DIRECTIVES | ALIGN_DIRECTIVES | CONSTANT_DIRECTIVES | set(OPENING) | set(OPENING.values())
) | (INNER | set(SEGMENTS) | SILENT | {".include"})

_TEXT = re.compile(r'"(?:[^"\\]|\\[\\"nrtbf]|\\[0-7]{1,3})*"$')
_LABEL_AND_NUMBER = re.compile(rf"({NAME})\s*(?:([-+])(.+))?$")
_LARGEST = 1 << 24
"""Bytes of data, and lines after .rept and macros: more is taken for a mistake."""
_DEEPEST = 16


class Dialect:
    """The guard, fed with statements in the order in which Keystone will read them.

    labels: every label of the program. constants: every name that some .equ gives.
    """

    def __init__(self, labels: Iterable[str], constants: Iterable[str]) -> None:
        self.labels = set(labels)
        self.constants = frozenset(constants)
        self.known: dict[str, int] = {}
        """Constants whose .equ has been passed, with their values."""
        self.macros: dict[str, Macro] = {}
        self.labels_of_macros: list[str] = []
        self._begun: Macro | None = None
        self._depth = 0
        self._repeats: list[int] = []
        self._made = 0
        self._names = instruction.Names(self.labels, self.known, self.constants)

    def check(self, statement: Statement) -> None:
        """Raises AssemblyError for a statement that Keystone would misread or not understand."""
        if not statement.body.isascii() or not statement.body.isprintable():
            raise statement.wrong("only ASCII can be assembled; other letters go into comments")
        if reason := _refused(statement.word, blank_strings(statement.body)):
            raise statement.wrong(reason)
        if self._begun or statement.word == ".macro":
            self._record(statement)
        elif statement.body:
            self._check(statement)

    def _record(self, statement: Statement) -> None:
        """A macro is checked where it is used, with what it is given."""
        if not self._begun:
            self._begun = Macro.begun(statement)
            if self._begun.name in self.macros:
                raise statement.wrong(f"the macro `{self._begun.name}` is there already")
        elif statement.word == ".macro":
            raise statement.wrong("a macro cannot be defined inside another")
        elif statement.word == ".endm":
            if statement.rest:
                raise statement.wrong("nothing stands behind `.endm`")
            self.macros[self._begun.name] = self._begun
            self._begun = None
        else:
            self._begun.body.append(statement)

    def _check(self, statement: Statement) -> None:
        self._count(1, statement)
        if "\\" in blank_strings(statement.body):
            raise statement.wrong("`\\` names a macro's parameter, and this is no macro")
        if macro := self.macros.get(statement.body.split()[0]):
            self._expand(macro, statement)
        elif statement.word.startswith("."):
            self._directive(statement)
        else:
            instruction.check(statement, self._names)

    def _expand(self, macro: Macro, invocation: Statement) -> None:
        if self._depth == _DEEPEST:
            raise invocation.wrong("macros that use macros that use ..: too deep")
        self._depth += 1
        lines = macro.expanded(invocation)
        for label in (label for line in lines for label in line.labels):
            if label in self.labels:
                raise invocation.wrong(
                    f"`{label}` is defined already: pass the macro a name for it"
                )
            self.labels.add(label)
            self.labels_of_macros.append(label)
        for line in lines:
            if reason := _refused(line.word, blank_strings(line.body)):
                raise line.wrong(reason)
            if line.body:
                self._check(line)
        self._depth -= 1

    def _directive(self, statement: Statement) -> None:
        word, rest = statement.word, statement.rest
        if word not in _UNDERSTOOD:
            raise statement.wrong(f"unknown directive `{word}`")
        if word in CONSTANT_DIRECTIVES:
            self._constant(statement)
        elif word in _STRINGS:
            self._strings(statement)
        elif word in _FILLS:
            self._fill(statement)
        elif word in DATA_DIRECTIVES:
            self._data(statement)
        elif word in ALIGN_DIRECTIVES:
            self._align(statement)
        elif word == ".rept":
            self._repeats.append(self._number(rest, statement, 0, _LARGEST))
        elif word in _ALONE and rest:
            raise statement.wrong(f"nothing stands behind `{word}`")
        elif word == ".endr":
            del self._repeats[-1:]
        elif word in _TESTS:
            self._value(rest, statement, compare=True)
        elif word in (".ifdef", ".ifndef") and not re.fullmatch(NAME, rest):
            raise statement.wrong(f"a name is expected: {word} NAME")
        elif word == ".intel_syntax" and rest != "noprefix":
            raise statement.wrong("registers are written without %: .intel_syntax noprefix")

    def _constant(self, statement: Statement) -> None:
        name, comma, value = (part.strip() for part in statement.rest.partition(","))
        if not re.fullmatch(NAME, name) or not comma or not value:
            raise statement.wrong("a name and a value are expected: .equ NAME, 16")
        if name.lower() in RESERVED:
            raise statement.wrong(f"`{name}` is a register or a word of the syntax")
        if name in self.known or name in self.labels:
            raise statement.wrong(f"`{name}` has a value already")
        self.known[name] = self._value(value, statement)

    def _strings(self, statement: Statement) -> None:
        for text in split_commas(statement.rest):
            if not _TEXT.match(text):
                raise statement.wrong(
                    'a text in quotes is expected; other letters are written \\n, \\t, \\" or \\101'
                )

    def _fill(self, statement: Statement) -> None:
        count, *byte = split_commas(statement.rest) or [""]
        self._count(self._number(count, statement, 0, _LARGEST), statement)
        for value in byte:
            self._number(value, statement, 0, 255)

    def _data(self, statement: Statement) -> None:
        width = WIDTHS[statement.word]
        for value in split_commas(statement.rest):
            match = _LABEL_AND_NUMBER.match(value)
            if match and match[1] in self.labels:
                if width != 64:
                    raise statement.wrong(f"an address has 64 bits: .quad {value}")
                if match[2] != "-" or match[3].strip() not in self.labels:
                    self._number(match[3] or "0", statement, 0, (1 << 31) - 1)
            else:
                self._number(value, statement, -(1 << width - 1), (1 << width) - 1)

    def _align(self, statement: Statement) -> None:
        """Beyond a page, places would depend on where the program is loaded."""
        count, *_ = split_commas(statement.rest) or [""]
        if statement.word == ".p2align":
            self._number(count, statement, 0, 12)
        elif self._number(count, statement, 1, 4096).bit_count() != 1:
            raise statement.wrong(f"{count} is no power of two")

    def _number(self, text: str, statement: Statement, low: int, high: int) -> int:
        value = self._value(text, statement)
        if not low <= value <= high:
            raise statement.wrong(f"`{text}` is not between {low} and {high}")
        return value

    def _value(self, text: str, statement: Statement, compare: bool = False) -> int:
        for name in _NAMES.findall(blank_strings(text)):
            if name not in self.known:
                self._names.defined(name, statement)
                raise statement.wrong(f"the label `{name}` cannot stand here")
        try:
            return expression.value(text, self.known, compare)
        except ValueError as error:
            raise statement.wrong(str(error)) from None

    def _count(self, made: int, statement: Statement) -> None:
        self._made += made * math.prod(self._repeats)
        if self._made > _LARGEST:
            raise statement.wrong("the program grows beyond every measure here")


_NAMES = re.compile(rf"(?<![\w.$']){NAME}")


def _refused(word: str, body: str) -> str | None:
    """The reason against a whole statement, if there is one."""
    if word in _REFUSED:
        return f"`{word}` is not for this assembler: {_REFUSED[word]}"
    for hint, fires in _TRAPS:
        if fires(body):
            return hint
    return None


def _searcher(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern, re.IGNORECASE)
    return lambda body: bool(compiled.search(body))


_TRAPS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("`;` separates statements here: one statement a line, comments begin with #", _searcher(";")),
    ("comments begin with #", _searcher(r"//|/\*")),
    ("Keystone leaves the macro empty at `\\@`, silently; pass a label in", _searcher(r"\\@")),
    ("brackets do not match", lambda body: body.count("[") != body.count("]")),
    ("a string is not closed", lambda body: body.count('"') % 2 == 1),
    (
        "a segment override: Keystone reads it as an address near rip, silently",
        _searcher(r"\b[cdefgs]s\s*:"),
    ),
    ("`offset` is not understood: lea with [rip + label]", _searcher(r"\boffset\b")),
    ("`short`, `near` and `far` are not understood: the jump finds its length",
     _searcher(r"^\S+\s+(short|near|far)\b")),
    ("numbered labels are not understood: write .Lname", _searcher(r"(^|[\s,])\d+[bf]\s*$")),
    ("registers are written without %", _searcher(r"%\w")),
    ("a number is written 0x10, not 10h", _searcher(r"(?<![\w.$])\d[0-9a-f]*h\b")),
    ("a number with a leading 0 may mean octal: write 0x or leave it out",
     _searcher(r"(?<![\w.$'])0\d")),
)  # fmt: skip
