"""A row of the table of system calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from syscalls.kinds import Kind


@dataclass(frozen=True, slots=True)
class Row:
    """A system call of Linux. `note` says what is supported."""

    number: int
    name: str
    params: tuple[Kind, ...]
    result: Kind
    handler: Callable[..., int]
    note: str
