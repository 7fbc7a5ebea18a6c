"""One row a system call: how it is decoded, called and shown are all derived from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from syscalls.abi import MAP_TYPE_MASK, Map, MapType, Prot
from syscalls.brk import brk
from syscalls.exit import exit_process
from syscalls.mmap import mmap
from syscalls.mprotect import mprotect
from syscalls.munmap import munmap
from syscalls.write import write

Argument = int | list[str]


class Kind(Enum):
    """What a register means: how it is decoded (to an int) and how it is shown."""

    ADDRESS = "address"
    SIZE = "size"
    INT = "int"
    PROT = "prot"
    MAP_FLAGS = "flags"

    def decode(self, register: int) -> int:
        """A register of 64 bits as the handler's int."""
        if self is Kind.INT:
            low = register & 0xFFFF_FFFF
            return low - (1 << 32) if low >= 1 << 31 else low
        return register

    def shown(self, value: int) -> Argument:
        """A decoded argument for people: flags by name."""
        if self is Kind.PROT:
            return _names(value, Prot) or ["PROT_NONE"]
        if self is Kind.MAP_FLAGS:
            return _map_flags(value)
        return value


def _names(value: int, flags: type[Prot] | type[Map]) -> list[str]:
    names = [flag.name for flag in flags if value & flag and flag.name]
    rest = value & ~sum(flags)
    return [*names, f"{rest:#x}"] if rest else names


def _map_flags(value: int) -> list[str]:
    kind = value & MAP_TYPE_MASK
    first = MapType(kind).name if kind in tuple(MapType) else f"{kind:#x}"
    return [first, *_names(value & ~MAP_TYPE_MASK, Map)]


@dataclass(frozen=True, slots=True)
class Row:
    """A system call of Linux. `note` says what is supported."""

    number: int
    name: str
    params: tuple[Kind, ...]
    result: Kind
    handler: Callable[..., int]
    note: str


_A, _S, _I, _P, _F = Kind.ADDRESS, Kind.SIZE, Kind.INT, Kind.PROT, Kind.MAP_FLAGS

ROWS = (
    Row(1, "write", (_I, _A, _S), _S, write, "to the standard output and error, captured"),
    Row(9, "mmap", (_A, _S, _P, _F, _I, _S), _A, mmap, "anonymous private memory"),
    Row(10, "mprotect", (_A, _S, _P), _I, mprotect, "whole"),
    Row(11, "munmap", (_A, _S), _I, munmap, "whole"),
    Row(12, "brk", (_A,), _A, brk, "whole"),
    Row(60, "exit", (_I,), _I, exit_process, "whole"),
    Row(231, "exit_group", (_I,), _I, exit_process, "whole"),
)
BY_NUMBER = {row.number: row for row in ROWS}
BY_NAME = {row.name: row for row in ROWS}
