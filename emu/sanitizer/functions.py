"""The functions of an allocator, by name: what they are asked for, and what they answer.

malloc(3), posix_memalign(3), malloc_usable_size(3), mallinfo(3), malloc_trim(3).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

Arguments = tuple[int, ...]
_WORD = (1 << 64) - 1
_MOST = 1 << 63


class Kind(Enum):
    """What a function does with blocks. OTHER: it may only look at the allocator's own data."""

    GIVES = auto()
    RESIZES = auto()
    TAKES = auto()
    MEASURES = auto()
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class Function:
    """size: the bytes that are asked for. zeroed: they are zeros. by_pointer: posix_memalign."""

    name: str
    kind: Kind
    size: Callable[[Arguments], int] = lambda _: 0
    zeroed: bool = False
    by_pointer: bool = False

    @property
    def base(self) -> str:
        """The name that the C library's has."""
        return next((base for base in _TABLE if self.name.endswith(base)), self.name)


class Called(NamedTuple):
    """A call of one; str() is how it is written: malloc(24)."""

    function: Function
    arguments: Arguments

    def __str__(self) -> str:
        base = self.function.base
        shown = list(map(str, self.arguments[: _COUNTS.get(base, 1)]))
        if base in _OF_POINTERS:
            shown[0] = f"{self.arguments[0]:#x}"
        return f"{self.function.name}({', '.join(shown)})"


def _product(first: int, second: int) -> Callable[[Arguments], int]:
    return lambda arguments: arguments[first] * arguments[second]


def _argument(number: int) -> Callable[[Arguments], int]:
    return lambda arguments: arguments[number]


_TABLE: dict[str, tuple[Kind, Callable[[Arguments], int], bool, bool]] = {
    "posix_memalign": (Kind.GIVES, _argument(2), False, True),
    "aligned_alloc": (Kind.GIVES, _argument(1), False, False),
    "memalign": (Kind.GIVES, _argument(1), False, False),
    "pvalloc": (Kind.GIVES, _argument(0), False, False),
    "valloc": (Kind.GIVES, _argument(0), False, False),
    "calloc": (Kind.GIVES, _product(0, 1), True, False),
    "malloc": (Kind.GIVES, _argument(0), False, False),
    "reallocarray": (Kind.RESIZES, _product(1, 2), False, False),
    "realloc": (Kind.RESIZES, _argument(1), False, False),
    "cfree": (Kind.TAKES, _argument(0), False, False),
    "free": (Kind.TAKES, _argument(0), False, False),
    "malloc_usable_size": (Kind.MEASURES, _argument(0), False, False),
    **{
        name: (Kind.OTHER, _argument(0), False, False)
        for name in (
            "malloc_trim", "malloc_stats", "malloc_info", "mallinfo2", "mallinfo", "mallopt",
        )
    },
}  # fmt: skip
_COUNTS = {
    "posix_memalign": 3, "aligned_alloc": 2, "memalign": 2, "calloc": 2, "realloc": 2,
    "reallocarray": 3,
}  # fmt: skip
"""Arguments that are shown."""
_OF_POINTERS = {"posix_memalign", "realloc", "reallocarray"}
"""Functions whose first argument is an address."""
LIBC = "malloc"
"""What --check-heap is given for the C library's own functions, which have no prefix."""


_OPERATORS = {
    **{f"_Zn{letter}m": f"operator new{end}" for letter, end in (("w", ""), ("a", "[]"))},
    **{f"_Zd{letter}Pv": f"operator delete{end}" for letter, end in (("l", ""), ("a", "[]"))},
}
"""C++'s, as they are in a symbol table: with the C library's functions, they are its family."""
_VARIANTS = ("", "m", "RKSt9nothrow_t", "St11align_val_t", "mSt11align_val_t")
"""What may follow: a size, std::nothrow, an alignment."""


def family(prefix: str) -> dict[str, Function]:
    """The functions to watch, by name. prefix: "os_", or "malloc" for those without one."""
    before = "" if prefix == LIBC else prefix
    found = {
        before + base: Function(before + base, kind, size, zeroed, by_pointer)
        for base, (kind, size, zeroed, by_pointer) in _TABLE.items()
    }
    return found if before else found | _operators()


def _operators() -> dict[str, Function]:
    return {
        symbol + variant: Function(name, Kind.GIVES if " new" in name else Kind.TAKES, _argument(0))
        for symbol, name in _OPERATORS.items()
        for variant in _VARIANTS
    }


def plausible(size: int) -> int:
    """A size that no answer other than NULL can be for is 0."""
    return size if size < _MOST else 0
