"""The survivors that are understood, read from a table beside this file.

    file function: before -> after
        equivalent | unseen: why

"equivalent": no program under the contract could tell it from the original, so it is no mutant at
all. "unseen": it could be told, and nothing here does.
"""

from __future__ import annotations

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
    names: list[str] = []
    for number, line in enumerate(path.read_text().splitlines() if path.exists() else [], 1):
        if not line.strip() or line.startswith("#"):
            continue
        if not line.startswith(" "):
            names.append(line.strip())
            continue
        verdict, colon, reason = line.strip().partition(": ")
        if not colon or verdict not in (EQUIVALENT, UNSEEN) or not names:
            raise ValueError(f"{path}:{number}: a name, then `equivalent: why` or `unseen: why`")
        found |= dict.fromkeys(names, Explanation(verdict, reason))
        names = []
    if names:
        raise ValueError(f"{path}: {names[-1]} is not explained")
    return found
