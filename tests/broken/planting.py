"""Planting: a sound allocator, a piece of its text, and what stands there instead.

So a bug can neither drift away from its allocator nor hide a second one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from asm.source import PACKAGE

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Bug:
    """name; where and what; caught_by: the rules that are the right name for it.

    scenario: what shows it to a single run. allocator: the sound one, a shipped one or a C file
    beside this one. alignment: what a check must be told to ask for.
    """

    name: str
    file: str
    was: str
    is_: str
    caught_by: str
    scenario: str = ""
    allocator: str = "osmem"
    alignment: int = 8

    @property
    def rules(self) -> frozenset[str]:
        return frozenset(self.caught_by.split())

    @property
    def sound(self) -> str:
        """The sound allocator, as Heap takes it."""
        return str(HERE / self.allocator) if _is_c(self.allocator) else self.allocator

    @property
    def lines(self) -> range:
        """The lines of the file that are not the sound allocator's, and the one behind them."""
        text = _sources(self.allocator)[self.file].read_text()
        first = text.count("\n", 0, text.index(self.was)) + 1
        return range(first, first + self.is_.count("\n") + 2)


def build(bug: Bug, folder: Path) -> Path:
    """The whole allocator with the bug; the path is for --allocator."""
    for name, source in _sources(bug.allocator).items():
        text = source.read_text()
        if name == bug.file:
            assert text.count(bug.was) == 1, f"{bug.name}: {name} has changed under it"
            text = text.replace(bug.was, bug.is_)
        (folder / name).write_text(text)
    return folder / (bug.allocator if _is_c(bug.allocator) else f"{bug.allocator}.s")


def _is_c(allocator: str) -> bool:
    return allocator.endswith(".c")


def _sources(allocator: str) -> dict[str, Path]:
    if _is_c(allocator):
        return {allocator: HERE / allocator}
    return {path.name: path for path in (PACKAGE / allocator).glob("*.s")}
