"""Files to Image, through Keystone. The only import of keystone.

Keystone takes one text and answers with its bytes: no segments, no symbols, no lines. All three
are read from a footer of `.quad label`, with a label of ours before every line that makes bytes;
neither changes a byte of the program.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from asm import dialect, source
from asm.errors import AssemblyError
from asm.image import Image, Segment, SourceLine
from asm.instruction import SHORT_BRANCH
from asm.registers import RESERVED
from asm.source import Statement

BASE = 0x400000
"""Where Linux puts a program that is not position-independent."""

_PAGE = 4096
_TEXT_END, _DATA, _DATA_END, _FOOTER = "__text_end", "__data", "__data_end", "__footer"


def assemble(path: Path, base: int = BASE) -> Image:
    """The program that begins in a file, as an Image at `base` (a multiple of the page).

    AssemblyError says which line cannot be assembled, and why.
    """
    path = path.resolve()
    return _Program(path, source.read(path)).image(base)


@lru_cache(maxsize=64)
def assemble_cached(path: Path, stamp: object = None) -> Image:
    """`assemble`, remembered; `stamp` tells versions of the same file apart."""
    return assemble(path)


@dataclass
class _Unit:
    """Statements that only make sense together: one line, or a whole .macro, .rept or .if."""

    statements: list[Statement]
    segment: str
    number: int

    @property
    def first(self) -> Statement:
        return self.statements[0]

    @property
    def conditional(self) -> bool:
        return self.first.word.startswith(".if")

    @property
    def marks(self) -> bool:
        """Whether a label of ours before it says where its bytes are."""
        return self.first.word not in _NO_BYTES and bool(self.first.body)

    @property
    def mark(self) -> str:
        return f"__line_{self.number}"

    def text(self) -> str:
        lines = [f"{self.mark}:"] if self.marks else []
        for statement in self.statements:
            lines += [f"{label}:" for label in statement.labels]
            if statement.body:
                lines.append(statement.body + self._fill(statement))
        return "\n".join(lines)

    def _fill(self, statement: Statement) -> str:
        """Keystone fills gaps with `nop`; between data there are zeros."""
        gap = self.segment == "data" and statement.word in dialect.ALIGN_DIRECTIVES
        return ", 0" if gap and "," not in statement.rest else ""


_NO_BYTES = dialect.CONSTANT_DIRECTIVES | {".macro"}


@dataclass
class _Program:
    path: Path
    statements: list[Statement]
    exported: set[str] = field(default_factory=set)

    def image(self, base: int) -> Image:
        if base % _PAGE:
            raise ValueError(f"base {base:#x} is not a multiple of the page")
        labels = self._labels()
        self._guard(labels)
        units = self._units()
        text = _joined(units, "text")
        data = _joined(units, "data")
        marked = [unit for unit in units if unit.marks]
        wanted = [_TEXT_END, _DATA, _DATA_END, *labels, *(unit.mark for unit in marked)]
        whole = "\n".join(
            [text, f"{_TEXT_END}:", ".p2align 12", f"{_DATA}:", data, f"{_DATA_END}:",
             ".p2align 3", f"{_FOOTER}:", *map(_footer_entry, wanted)]
        )  # fmt: skip
        code = _keystone(whole, base)
        if code is None:
            raise self._locate(units, labels)
        addresses = dict(zip(wanted, _footer(code, len(wanted)), strict=True))
        _check_short_branches(units, addresses)
        return self._build(code, base, labels, marked, addresses)

    def _build(
        self,
        code: bytes,
        base: int,
        labels: list[str],
        marked: list[_Unit],
        addresses: dict[str, int],
    ) -> Image:
        text_end, data, data_end = (addresses[n] - base for n in (_TEXT_END, _DATA, _DATA_END))
        segments = [Segment("text", base, code[:text_end], writable=False, executable=True)]
        if data_end > data:
            here = code[data:data_end]
            segments.append(Segment("data", base + data, here, writable=True, executable=False))
        ends = {"text": addresses[_TEXT_END], "data": addresses[_DATA_END]}
        symbols = {n: addresses[n] for n in labels if not n.startswith(".L") and addresses[n]}
        return Image(
            name=self.path.stem,
            segments=tuple(segments),
            symbols=symbols,
            exported=frozenset(self.exported & symbols.keys()) or frozenset(symbols),
            lines=_lines(marked, addresses, ends),
        )

    def _labels(self) -> list[str]:
        """Every label, in order; a name defined twice is refused."""
        seen: dict[str, Statement] = {}
        inside = 0
        for statement in self.statements:
            for label in () if inside else statement.labels:
                if label in seen:
                    other = seen[label]
                    raise statement.wrong(
                        f"`{label}` is defined already, at {other.file}:{other.line}"
                    )
                if label.lower() in RESERVED:
                    raise statement.wrong(f"`{label}` is a register or a word of the syntax")
                seen[label] = statement
            inside += (statement.word in (".macro", ".rept")) - (
                statement.word in (".endm", ".endr")
            )
        return list(seen)

    def _guard(self, labels: Iterable[str]) -> None:
        constants = [
            statement.rest.partition(",")[0].strip()
            for statement in self.statements
            if statement.word in dialect.CONSTANT_DIRECTIVES
        ]
        guard = dialect.Dialect(labels, constants)
        for statement in self.statements:
            guard.check(statement)

    def _units(self) -> list[_Unit]:
        units: list[_Unit] = []
        segment = "text"
        closers: list[str] = []
        for statement in self.statements:
            word = statement.word
            if closers:
                units[-1].statements.append(statement)
            elif word in dialect.SEGMENTS:
                segment = dialect.SEGMENTS[word]
                units.append(_Unit([_without_body(statement)], segment, len(units)))
            elif word in dialect.SILENT:
                self._export(statement)
                units.append(_Unit([_without_body(statement)], segment, len(units)))
            else:
                units.append(_Unit([statement], _segment_of(word, segment), len(units)))
            _nest(closers, statement)
        if closers:
            raise units[-1].first.wrong(f"`{closers[-1]}` is missing")
        return units

    def _export(self, statement: Statement) -> None:
        if statement.word in (".globl", ".global"):
            self.exported.update(name.strip() for name in statement.rest.split(","))

    def _locate(self, units: list[_Unit], labels: list[str]) -> AssemblyError:
        """Keystone's error belongs to some line: the first that fails alone."""
        context: list[str] = []
        for unit in units:
            own = {label for statement in unit.statements for label in statement.labels}
            elsewhere = "\n".join(f"{label}:" for label in labels if label not in own)
            if unit.first.word in _NO_BYTES:
                context.append(unit.text())
            attempt = "\n".join(
                [*context, unit.text() if unit.marks or unit.first.labels else "", elsewhere]
            )
            if _keystone(attempt, BASE) is None:
                return unit.first.wrong(_last_reason())
        return AssemblyError(source.shown(self.path), 0, "", _last_reason())


