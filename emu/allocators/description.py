"""What is known of an allocator before it is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from emu.errors import AllocatorError
from emu.process.event import KINDS

OSMEM, MALLOC = "osmem", "malloc"
CONTRACTS = (OSMEM, MALLOC)
"""osmem: blocks, policies and system calls as osmem has them. malloc: what C promises, no more."""

PREFIXES = ("os_", "my_", "mm_", "")
"""How functions may be named, the likeliest first: every C program has a malloc, not every one
has a my_malloc beside it."""
_NEEDED = ("malloc", "free")


@dataclass(frozen=True)
class Description:
    """An allocator's name, as a person gave it, and its functions.

    functions: from "malloc", "calloc", "realloc", "free" to the names that it has; the middle two
    may be missing. prefix: what the names begin with. errno: the variable, or the function that
    says where it is; None where there is neither. contract: what it is held to, unless a person
    says otherwise. kind: what it came as, "assembly", "C source", "shared library"...
    """

    name: str
    functions: Mapping[str, str]
    prefix: str
    errno: str | None
    contract: str
    kind: str

    def has(self, kind: str) -> bool:
        """Whether there is a function of a kind."""
        return kind in self.functions

    def function(self, kind: str) -> str:
        """The name of a function. AllocatorError where there is none."""
        if kind not in self.functions:
            raise AllocatorError(
                f"the allocator has no {self.prefix}{kind}",
                self.name,
                expected=f"one of {', '.join(self.functions.values())}",
            )
        return self.functions[kind]


def functions_in(
    has: Callable[[str], bool], prefix: str | None = None
) -> tuple[str, Mapping[str, str]] | None:
    """(prefix, functions) of an allocator among names; None where there is none.

    prefix: the only one that is looked for.
    """
    for one in PREFIXES if prefix is None else (prefix,):
        found = {kind: one + kind for kind in KINDS if has(one + kind)}
        if all(kind in found for kind in _NEEDED):
            return one, MappingProxyType(found)
    return None


def contract_of(prefix: str) -> str:
    """What functions with such names are held to."""
    return OSMEM if prefix == "os_" else MALLOC
