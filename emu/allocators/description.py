"""What is known of an allocator before it is called."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from emu.allocators.choice import Choice
from emu.allocators.files import Kind
from emu.errors import AllocatorError
from emu.process.event import KINDS

OSMEM, MALLOC = "osmem", "malloc"
CONTRACTS = (OSMEM, MALLOC)
"""osmem: blocks, policies and system calls as osmem has them. malloc: what C promises, no more."""

OSMEM_PREFIX = "os_"
PREFIXES = (OSMEM_PREFIX, "my_", "mm_", "")
"""How functions may be named, the likeliest first: every C program has a malloc, not every one
has a my_malloc beside it."""
NEEDED = ("malloc", "free")


@dataclass(frozen=True)
class Description:
    """An allocator's name, as a person gave it, and its functions.

    functions: from "malloc", "calloc", "realloc", "free" to the names that it has; the middle two
    may be missing. prefix: what the names begin with. errno: the address of the variable, None
    where it has none. contract: what it is held to, unless a person says otherwise. kind: what it
    came as.
    """

    name: str
    functions: Mapping[str, str]
    prefix: str
    errno: int | None
    contract: str
    kind: Kind

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


def described(
    choice: Choice, names: Collection[str], kind: Kind, errno: int | None = None
) -> Description:
    """An allocator among the names that a file defines. AllocatorError where there is none."""
    found = functions_in(names.__contains__, choice.prefix)
    if found is None:
        raise _none(choice, names)
    prefix, functions = found
    contract = OSMEM if prefix == OSMEM_PREFIX else MALLOC
    return Description(choice.name, functions, prefix, errno, contract, kind)


def functions_in(
    has: Callable[[str], bool], prefix: str | None = None
) -> tuple[str, Mapping[str, str]] | None:
    """(prefix, functions) of an allocator among names; None where there is none.

    prefix: the only one that is looked for.
    """
    for one in PREFIXES if prefix is None else (prefix,):
        found = {kind: one + kind for kind in KINDS if has(one + kind)}
        if all(kind in found for kind in NEEDED):
            return one, MappingProxyType(found)
    return None


def lacking(missing: Sequence[str], name: str, expected: str) -> AllocatorError:
    """Functions are not there."""
    verb = "is" if len(missing) == 1 else "are"
    return AllocatorError(f"no allocator: {', '.join(missing)} {verb} missing", name,
                          expected=expected)  # fmt: skip


def _none(choice: Choice, names: Collection[str]) -> AllocatorError:
    """What is missing of what looks most like one, or what it has instead."""
    prefixes = PREFIXES if choice.prefix is None else (choice.prefix,)
    begun = [one for one in prefixes if any(one + kind in names for kind in KINDS)]
    if choice.prefix is not None or begun:
        prefix = (*begun, *prefixes)[0]
        missing = [prefix + kind for kind in NEEDED if prefix + kind not in names]
        return lacking(missing, choice.name, _hint(prefixes, names))
    return AllocatorError("no allocator: it has no malloc and no free by a name that is known",
                          choice.name, expected=_hint(prefixes, names))  # fmt: skip


def _hint(prefixes: Sequence[str], names: Collection[str]) -> str:
    """Names that would do; a prefix that would find others."""
    wanted = " or ".join(" and ".join(one + kind for kind in NEEDED) for one in prefixes)
    ends = [name.removesuffix(NEEDED[0]) for name in sorted(names) if name.endswith(NEEDED[0])]
    other = [one for one in ends if one not in prefixes and one + NEEDED[1] in names]
    return f"--prefix {other[0]}" if other else wanted
