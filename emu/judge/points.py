"""Marks: points for each topic of a check, as a file of points shares them out.

    partial = true          optional: a topic gives the share of its scenarios that passed;
                            without it, all of its points or none

    [points]
    realloc = 10            a topic, and what it is worth
    "misuse" = 2.5

A topic that was not looked at gives nothing. Shares are rounded down to hundredths, so that only
a topic without a failure gives all of its points.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from asm.errors import why
from emu.errors import InputError
from emu.judge.verdict import TopicResult, Verdict

FORMAT = "lines of `topic = points` under [points], and perhaps `partial = true` above"
_HUNDREDTH = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Mark:
    """What a topic gave, of what it may give; why it gave less."""

    topic: str
    points: Decimal
    of: Decimal
    why: str = ""


@dataclass(frozen=True, slots=True)
class Marks:
    """Those of one allocator, in the order of the file."""

    marks: tuple[Mark, ...]

    @property
    def points(self) -> Decimal:
        return sum((mark.points for mark in self.marks), Decimal())

    @property
    def of(self) -> Decimal:
        return sum((mark.of for mark in self.marks), Decimal())


@dataclass(frozen=True, slots=True)
class Points:
    """What a file of points says. file and text: for what is wrong with it."""

    by_topic: Mapping[str, Decimal]
    partial: bool
    file: str = ""
    text: str = ""

    def marks(self, verdict: Verdict) -> Marks:
        """What the allocator gets."""
        results = {topic.name: topic for topic in verdict.topics}
        return Marks(
            tuple(self._mark(name, results.get(name), of) for name, of in self.by_topic.items())
        )

    def nothing(self, why: str) -> Marks:
        """For an allocator that could not be checked."""
        return Marks(tuple(Mark(name, Decimal(), of, why) for name, of in self.by_topic.items()))

    def _mark(self, name: str, topic: TopicResult | None, worth: Decimal) -> Mark:
        if topic is None or topic.skipped or not topic.scenarios:
            why = topic.skipped if topic else ""
            return Mark(name, Decimal(), worth, why or "nothing of it was tried")
        if not topic.failures:
            return Mark(name, worth, worth)
        failed = min(topic.failures, topic.scenarios)  # one may go wrong more than once
        share = worth * (topic.scenarios - failed) / topic.scenarios
        share = share.quantize(_HUNDREDTH, ROUND_DOWN).normalize()
        why = f"{failed} of {topic.scenarios} scenarios failed"
        return Mark(name, share if self.partial else Decimal(), worth, why)

    def refuse_unknown(self, known: Collection[str]) -> None:
        """InputError for a topic that no check has."""
        for name in self.by_topic:
            if name not in known:
                near = get_close_matches(name, known, 1)
                hint = f"`{near[0]}`, perhaps; " if near else ""
                raise self.wrong(
                    f"there is no topic `{name}`", name, f"{hint}one of {', '.join(known)}"
                )

    def wrong(self, message: str, key: str, expected: str = FORMAT) -> InputError:
        """An error at the line that sets a key."""
        sets = re.compile(rf"""\s*(?:points\s*\.\s*)?["']?{re.escape(key)}["']?\s*[=.\]]""")
        for number, line in enumerate(self.text.splitlines(), 1):
            if sets.match(line.lstrip(" \t[")):
                return InputError(message, f"{self.file}:{number}", line, expected=expected)
        return InputError(message, self.file, expected=expected)


def load(file: str) -> Points:
    """Reads a file of points. InputError where it is none."""
    text = _read(file)
    found = Points({}, partial=False, file=file, text=text)
    document = _parsed(found)
    for key in document:
        if key not in ("points", "partial"):
            raise found.wrong(f"unknown key `{key}`", key)
    partial, table = document.get("partial", False), document.get("points")
    if not isinstance(partial, bool):
        raise found.wrong("`partial` is true or false", "partial")
    if not isinstance(table, dict) or not table:
        raise found.wrong("there are no points", "points")
    worth = {name: _worth(found, name, value) for name, value in table.items()}
    return Points(worth, partial, file, text)


def _read(file: str) -> str:
    try:
        return Path(file).read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"this is no text: byte {error.start} is not UTF-8", file, expected=FORMAT
        ) from None
    except ValueError as error:  # a name with a null character
        raise InputError(f"cannot be read: {error}", file, expected=FORMAT) from None
    except OSError as error:
        raise InputError(f"cannot be read: {why(error)}", file, expected=FORMAT) from None


def _parsed(points: Points) -> dict[str, Any]:
    try:
        return tomllib.loads(points.text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        message, _, at = str(error).partition(" (at ")
        place, source, column = points.file, "", 0
        lines = points.text.splitlines()
        if where := re.match(r"line (\d+), column (\d+)", at):
            line, column = int(where[1]), int(where[2])
            place, source = f"{place}:{line}", lines[line - 1] if line <= len(lines) else ""
        raise InputError(
            f"this is no TOML: {message}", place, source, column, expected=FORMAT
        ) from None


def _worth(points: Points, name: str, value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise points.wrong(f"the points of `{name}` are no number", name, "a number, as 10 or 2.5")
    worth = Decimal(value)
    if not worth.is_finite() or not 0 <= worth <= 10**9:
        raise points.wrong(f"the points of `{name}` cannot be {value}", name, "0 or more")
    return worth
