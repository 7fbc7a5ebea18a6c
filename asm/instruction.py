"""The guard of one instruction: its prefix, its operands, its sizes and its ranges."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass

from asm import expression
from asm.expression import NAME, NUMBER
from asm.registers import HIGH_BYTES, INDEXABLE, REGISTERS, REX_ONLY, SEGMENT_REGISTERS, WIDE, bits
from asm.source import Statement, split_commas

BRANCH = re.compile(r"(call|j[a-z]+|loop[a-z]*)$")
SHORT_BRANCH = re.compile(r"(loop[a-z]*|j[er]?cxz)$")
"""They reach 127 bytes, and Keystone does not look how far it is."""

_REPEATS = frozenset("rep repe repz repne repnz".split())
_STRING = re.compile(r"(movs|stos|lods|scas|cmps|ins|outs)[bwdq]$")
_LOCKABLE = frozenset(
    "add adc and btc btr bts cmpxchg cmpxchg8b cmpxchg16b dec inc neg not or sbb sub xor xadd "
    "xchg".split()
)
_SIZES = {
    "byte": 8, "word": 16, "dword": 32, "qword": 64, "tbyte": 80, "xmmword": 128, "oword": 128,
}  # fmt: skip
_NO_SIZE = re.compile(
    r"(lea|prefetch\w*|invlpg|fxsave\w*|fxrstor\w*|cmpxchg(8|16)b|(ld|st)mxcsr|fn?stcw|fldcw|clflush\w*)$"
)
_NEEDS_SIZE = re.compile(r"(movzx|movsx|cvtsi2s[sd]|crc32)$")
"""The register beside the memory does not say how much is read."""

_MNEMONIC = re.compile(r"[a-z][a-z0-9]*$")
_NUMBER_ONLY = re.compile(rf"[-~]?\s*{NUMBER}$", re.IGNORECASE)
_NAME_FIRST = re.compile(rf"({NAME})\s*(?:[-+]\s*{NUMBER})?$", re.IGNORECASE)
_MEMORY = re.compile(rf"(?:({'|'.join(_SIZES)})\s+ptr\s*)?\[([^\[\]]*)\]$", re.IGNORECASE)
_SCALED = re.compile(r"(?:(\w+)\s*\*\s*([1248])|([1248])\s*\*\s*(\w+))$")
_POSITIVE = re.compile(rf"{NUMBER}$", re.IGNORECASE)
_UNARY = re.compile(rf"[-~]\s*\(?\s*{NAME}")

MINUS_LOST = (
    "Keystone loses the minus before a name, silently; "
    "give the final value a name of its own (.equ X, -32) and add it"
)


@dataclass(frozen=True, slots=True)
class Names:
    """What a name may mean. constants: those given above; later: those given below."""

    labels: Set[str]
    constants: Mapping[str, int]
    later: Set[str]

    def defined(self, name: str, statement: Statement) -> None:
        if name in self.labels or name in self.constants:
            return
        if name in self.later:
            raise statement.wrong(
                f"`{name}` is used above its .equ; Keystone would read 0: constants come first"
            )
        if name.lower() in REGISTERS:
            raise statement.wrong(f"the register `{name}` cannot stand here")
        raise statement.wrong(f"undefined name `{name}`")


def check(statement: Statement, names: Names) -> None:
    """Raises AssemblyError for an instruction that Keystone would misread."""
    word, operands = _without_prefix(statement)
    if not _MNEMONIC.match(word) or word in SEGMENT_REGISTERS:
        raise statement.wrong(f"`{word}` is no instruction")
    if any(not operand for operand in operands):
        raise statement.wrong("an operand is missing")
    for operand in operands:
        _operand(operand, word, names, statement)
    _sizes(word, operands, statement)
    _string_operands(word, operands, statement)
    _high_bytes(operands, statement)
    _ranges(word, operands, names, statement)


def _without_prefix(statement: Statement) -> tuple[str, list[str]]:
    prefix, word, rest = "", statement.word, statement.rest
    if word in _REPEATS or word == "lock":
        prefix = word
        word, _, rest = rest.partition(" ")
        word = word.lower()
        if not word:
            raise statement.wrong(f"`{prefix}` stands on the line of its instruction")
    operands = split_commas(rest)
    if prefix in _REPEATS and not _STRING.match(word) and (prefix, word) != ("rep", "ret"):
        raise statement.wrong(f"`{prefix}` belongs to a string instruction, not to `{word}`")
    changes_memory = "[" in "".join(operands if word == "xchg" else operands[:1])
    if prefix == "lock" and not (word in _LOCKABLE and changes_memory):
        raise statement.wrong("`lock` belongs to an instruction that changes memory")
    return word, operands


def _operand(operand: str, word: str, names: Names, statement: Statement) -> None:
    if operand.lower() in REGISTERS:
        return
    if _NUMBER_ONLY.match(operand):
        if BRANCH.match(word):
            raise statement.wrong("a jump goes to a label, a register or memory, not to a number")
    elif memory := _MEMORY.match(operand):
        _memory(memory[2], names, statement)
    elif name := _NAME_FIRST.match(operand):
        _name(name[1], operand, word, names, statement)
    else:
        raise statement.wrong(_unreadable(operand))


def _name(name: str, operand: str, word: str, names: Names, statement: Statement) -> None:
    names.defined(name, statement)
    is_label, is_branch = name in names.labels, bool(BRANCH.match(word))
    if is_label and not is_branch:
        raise statement.wrong(
            f"`{name}` is a label: write [rip + {name}], or lea to take its address"
        )
    if is_branch and (name != operand or not is_label):
        raise statement.wrong("a jump goes to a label, not to a place behind one")


def _memory(inside: str, names: Names, statement: Statement) -> None:
    if re.search(r"-\s*[A-Za-z_.$(~-]|~|\(", inside):
        raise statement.wrong(MINUS_LOST)
    terms = re.split(r"([-+])", inside)
    parts = [part.strip() for part in terms[::2]]
    signs = ["+", *terms[1::2]]
    if not parts[0] and len(parts) > 1:  # a sign in front
        del parts[0], signs[0]
    registers = [part.lower() for part in parts if part.lower() in (INDEXABLE | {"rip"})]
    scaled = [part for part in parts if _SCALED.match(part)]
    for part in parts:
        _memory_term(part, "rip" in registers, names, statement)
    if not registers and not scaled:
        raise statement.wrong("an absolute address: write [rip + label], or use a register")
    if "rip" in registers and len(registers) + len(scaled) > 1:
        raise statement.wrong("rip takes no other register: lea the address first")
    if "rip" in registers and not names.constants.keys().isdisjoint(parts):
        raise statement.wrong("Keystone loses the label beside a constant: write a number")
    if {"rsp", "esp"} & {*registers[1:]}:
        raise statement.wrong("rsp cannot be an index: write it first, as the base")
    if sum(part in names.constants for part in parts) > 1:
        raise statement.wrong(
            "of two names Keystone takes the last, silently; give their sum a name of its own"
        )
    _displacement(list(zip(signs, parts, strict=True)), names, statement)


def _memory_term(part: str, by_rip: bool, names: Names, statement: Statement) -> None:
    if part.lower() in INDEXABLE or part.lower() == "rip" or _POSITIVE.match(part):
        return
    if scaled := _SCALED.match(part):
        register = (scaled[1] or scaled[4]).lower()
        if register not in INDEXABLE:
            raise statement.wrong(f"only a register can be scaled, not `{part}`")
        if register in ("rsp", "esp"):
            raise statement.wrong("rsp cannot be scaled")
        return
    if not re.fullmatch(NAME, part):
        raise statement.wrong(_unreadable(part) if part else "an operand is missing")
    names.defined(part, statement)
    if part in names.labels and not by_rip:
        raise statement.wrong(f"`{part}` is a label: write [rip + {part}]")


def _displacement(terms: list[tuple[str, str]], names: Names, statement: Statement) -> None:
    """Keystone cuts it to 32 bits, silently. A label takes some of them for itself."""
    width, total = 32, 0
    for sign, part in terms:
        if part in names.labels:
            width = 30
        elif part in names.constants or _POSITIVE.match(part):
            total += (-1 if sign == "-" else 1) * _value(part, names, statement)
    if not _fits_signed(total, width):
        raise statement.wrong(f"an offset of {total:#x} does not fit into 32 bits")


def _sizes(word: str, operands: list[str], statement: Statement) -> None:
    memories = [match for text in operands if (match := _MEMORY.match(text))]
    if not memories or memories[0][1] or _NO_SIZE.match(word):
        return
    beside = any(operand.lower() in REGISTERS for operand in operands)
    if not beside or _NEEDS_SIZE.match(word):
        raise statement.wrong(
            f"the size is missing: write qword ptr {memories[0][0]}, or dword, word, byte"
        )


def _string_operands(word: str, operands: list[str], statement: Statement) -> None:
    """`movsd` and `cmpsd` are SSE instructions too."""
    vector = any(operand.lower().startswith("xmm") for operand in operands)
    if _STRING.match(word) and operands and not vector:
        raise statement.wrong(f"`{word}` always uses rdi, rsi and rax: write it without operands")


def _high_bytes(operands: list[str], statement: Statement) -> None:
    """Keystone ends the whole process at an encoding that does not exist."""
    lower = [operand.lower() for operand in operands]
    high = HIGH_BYTES.intersection(lower)
    inside = {word for operand in lower for word in re.findall(r"\w+", operand)}
    if high and (WIDE.intersection(lower) or REX_ONLY & inside):
        raise statement.wrong(f"`{min(high)}` cannot stand beside a register of x86-64 alone")


def _ranges(word: str, operands: list[str], names: Names, statement: Statement) -> None:
    """Keystone cuts a number that is too wide, silently."""
    for operand in operands:
        if operand.lower() in REGISTERS or _MEMORY.match(operand) or operand in names.labels:
            continue
        value = _value(operand, names, statement)
        width = _immediate_bits(word, operands)
        if width and not (-(1 << width - 1) <= value < 1 << width):
            raise statement.wrong(f"`{operand}` does not fit into {width} bits")
        if word == "push" and not _fits_signed(value, 32):
            raise statement.wrong(f"`{operand}` does not fit into 32 bits with a sign")
        if word == "push" and 0xFF80 <= value <= 0xFFFF:
            raise statement.wrong("Keystone pushes a negative number here, silently: mov it first")
        if word == "movq":
            raise statement.wrong("`movq` is for vector registers: write mov")


def _immediate_bits(word: str, operands: list[str]) -> int:
    """How wide a number may be, by what stands beside it; 0 where Keystone looks itself."""
    if word in ("ret", "enter"):
        return 16
    first = operands[0].lower()
    if memory := _MEMORY.match(first):
        size = _SIZES.get(memory[1] or "", 64)
        return size if size < 64 else 0
    width = bits(first)
    return width if width < 64 else 0


def _fits_signed(value: int, width: int) -> bool:
    return -(1 << width - 1) <= value < 1 << width - 1


def _value(text: str, names: Names, statement: Statement) -> int:
    try:
        return expression.value(text, names.constants)
    except ValueError as error:
        raise statement.wrong(str(error)) from None


def _unreadable(operand: str) -> str:
    if _UNARY.search(operand) or re.search(rf"-\s*{NAME}", operand):
        return MINUS_LOST
    return (
        f"`{operand}` is not understood: an operand is a register, memory, a number, "
        "a constant, or a constant + or - a number"
    )
