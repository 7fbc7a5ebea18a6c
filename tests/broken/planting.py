"""Planting: a sound allocator, a piece of its text, and what stands there instead.

So a bug can neither drift away from its allocator nor hide a second one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from asm.source import PACKAGE
from emu.allocators import SHIPPED

HERE = Path(__file__).parent
OSMEM = "osmem"


@dataclass(frozen=True)
class Bug:
    """name; where and what; caught_by: the rules that are the right name for it.

    scenario: what shows it to a single run. base: the sound allocator, a shipped one or a C file
    beside this one. alignment: what a check must be told to ask for.
    """

    name: str
    file: str
    was: str
    is_: str
    caught_by: str
    scenario: str = ""
    base: str = OSMEM
    alignment: int = 8

    @property
    def rules(self) -> frozenset[str]:
        return frozenset(self.caught_by.split())

    @property
    def sound(self) -> str:
        """The sound allocator, as Heap takes it."""
        return self.base if self.base in SHIPPED else str(HERE / self.base)

    @property
    def lines(self) -> range:
        """The lines of the file that are not the sound allocator's, and the one behind them."""
        text = _sources(self.base)[self.file].read_text()
        first = text.count("\n", 0, text.index(self.was)) + 1
        return range(first, first + self.is_.count("\n") + 2)


def build(bug: Bug, folder: Path) -> Path:
    """The whole allocator with the bug; the path is for --allocator."""
    for name, source in _sources(bug.base).items():
        text = source.read_text()
        if name == bug.file:
            assert text.count(bug.was) == 1, f"{bug.name}: {name} has changed under it"
            text = text.replace(bug.was, bug.is_)
        (folder / name).write_text(text)
    return folder / (f"{bug.base}.s" if bug.base in SHIPPED else bug.base)


def _sources(base: str) -> dict[str, Path]:
    if base in SHIPPED:
        return {path.name: path for path in (PACKAGE / base).glob("*.s")}
    return {base: HERE / base}
