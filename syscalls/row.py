"""A row of the table of system calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from syscalls.kind import Kind, decoder


@dataclass(frozen=True, slots=True)
class Row:
    """A system call of Linux. `note` says what is supported.

    decode: the six registers, packed as words of 64 bits, as the handler's arguments.
    """

    number: int
    name: str
    params: tuple[Kind, ...]
    result: Kind
    handler: Callable[..., int]
    note: str
    decode: Callable[[bytes], tuple[int, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "decode", decoder(self.params))
