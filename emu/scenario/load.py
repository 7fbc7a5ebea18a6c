"""A file to a Scenario, whatever is in the file."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from itertools import dropwhile, takewhile
from pathlib import Path

from asm.errors import why
from emu.errors import ScenarioError
from emu.scenario import language, rep
from emu.scenario.operations import Scenario

SHIPPED = Path(__file__).parent / "shipped"
"""The scenarios that come with the package, each teaching one thing."""


def load(path: Path | str) -> Scenario:
    """Reads a `.heap` scenario or a `.rep` trace. ScenarioError where that is not possible."""
    path = Path(path)
    return from_text(_read(path), str(path))


def from_text(text: str, file: str) -> Scenario:
    """A scenario from its text; `file` names it and says, by `.rep`, which language it is in."""
    path = Path(file)
    parse = rep.parse if path.suffix == ".rep" else language.parse
    return Scenario(path.stem, file, parse(text, file), _about(text))


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ScenarioError(
            f"this is no text: byte {error.start} is not UTF-8", str(path), expected="a scenario"
        ) from None
    except ValueError as error:  # a name with a null character
        raise ScenarioError(f"cannot be read: {error}", str(path)) from None
    except OSError as error:
        raise ScenarioError(
            f"cannot be read: {why(error)}", str(path), expected=f"a scenario{_of_that_name(path)}"
        ) from None


def _of_that_name(path: Path) -> str:
    """What is shipped, where it may be meant."""
    if path.stem not in TOUR:
        return ""
    return (
        f"; the shipped one is played by `emu demo {path.stem}`, and is {_shipped_path(path.stem)}"
    )


def _about(text: str) -> str:
    """The first paragraph of the comment at the top."""
    comment = takewhile(lambda line: line.startswith("#"), language.lines(text))
    words = dropwhile(operator.not_, (line.lstrip("# ").rstrip() for line in comment))
    return " ".join(takewhile(bool, words))


def shipped(names: Sequence[str] = ()) -> list[Path]:
    """The files of the shipped scenarios, all in teaching order or those named."""
    known = {path.stem: path for path in map(_shipped_path, TOUR)}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ScenarioError(f"no scenario `{unknown[0]}` is shipped", expected=", ".join(known))
    return [known[name] for name in names or known]


def _shipped_path(name: str) -> Path:
    return SHIPPED / f"{name}.heap"


TOUR = (
    "alignment",
    "preallocation",
    "reuse",
    "splitting",
    "coalescing",
    "best-fit",
    "last-block",
    "realloc",
    "mmap-threshold",
    "out-of-memory",
    "misuse",
)
"""The shipped scenarios, in the order in which they teach."""
