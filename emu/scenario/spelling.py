"""Operations as they are written: the other way round of language.py."""

from __future__ import annotations

from collections.abc import Iterable

from emu.scenario import operations as op
from syscalls.abi import errno_name, errno_number


def spelled(operation: op.Operation) -> str:
    """The line of an operation."""
    match operation:
        case op.Malloc() | op.Calloc() | op.Realloc() | op.Free():
            return _call(operation)
        case op.Fill(name, byte):
            return f"fill {name} {byte:#04x}"
        case op.Write(name, offset, data):
            return f"write {name} {offset} {' '.join(f'{byte:#04x}' for byte in data)}"
        case op.Fail(syscall, nth, errno):
            return f"fail {syscall} {nth} {_errno(errno)}"
    return f"expect {_expected(operation)}"


def text(operations: Iterable[op.Operation], about: Iterable[str] = ()) -> str:
    """A whole scenario; about: the comment at its top."""
    comment = [f"# {line}".rstrip() for line in about]
    return "\n".join([*comment, *map(spelled, operations)]) + "\n"


def _call(operation: op.Allocation) -> str:
    match operation:
        case op.Malloc(name, size):
            return f"{name} = malloc {_number(size)}"
        case op.Calloc(name, count, size):
            return f"{name} = calloc {_number(count)} {_number(size)}"
        case op.Realloc(name, source, size):
            return f"{name} = realloc {source or 'null'} {_number(size)}"
    return f"free {operation.source or 'null'}"


def _expected(operation: op.Operation) -> str:
    match operation:
        case op.ExpectPointer(name, equal, other):
            return f"{name} {'==' if equal else '!='} {_target(other)}"
        case op.ExpectBlocks(blocks):
            return " ".join(["blocks", *(f"{status} {size}" for status, size in blocks)])
        case op.ExpectSyscalls(names):
            return " ".join(["syscalls", *names])
        case op.ExpectErrno(number):
            return f"errno {_errno(number)}"
    return "clean"


def _target(other: op.Place | op.Name | int | None) -> str:
    if other is None:
        return "null"
    if isinstance(other, op.Name):
        return other.name
    return str(other) if isinstance(other, op.Place) else f"{other:#x}"


def _errno(number: int) -> str:
    """Its name; those that Linux has no name for, and 0, by number."""
    return str(number) if errno_number(errno_name(number)) is None else errno_name(number)


def _number(size: int) -> str:
    """Large sizes are near powers of two: hexadecimal says so."""
    return str(size) if size < 1 << 32 else f"{size:#x}"
