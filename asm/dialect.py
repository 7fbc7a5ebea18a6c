"""The dialect: what a statement may say, so that Keystone cannot misread it.

Keystone 0.9.2 drops minus signs, reads names as 0, skips directives and leaves brackets open
without a word. So a line is let through only in forms that GNU as and Keystone read alike (a test
compares them); any other is refused with the reason and what to write instead.

    number      16, 0x10, 0b101, 'a'; also -16 and ~7
    constant    a name given by .equ in a line above
    immediate   number, constant, constant + number, constant - number
    memory      qword ptr [base + index*8 + constant + number], or [rip + label + number]
    target      a label, a register or memory, behind call, jmp, jcc and loop
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import pairwise

from asm.errors import AssemblyError
from asm.source import Statement, blank_strings

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
_UNDERSTOOD = (
    DATA_DIRECTIVES | ALIGN_DIRECTIVES | CONSTANT_DIRECTIVES | set(OPENING) | set(OPENING.values())
) | (INNER | set(SEGMENTS) | SILENT | {".include"})

_64 = "rax rbx rcx rdx rsi rdi rbp rsp".split() + [f"r{n}" for n in range(8, 16)]
_SMALLER = "eax ebx ecx edx esi edi ebp esp ax bx cx dx si di bp sp al bl cl dl sil dil bpl spl"
_SMALLER += " ah bh ch dh " + " ".join(f"r{n}{w}" for n in range(8, 16) for w in "dwb")
_INDEXABLE = frozenset(_64) | frozenset("eax ebx ecx edx esi edi ebp esp".split())
_SEGMENT_REGISTERS = frozenset("cs ds es fs gs ss".split())
REGISTERS = (
    frozenset(_64)
    | frozenset(_SMALLER.split())
    | frozenset(f"{kind}{n}" for kind in ("xmm", "ymm") for n in range(16))
    | frozenset(f"mm{n}" for n in range(8))
    | frozenset({"st"} | {f"st({n})" for n in range(8)})
    | _SEGMENT_REGISTERS
)
_PREFIXES = frozenset("rep repe repz repne repnz lock".split())
_SIZES = "byte|word|dword|qword|tbyte|xmmword|oword"
_BRANCH = re.compile(r"(call|j[a-z]+|loop[a-z]*)$")
_NO_SIZE = re.compile(
    r"(lea|prefetch\w*|invlpg|fxsave\w*|fxrstor\w*|cmpxchg(8|16)b|(ld|st)mxcsr|fn?stcw|fldcw|clflush\w*)$"
)

_NUMBER = r"(?:0x[0-9a-f]+|0b[01]+|0|[1-9][0-9]*|'(?:\\.|[^'\\])')"
_NAME = r"[A-Za-z_.$][\w.$]*"
_NUMBER_ONLY = re.compile(rf"[-~]?\s*{_NUMBER}$", re.IGNORECASE)
_NAME_FIRST = re.compile(rf"({_NAME})\s*(?:[-+]\s*{_NUMBER})?$", re.IGNORECASE)
_MEMORY = re.compile(rf"(?:({_SIZES})\s+ptr\s*)?\[([^\[\]]*)\]$", re.IGNORECASE)
_SCALED = re.compile(r"(?:(\w+)\s*\*\s*([1248])|([1248])\s*\*\s*(\w+))$")
_WORDS = re.compile(rf"(?<![\w.$]){_NAME}")
_POSITIVE = re.compile(rf"{_NUMBER}$", re.IGNORECASE)
_UNARY = re.compile(rf"[-~]\s*\(?\s*{_NAME}")

MINUS_LOST = (
    "Keystone loses the minus before a name, silently; "
    "give the final value a name of its own (.equ X, -32) and add it"
)


class Dialect:
    """The guard, fed with statements in the order in which Keystone will read them.

    labels: every label of the program. constants: every name that some .equ gives.
    """

    def __init__(self, labels: Iterable[str], constants: Iterable[str]) -> None:
        self.labels = frozenset(labels)
        self.constants = frozenset(constants)
        self.known: set[str] = set()
        """Constants whose .equ has been passed."""

    def check(self, statement: Statement) -> None:
        """Raises AssemblyError for a statement that Keystone would misread or not understand."""
        body = blank_strings(statement.body)
        if reason := _refused(statement.word, body):
            raise statement.wrong(reason)
        if "\\" in body:  # a macro's parameters: seen by Keystone alone
            return
        if statement.word.startswith("."):
            self._directive(statement)
        elif statement.body:
            self._instruction(statement)

    def _directive(self, statement: Statement) -> None:
        word, rest = statement.word, blank_strings(statement.rest)
        if word not in _UNDERSTOOD:
            raise statement.wrong(f"unknown directive `{word}`")
        if word in CONSTANT_DIRECTIVES:
            self._constant(statement)
        elif word in DATA_DIRECTIVES and word not in {".ascii", ".asciz", ".string"}:
            for name in _WORDS.findall(rest):
                self._defined(name, statement)
        elif word == ".intel_syntax" and rest != "noprefix":
            raise statement.wrong("registers are written without %: .intel_syntax noprefix")

    def _constant(self, statement: Statement) -> None:
        name, comma, value = (part.strip() for part in statement.rest.partition(","))
        if not re.fullmatch(_NAME, name) or not comma or not value:
            raise statement.wrong("a name and a value are expected: .equ NAME, 16")
        if name.lower() in REGISTERS:
            raise statement.wrong(f"`{name}` is a register")
        if name in self.known:
            raise statement.wrong(f"`{name}` has a value already")
        for used in _WORDS.findall(blank_strings(value)):
            if used not in self.known:
                raise statement.wrong(f"`{used}` is no constant given above")
        self.known.add(name)

    def _instruction(self, statement: Statement) -> None:
        word, rest = statement.word, statement.rest
        while word in _PREFIXES and rest:
            word, _, rest = rest.partition(" ")
            word = word.lower()
        operands = split_operands(rest)
        if any(not operand for operand in operands):
            raise statement.wrong("an operand is missing")
        for operand in operands:
            self._operand(operand, word, statement)
        self._sizes(word, operands, statement)

    def _operand(self, operand: str, word: str, statement: Statement) -> None:
        if operand.lower() in REGISTERS or _NUMBER_ONLY.match(operand):
            return
        if memory := _MEMORY.match(operand):
            self._memory(memory[2], statement)
        elif name := _NAME_FIRST.match(operand):
            self._name(name[1], operand, word, statement)
        else:
            raise statement.wrong(_unreadable(operand))

    def _name(self, name: str, operand: str, word: str, statement: Statement) -> None:
        self._defined(name, statement)
        if name in self.labels:
            if not _BRANCH.match(word):
                raise statement.wrong(
                    f"`{name}` is a label: write [rip + {name}], or lea to take its address"
                )
            if name != operand:
                raise statement.wrong("a jump goes to a label, not to a place behind one")

    def _memory(self, inside: str, statement: Statement) -> None:
        if re.search(r"-\s*[A-Za-z_.$(~-]|~|\(", inside):
            raise statement.wrong(MINUS_LOST)
        terms = re.split(r"([-+])", inside)
        parts = [part.strip() for part in terms[::2]]
        if not parts[0] and len(parts) > 1:  # a sign in front
            parts.pop(0)
        registers = [part.lower() for part in parts if part.lower() in (_INDEXABLE | {"rip"})]
        for part in parts:
            self._memory_term(part, "rip" in registers, statement)
        if not registers and not any(_SCALED.match(part) for part in parts):
            raise statement.wrong("an absolute address: write [rip + label], or use a register")

    def _memory_term(self, part: str, by_rip: bool, statement: Statement) -> None:
        if part.lower() in _INDEXABLE or part.lower() == "rip" or _POSITIVE.match(part):
            return
        if scaled := _SCALED.match(part):
            register = (scaled[1] or scaled[4]).lower()
            if register in _INDEXABLE:
                return
            raise statement.wrong(f"only a register can be scaled, not `{part}`")
        if not re.fullmatch(_NAME, part):
            raise statement.wrong(_unreadable(part) if part else "an operand is missing")
        self._defined(part, statement)
        if part in self.labels and not by_rip:
            raise statement.wrong(f"`{part}` is a label: write [rip + {part}]")

    def _defined(self, name: str, statement: Statement) -> None:
        if name in self.labels or name in self.known:
            return
        if name in self.constants:
            raise statement.wrong(
                f"`{name}` is used above its .equ; Keystone would read 0: constants come first"
            )
        if name.lower() in REGISTERS:
            raise statement.wrong(f"the register `{name}` cannot stand here")
        raise statement.wrong(f"undefined name `{name}`")

    def _sizes(self, word: str, operands: list[str], statement: Statement) -> None:
        memories = [match for text in operands if (match := _MEMORY.match(text))]
        if not memories or memories[0][1] or _NO_SIZE.match(word):
            return
        if not any(operand.lower() in REGISTERS for operand in operands):
            raise statement.wrong(
                f"the size is missing: write qword ptr {memories[0][0]}, or dword, word, byte"
            )


def split_operands(text: str) -> list[str]:
    """The operands of an instruction, at the commas."""
    if not text.strip():
        return []
    blanked = blank_strings(text)
    cuts = [-1, *(i for i, letter in enumerate(blanked) if letter == ","), len(text)]
    return [text[a + 1 : b].strip() for a, b in pairwise(cuts)]


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


def _unreadable(operand: str) -> str:
    if _UNARY.search(operand) or re.search(rf"-\s*{_NAME}", operand):
        return MINUS_LOST
    return (
        f"`{operand}` is not understood: an operand is a register, memory, a number, "
        "a constant, or a constant + or - a number"
    )
