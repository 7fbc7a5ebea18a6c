"""Allocators as reports call them: the file's name says enough, as long as there is but one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from emu.bench.bench import Bench
from emu.bench.growth import Growth

T = TypeVar("T", Bench, Growth)


def named_shortly(found: Sequence[T]) -> list[T]:
    """The same, with the names of files for their paths."""
    given = {one.allocator for one in found}
    times = Counter(Path(name).name for name in given)
    names = {name: Path(name).name if times[Path(name).name] == 1 else name for name in given}
    return [replace(one, allocator=names[one.allocator]) for one in found]