def _without_body(statement: Statement) -> Statement:
    return Statement(statement.file, statement.line, statement.source, statement.labels, "")


def _segment_of(word: str, segment: str) -> str:
    """Constants and macros stand before everything that uses them: with the code."""
    return "text" if word in _NO_BYTES else segment


def _nest(closers: list[str], statement: Statement) -> None:
    word = statement.word
    if word in dialect.OPENING:
        closers.append(dialect.OPENING[word])
    elif closers and word == closers[-1]:
        closers.pop()
    elif word in dialect.OPENING.values() or (word in dialect.INNER and not closers):
        raise statement.wrong(f"`{word}` closes nothing")
    elif closers and (word in dialect.SEGMENTS or word in dialect.SILENT):
        raise statement.wrong(f"`{word}` cannot stand inside a block")


def _joined(units: list[_Unit], segment: str) -> str:
    return "\n".join(unit.text() for unit in units if unit.segment == segment)


def _footer_entry(label: str) -> str:
    return f".ifdef {label}\n.quad {label}\n.else\n.quad 0\n.endif"


def _footer(code: bytes, count: int) -> tuple[int, ...]:
    return struct.unpack(f"<{count}Q", code[-8 * count :])


def _lines(
    marked: list[_Unit], addresses: dict[str, int], ends: dict[str, int]
) -> tuple[SourceLine, ...]:
    """A line's bytes reach to where the next line's begin."""
    lines = []
    for segment, end in ends.items():
        units = [unit for unit in marked if unit.segment == segment]
        starts = [addresses[unit.mark] for unit in units]
        for unit, (start, following) in zip(units, pairwise([*starts, end]), strict=True):
            first = unit.first
            if following > start:
                lines.append(
                    SourceLine(start, following - start, first.file, first.line, first.source)
                )
            elif _must_make_bytes(unit):
                raise first.wrong("Keystone made no bytes of this line, silently")
    return tuple(sorted(lines, key=lambda line: line.address))


def _must_make_bytes(unit: _Unit) -> bool:
    word = unit.first.word
    return not word.startswith(".") or (word in dialect.WIDTHS and bool(unit.first.rest))


def _check_short_branches(units: list[_Unit], addresses: dict[str, int]) -> None:
    """Keystone cuts a distance that is too far to one byte, silently."""
    for unit in units:
        for statement in unit.statements:
            if not SHORT_BRANCH.match(statement.word):
                continue
            if len(unit.statements) > 1:
                raise statement.wrong(f"`{statement.word}` cannot stand inside a block")
            size = 3 if statement.word == "jecxz" else 2
            distance = addresses[statement.rest] - (addresses[unit.mark] + size)
            if not -128 <= distance <= 127:
                raise statement.wrong(
                    f"`{statement.rest}` is {distance} bytes away, and this reaches 127"
                )


_reasons: list[str] = ["Keystone cannot assemble it"]
_SEAL = b"\x5e\xa1" * 8


def _keystone(text: str, address: int) -> bytes | None:
    """The bytes, or None; `_last_reason` then says why.

    A seal behind the text tells whether Keystone has read all of it.
    """
    import keystone

    # Keystone's own default is Intel syntax. Never set it: every decimal would then be read as
    # hexadecimal.
    engine = keystone.Ks(keystone.KS_ARCH_X86, keystone.KS_MODE_64)
    sealed = "\n".join([text, *(f".byte {byte}" for byte in _SEAL)])
    try:
        code, _ = engine.asm(sealed, address, as_bytes=True)
    except keystone.KsError as error:
        _reasons[:] = [str(error).split(" (KS_ERR")[0]]
        return None
    if not code or not code.endswith(_SEAL):
        _reasons[:] = ["what stands behind it is dropped, silently"]
        return None
    return bytes(code).removesuffix(_SEAL)


def _last_reason() -> str:
    reason = _reasons[0]
    return f"{reason[0].lower()}{reason[1:]}, says Keystone"
