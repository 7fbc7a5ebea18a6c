"""What a register means: how it is decoded to an int, and how it is shown.

A kind knows three things: `layout` (which bits of the register make the handler's int), `shown`
(for JSON and for reports of heaps: numbers, lists of names) and `strace` (what strace prints,
syscalls/text).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntFlag
from struct import Struct

from syscalls.abi import MAP_TYPE_MASK, Map, MapType, Prot
from syscalls.text.sight import Sight, Text, decimal

Argument = int | list[str]

_LAYOUTS = {0: "Q", 64: "q", 32: "i4x"}


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """One meaning of a register.

    bits: 32 or 64, of a signed number; 0 for all 64, unsigned. names: a list of
    names for JSON. text: what strace prints. late: whether that is known only after the call; a
    function where it depends on other arguments. then: what is added to the text after the call.
    answer: what strace prints for the result, where this argument decides it. hides: whether this
    value leaves the next argument without a meaning. unasked: of a result, what is shown among the
    arguments though no register holds it.
    """

    name: str
    bits: int = 0
    names: Callable[[int], list[str]] | None = None
    text: Text = decimal
    late: bool | Callable[[Sight], bool] = False
    answer: Callable[[int, Sight], str | None] | None = None
    then: Callable[[int, Sight], str] | None = None
    hides: Callable[[int], bool] | None = None
    unasked: Callable[[Sight], str] | None = None

    @property
    def layout(self) -> str:
        """The register as the handler's int, for struct."""
        return _LAYOUTS[self.bits]

    def shown(self, value: int) -> Argument:
        """A decoded argument for people: flags by name."""
        return self.names(value) if self.names else value

    def strace(self, value: int, sight: Sight) -> str | None:
        """A decoded argument as strace prints it; None where it prints nothing."""
        return self.text(value, sight)

    def is_late(self, sight: Sight) -> bool:
        return self.late if isinstance(self.late, bool) else self.late(sight)

    def __repr__(self) -> str:
        return f"<Kind {self.name}>"


def decoder(params: tuple[Kind, ...]) -> Callable[[bytes], tuple[int, ...]]:
    """Six registers, packed as words of 64 bits, to the arguments of a handler."""
    return Struct("<" + "".join(kind.layout for kind in params)).unpack_from


def flag_names(value: int, flags: type[IntFlag]) -> list[str]:
    """The flags of a word by name; what has no name last, in hexadecimal."""
    names = [flag.name for flag in flags if value & flag and flag.name]
    rest = value & ~sum(flags)
    return [*names, f"{rest:#x}"] if rest else names


def prot_names(value: int) -> list[str]:
    """mprotect's rights, for people."""
    return flag_names(value, Prot) or ["PROT_NONE"]


def map_flag_names(value: int) -> list[str]:
    """mmap's type and flags, for people."""
    kind = value & MAP_TYPE_MASK
    first = MapType(kind).name if kind in tuple(MapType) else f"{kind:#x}"
    return [first, *flag_names(value & ~MAP_TYPE_MASK, Map)]
