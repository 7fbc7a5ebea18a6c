"""The survivors that are understood, read from a table beside this file.

    file function: before -> after
    ..
        equivalent | unseen: why
                                        an empty line
"equivalent": no program under the contract could tell it from the original, so it is no mutant at
all. "unseen": it could be told, and nothing here does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

EQUIVALENT, UNSEEN = "equivalent", "unseen"


@dataclass(frozen=True)
class Explanation:
    verdict: str
    reason: str


def table(allocator: str) -> Path:
    """Where the explanations for an allocator are."""
    return Path(__file__).parent / "survivors" / f"{allocator}.txt"


def read(path: Path) -> dict[str, Explanation]:
    """By the mutant's name; nothing where there is no such file."""
    found: dict[str, Explanation] = {}
    for paragraph in re.split(r"\n\s*\n", path.read_text() if path.exists() else ""):
        lines = [line for line in paragraph.splitlines() if line and not line.startswith("#")]
        names = [line.strip() for line in lines if not line.startswith(" ")]
        reason = " ".join(line.strip() for line in lines if line.startswith(" "))
        verdict, _, why = reason.partition(": ")
        if lines and not (names and why and verdict in (EQUIVALENT, UNSEEN)):
            raise ValueError(f"{path}: names, then `equivalent: why` or `unseen: why`: {lines[0]}")
        found |= dict.fromkeys(names, Explanation(verdict, why))
    return found
