"""Source files to statements: comments gone, includes opened, labels taken apart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from asm.errors import AssemblyError, why

PACKAGE = Path(__file__).parent
"""Where the shipped sources are; `.include` looks there after the including file's folder."""

LABEL = re.compile(r"\s*((?:\.L|[A-Za-z_])[\w.]*)\s*:(?!:)", re.ASCII)
_STRING = re.compile(r'"(?:\\.|[^"\\])*"' + r"|'(?:\\.|[^'\\])'")
_INCLUDE = re.compile(r'\.include\s+"([^"]+)"$')


@dataclass(frozen=True, slots=True)
class Statement:
    """One line of source: `labels` it defines and the `body` behind them.

    body is "" for a line of labels alone. source is the line as written.
    """

    file: str
    line: int
    source: str
    labels: tuple[str, ...]
    body: str

    @property
    def word(self) -> str:
        """The mnemonic or directive, in small letters."""
        return self.body.split(None, 1)[0].lower() if self.body else ""

    @property
    def rest(self) -> str:
        """What stands behind `word`."""
        parts = self.body.split(None, 1)
        return parts[1] if len(parts) > 1 else ""

    def wrong(self, reason: str) -> AssemblyError:
        return AssemblyError(self.file, self.line, self.source, reason)


def shown(path: Path) -> str:
    """A path as messages name it: asm/... for shipped files, else relative to here."""
    path = path.resolve()
    for root in (PACKAGE.parent, Path.cwd()):
        if path.is_relative_to(root if root != PACKAGE.parent else PACKAGE):
            return path.relative_to(root).as_posix()
    return str(path)


def read(path: Path, files: set[Path] | None = None) -> list[Statement]:
    """Every statement of a file and of what it includes, in order; `files` gets what was read."""
    return list(_statements(path, (), files if files is not None else set()))


def blank_strings(text: str) -> str:
    """The same line with string contents blanked, so that patterns pass over them."""
    return _STRING.sub(lambda match: match[0][0] + "_" * (len(match[0]) - 2) + match[0][-1], text)


def parse(file: str, number: int, text: str, source: str) -> Statement | None:
    """A line without its comment as a statement; None where nothing is on it."""
    labels = []
    while match := LABEL.match(text):
        labels.append(match[1])
        text = text[match.end() :]
    body = " ".join(text.split()) if '"' not in text and "'" not in text else text.strip()
    if not labels and not body:
        return None
    return Statement(file, number, source, tuple(labels), body)


def statement(file: str, number: int, source: str) -> Statement | None:
    """A line as written as a statement; None where nothing is on it."""
    return parse(file, number, source[: _comment(source)], source)


def split_commas(text: str) -> list[str]:
    """What stands between the commas; nothing for an empty text."""
    if not text.strip():
        return []
    blanked = blank_strings(text)
    cuts = [-1, *(i for i, letter in enumerate(blanked) if letter == ","), len(text)]
    return [text[a + 1 : b].strip() for a, b in pairwise(cuts)]


def _statements(path: Path, open_files: tuple[Path, ...], files: set[Path]) -> Iterator[Statement]:
    file = shown(path)
    files.add(path)
    for number, source in enumerate(_text(path).split("\n"), 1):
        here = statement(file, number, source)
        if here is None:
            continue
        if here.word != ".include":
            yield here
            continue
        included = _included(path, here)
        if included in (*open_files, path):
            raise here.wrong("this file is being included already: the includes form a circle")
        yield from _statements(included, (*open_files, path), files)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise AssemblyError(
            shown(path), 0, "", f"this is no source text: byte {error.start} is not UTF-8"
        ) from None
    except OSError as error:
        raise AssemblyError(shown(path), 0, "", f"cannot be read: {why(error)}") from None


def _comment(source: str) -> int:
    position = blank_strings(source).find("#")
    return len(source) if position < 0 else position


def _included(path: Path, statement: Statement) -> Path:
    match = _INCLUDE.match(statement.body)
    if not match:
        raise statement.wrong('a file name in quotes is expected: .include "layout.s"')
    for folder in (path.parent, PACKAGE):
        if (folder / match[1]).is_file():
            return (folder / match[1]).resolve()
    raise statement.wrong(
        f"no such file: looked for it in {shown(path.parent)} and among the shipped sources"
    )
