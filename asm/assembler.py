"""Files to Image, through Keystone.

Keystone takes one text and answers with its bytes: no segments, no symbols, no lines. All three
are read from a footer of `.quad label`, with a label of ours before every line that makes bytes;
neither changes a byte of the program.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from asm import dialect, source
from asm.errors import AssemblyError
from asm.image import Image, Segment, SourceLine
from asm.instruction import SHORT_BRANCH
from asm.machine_code import Refused, machine_code
from asm.registers import RESERVED
from asm.source import Statement
from asm.unit import NO_BYTES, Unit, units

BASE = 0x400000
"""Where Linux puts a program that is not position-independent."""

_PAGE = 4096
_TEXT_END, _DATA, _DATA_END, _FOOTER = "__text_end", "__data", "__data_end", "__footer"


def assemble(path: Path, base: int = BASE, apart: int = 0) -> Image:
    """The program that begins in a file, as an Image at `base`.

    apart: how much farther from the text the data is than it need be. Both are multiples of the
    page. AssemblyError says which line cannot be assembled, and why.
    """
    return _Program.read(path.resolve()).image(base, apart)


def assemble_cached(path: Path, base: int = BASE) -> Image:
    """`assemble`, remembered until a file that it read changes."""
    key = path.resolve(), base
    image, stamps = _remembered.get(key, (None, {}))
    if image is None or any(_stamp(file) != stamp for file, stamp in stamps.items()):
        program = _Program.read(key[0])
        image = program.image(base)
        _remembered[key] = image, {file: _stamp(file) for file in program.files}
    return image


_remembered: dict[tuple[Path, int], tuple[Image, dict[Path, tuple[int, int] | None]]] = {}


def _stamp(file: Path) -> tuple[int, int] | None:
    """What changes when a file does; None where it is gone."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


@dataclass
class _Program:
    path: Path
    statements: list[Statement]
    files: set[Path]

    @classmethod
    def read(cls, path: Path) -> _Program:
        files: set[Path] = set()
        return cls(path, source.read(path, files), files)

    def image(self, base: int, apart: int = 0) -> Image:
        for place in (base, apart):
            if place % _PAGE:
                raise ValueError(f"{place:#x} is not a multiple of the page")
        labels = self._labels()
        named = [*labels, *self._guard(labels)]
        grouped = units(self.statements)
        text = _joined(grouped, "text")
        data = _joined(grouped, "data")
        marked = [unit for unit in grouped if unit.marks]
        wanted = [_TEXT_END, _DATA, _DATA_END, *named, *(unit.mark for unit in marked)]
        whole = "\n".join(
            [text, f"{_TEXT_END}:", ".p2align 12", f".zero {apart}", f"{_DATA}:", data,
             f"{_DATA_END}:", ".p2align 3", f"{_FOOTER}:", *map(_footer_entry, wanted)]
        )  # fmt: skip
        try:
            code = machine_code(whole, base)
        except Refused as refused:
            raise self._located(refused, grouped, labels) from None
        addresses = dict(zip(wanted, _footer(code, len(wanted)), strict=True))
        _check_short_branches(grouped, addresses)
        return self._build(code, base, named, marked, addresses)

    def _build(
        self,
        code: bytes,
        base: int,
        named: list[str],
        marked: list[Unit],
        addresses: dict[str, int],
    ) -> Image:
        text_end, data, data_end = (addresses[n] - base for n in (_TEXT_END, _DATA, _DATA_END))
        segments = [Segment("text", base, code[:text_end], writable=False, executable=True)]
        if data_end > data:
            here = code[data:data_end]
            segments.append(Segment("data", base + data, here, writable=True, executable=False))
        ends = {"text": addresses[_TEXT_END], "data": addresses[_DATA_END]}
        symbols = {n: addresses[n] for n in named if not n.startswith(".L") and addresses[n]}
        return Image(
            name=self.path.stem,
            segments=tuple(segments),
            symbols=symbols,
            exported=self._exported(symbols),
            lines=_lines(marked, addresses, ends),
            source=self.path,
            files={source.shown(file): file for file in self.files},
        )

    def _labels(self) -> list[str]:
        """Every label that is written out, in order; a name defined twice is refused."""
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

    def _guard(self, labels: Iterable[str]) -> list[str]:
        """The labels that macros make, in order; what Keystone would misread is refused."""
        constants = [
            statement.rest.partition(",")[0].strip()
            for statement in self.statements
            if statement.word in dialect.CONSTANT_DIRECTIVES
        ]
        guard = dialect.Dialect(labels, constants)
        for statement in self.statements:
            guard.check(statement)
        return guard.labels_of_macros

    def _exported(self, symbols: dict[str, int]) -> frozenset[str]:
        """What .globl names; everything, where there is none."""
        named = {
            name.strip()
            for statement in self.statements
            if statement.word in (".globl", ".global")
            for name in statement.rest.split(",")
        }
        return frozenset(named & symbols.keys()) or frozenset(symbols)

    def _located(self, refused: Refused, grouped: list[Unit], labels: list[str]) -> AssemblyError:
        """Keystone names no line: it is the first that is refused alone."""
        context: list[str] = []
        for unit in grouped:
            own = {label for statement in unit.statements for label in statement.labels}
            elsewhere = "\n".join(f"{label}:" for label in labels if label not in own)
            if unit.first.word in NO_BYTES:
                context.append(unit.text())
            alone = unit.text() if unit.marks or unit.first.labels else ""
            try:
                machine_code("\n".join([*context, alone, elsewhere]), BASE)
            except Refused as reason:
                return unit.first.wrong(str(reason))
        return AssemblyError(source.shown(self.path), 0, "", str(refused))


def _joined(units: list[Unit], segment: str) -> str:
    return "\n".join(unit.text() for unit in units if unit.segment == segment)


def _footer_entry(label: str) -> str:
    return f".ifdef {label}\n.quad {label}\n.else\n.quad 0\n.endif"


def _footer(code: bytes, count: int) -> tuple[int, ...]:
    return struct.unpack(f"<{count}Q", code[-8 * count :])


def _lines(
    marked: list[Unit], addresses: dict[str, int], ends: dict[str, int]
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


def _must_make_bytes(unit: Unit) -> bool:
    word = unit.first.word
    return not word.startswith(".") or (word in dialect.WIDTHS and bool(unit.first.rest))


def _check_short_branches(units: list[Unit], addresses: dict[str, int]) -> None:
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
