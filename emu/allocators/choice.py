"""Which allocator: what a person names, and the options around it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Choice:
    """name: a shipped allocator's, or the path of a file. cflags: for the host's cc.

    prefix: what its functions' names begin with; None: it is found. heap_start: where the first
    break is, of assembly alone: the image lies right below; None: the image lies where Linux puts
    a program that is not position-independent.
    """

    name: str
    cflags: str = ""
    prefix: str | None = None
    heap_start: int | None = None

    def __str__(self) -> str:
        return self.name


def choice_of(
    allocator: str | Path | Choice,
    cflags: str | None = None,
    prefix: str | None = None,
    heap_start: int | None = None,
) -> Choice:
    """A choice, where only the name is given; with other options, where they are."""
    chosen = allocator if isinstance(allocator, Choice) else Choice(str(allocator))
    return Choice(
        chosen.name,
        chosen.cflags if cflags is None else cflags,
        chosen.prefix if prefix is None else prefix,
        chosen.heap_start if heap_start is None else heap_start,
    )
