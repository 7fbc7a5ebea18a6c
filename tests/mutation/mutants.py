"""Every mutant of a folder of assembly: one statement of one file changed."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from asm import dialect, source
from asm.source import Statement
from tests.mutation.operators import OPERATORS, Around

EXCHANGED = "exchanged"
KINDS = (*OPERATORS, EXCHANGED)
_NUMBERS = {".equ", ".set", *dialect.WIDTHS}
"""Directives whose numbers are changed; other directives are left alone."""


@dataclass(frozen=True)
class Mutant:
    """`before` stands in lines [line, line + lines) of a file, and becomes `after`.

    function: the label above. nth: of those in the function that read the same, counted from 1.
    """

    kind: str
    file: str
    line: int
    lines: int
    function: str
    before: str
    after: str
    text: str
    """What the lines become, labels and all."""
    nth: int = 1

    @property
    def name(self) -> str:
        """What stays the same when lines move."""
        again = f" #{self.nth}" if self.nth > 1 else ""
        where = f"{self.file} {self.function}".strip()
        return f"{where}{again}: {self.before} -> {self.after or 'nothing'}"

    def write(self, folder: Path, into: Path) -> Path:
        """The whole mutated allocator in a new folder; the file that it begins in."""
        shutil.copytree(folder, into)
        path = into / self.file
        lines = path.read_text().split("\n")
        lines[self.line - 1 : self.line - 1 + self.lines] = self.text.split("\n")
        path.write_text("\n".join(lines))
        return into / f"{folder.name}.s"


def mutants(folder: Path) -> list[Mutant]:
    """All of them, file by file and line by line; those of one effect on the text once."""
    files = {path.name: list(_statements(path)) for path in sorted(folder.glob("*.s"))}
    fields, variables, functions = _names(files)
    made: dict[str, Mutant] = {}
    seen: Counter[str] = Counter()
    for file, statements in files.items():
        for function, own in _by_function(statements):
            targets = [n for s in own for n in s.labels if n.startswith(".L")]
            around = Around(fields, variables, targets, functions)
            for mutant in _of_function(file, function, own, around):
                seen[mutant.name] += 1
                again = replace(mutant, nth=seen[mutant.name])
                made[f"{again.line} {again.name}"] = again
    return list(made.values())


def _statements(path: Path) -> Iterator[Statement]:
    for number, line in enumerate(path.read_text().split("\n"), 1):
        if statement := source.statement(path.name, number, line):
            yield statement


def _names(files: dict[str, list[Statement]]) -> tuple[list[str], list[str], list[str]]:
    """The constants that name a header's fields, the variables, and the functions."""
    fields, variables, functions = [], [], []
    for statements in files.values():
        segment = ".text"
        for statement in statements:
            if statement.word in dialect.SEGMENTS:
                segment = statement.word
            if statement.word == ".equ" and statement.rest.startswith("BLOCK_"):
                fields.append(statement.rest.split(",")[0].strip())
            labels = [label for label in statement.labels if not label.startswith(".L")]
            (variables if segment == ".data" else functions).extend(labels)
    return fields, variables, functions


def _by_function(statements: list[Statement]) -> Iterator[tuple[str, list[Statement]]]:
    name, own = "", list[Statement]()
    for statement in statements:
        labels = [label for label in statement.labels if not label.startswith(".L")]
        if labels:
            if own:
                yield name, own
            name, own = labels[-1], []
        own.append(statement)
    if own:
        yield name, own


def _of_function(
    file: str, function: str, statements: list[Statement], around: Around
) -> Iterator[Mutant]:
    for statement in statements:
        for kind, operator in OPERATORS.items():
            if not _applies(kind, statement):
                continue
            for after in dict.fromkeys(map(_spaced, operator(statement, around))):
                if after != _spaced(statement.body):
                    yield _mutant(kind, file, function, [statement], after, [after])
    for one, other in pairwise(statements):
        side_by_side = other.line == one.line + 1 and not other.labels
        if _is_code(one) and _is_code(other) and side_by_side and one.body != other.body:
            bodies = [_spaced(other.body), _spaced(one.body)]
            yield _mutant(EXCHANGED, file, function, [one, other], " / ".join(bodies), bodies)


def _mutant(
    kind: str, file: str, function: str, old: list[Statement], after: str, bodies: list[str]
) -> Mutant:
    first, last = old[0], old[-1]
    labels = "".join(f"{label}: " for label in first.labels)
    before = " / ".join(_spaced(statement.body) for statement in old)
    text = "\n".join([labels + bodies[0], *bodies[1:]])
    lines = last.line - first.line + 1
    return Mutant(kind, file, first.line, lines, function, before, after, text)


def _applies(kind: str, statement: Statement) -> bool:
    if _is_code(statement):
        return True
    return kind == "constants" and statement.word in _NUMBERS


def _is_code(statement: Statement) -> bool:
    return bool(statement.body) and not statement.word.startswith(".")


def _spaced(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
