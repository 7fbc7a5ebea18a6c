"""Operations: what a scenario can ask for, one statement each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Malloc:
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Calloc:
    name: str
    count: int
    size: int


@dataclass(frozen=True, slots=True)
class Realloc:
    """source None is a null pointer."""

    name: str
    source: str | None
    size: int


@dataclass(frozen=True, slots=True)
class Free:
    source: str | None


@dataclass(frozen=True, slots=True)
class Fill:
    """The program writes a whole payload."""

    name: str
    byte: int


@dataclass(frozen=True, slots=True)
class Write:
    """The program writes some bytes, in range or not."""

    name: str
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Fail:
    """From here on, the nth call of a system call fails."""

    syscall: str
    nth: int
    errno: int


@dataclass(frozen=True, slots=True)
class Place:
    """ "heap+0x20" or "map1+0x20" """

    base: str
    offset: int

    def __str__(self) -> str:
        return f"{self.base}+{self.offset:#x}"


@dataclass(frozen=True, slots=True)
class Name:
    """What a name is bound to."""

    name: str


@dataclass(frozen=True, slots=True)
class ExpectPointer:
    """other: a place, another name, a number; None for null."""

    name: str
    equal: bool
    other: Place | Name | int | None


@dataclass(frozen=True, slots=True)
class ExpectBlocks:
    """(status, size) of every block, in address order."""

    blocks: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class ExpectSyscalls:
    """What the statement before asked of the kernel: by name, "brk", or "brk(heap+0x20000)"."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExpectErrno:
    """What the allocator has stored in os_errno."""

    number: int


@dataclass(frozen=True, slots=True)
class ExpectClean:
    """No finding so far."""


Allocation = Malloc | Calloc | Realloc | Free
Expectation = ExpectPointer | ExpectBlocks | ExpectSyscalls | ExpectErrno | ExpectClean
Operation = Allocation | Fill | Write | Fail | Expectation


@dataclass(frozen=True, slots=True)
class Statement:
    """An operation and where it was written."""

    line: int
    text: str
    operation: Operation


@dataclass(frozen=True, slots=True)
class Scenario:
    """file: as the user named it. about: the comment that the file begins with."""

    name: str
    file: str
    statements: tuple[Statement, ...]
    about: str = ""
