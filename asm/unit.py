"""Statements grouped into units, each in its segment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from asm import dialect
from asm.source import Statement


@dataclass
class Unit:
    """Statements that only make sense together: one line, or a whole .macro, .rept or .if."""

    statements: list[Statement]
    segment: str
    number: int

    @property
    def first(self) -> Statement:
        return self.statements[0]

    @property
    def marks(self) -> bool:
        """Whether a label of ours before it says where its bytes are."""
        return self.first.word not in NO_BYTES and bool(self.first.body)

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


NO_BYTES = dialect.CONSTANT_DIRECTIVES | {".macro"}


def units(statements: Iterable[Statement]) -> list[Unit]:
    """Every statement in its unit. AssemblyError where a block is not closed, or closes nothing."""
    made: list[Unit] = []
    segment = "text"
    closers: list[str] = []
    for statement in statements:
        word = statement.word
        if closers:
            made[-1].statements.append(statement)
        else:
            segment = dialect.SEGMENTS.get(word, segment)
            said = word in dialect.SEGMENTS or word in dialect.SILENT
            kept = replace(statement, body="") if said else statement
            made.append(Unit([kept], _segment_of(word, segment), len(made)))
        _nest(closers, statement)
    if closers:
        raise made[-1].first.wrong(f"`{closers[-1]}` is missing")
    return made


def _segment_of(word: str, segment: str) -> str:
    """Constants and macros stand before everything that uses them: with the code."""
    return "text" if word in NO_BYTES else segment


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
