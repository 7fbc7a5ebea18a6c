"""A system call as it is seen while one of its arguments is printed."""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import Any, Protocol

Read = Callable[[int, int], bytes | None]
"""Bytes of the guest's memory by address and size; None where they cannot all be read."""

PAGE = 4096
_LOW = (1 << 32) - 1
_END = 1 << 64


class Sight:
    """args: all arguments, decoded. index: the one that is printed, -1 for the result.

    result: the answer, negative for an errno; None before the call. string_length: how much of a
    string is printed, and how much of an array. stack: the stack pointer.
    """

    __slots__ = ("args", "index", "read", "result", "stack", "string_length")

    def __init__(
        self, args: tuple[int, ...], read: Read, string_length: int, stack: int = 0
    ) -> None:
        self.stack = stack
        self.args = args
        self.index = 0
        self.result: int | None = None
        self.read = read
        self.string_length = string_length

    @property
    def failed(self) -> bool:
        """Whether it has answered an errno: then nothing was written to where it points."""
        return self.result is not None and self.result < 0

    def arg(self, distance: int) -> int:
        """The argument so far behind the one that is printed; before it where negative."""
        return self.args[self.index + distance]

    def unpack(self, address: int, layout: Struct) -> tuple[Any, ...] | None:
        """A structure; None where there is none to be seen: NULL, unreadable, or not written."""
        if not address or self.failed:
            return None
        data = self.read(address, layout.size)
        return None if data is None else layout.unpack(data)

    def until_nul(self, address: int, most: int) -> tuple[bytes, bool] | None:
        """The bytes before the first NUL, at most so many; and whether the NUL was seen."""
        found = b""
        while len(found) < most:
            size = min(most - len(found), PAGE - (address + len(found)) % PAGE)
            part = self.read(address + len(found), size)
            part = part if part is not None else self._readable(address + len(found), size)
            if b"\0" in part:
                return found + part[: part.index(b"\0")], True
            if len(part) < size:
                return None
            found += part
        return found, False

    def _readable(self, address: int, size: int) -> bytes:
        """What can be read of a page that ends early; rights change at pages, so that is rare."""
        found = b""
        while len(found) < size and (byte := self.read(address + len(found), 1)):
            found += byte
        return found


class Text(Protocol):
    """An argument in strace's words; None where it prints none."""

    def __call__(self, value: int, sight: Sight, /) -> str | None: ...


def low(value: int) -> int:
    """What an unsigned int keeps of a register."""
    return value & _LOW


def signed(value: int) -> int:
    """64 bits as a signed number."""
    value &= (1 << 64) - 1
    return value - (1 << 64) if value >> 63 else value


def decimal(value: int, _: Sight) -> str:
    return str(value)


def unsigned(value: int, _: Sight) -> str:
    return str(low(value))


def signed_decimal(value: int, _: Sight) -> str:
    return str(signed(value))


def hexadecimal(value: int, _: Sight) -> str:
    return f"{value & (1 << 64) - 1:#x}" if value else "0"


def low_hexadecimal(value: int, _: Sight) -> str:
    return number(low(value))


def number(value: int) -> str:
    """As C's %#x has it: no prefix for 0."""
    return f"{value:#x}" if value else "0"


def pointer(value: int) -> str:
    return f"{value:#x}" if value else "NULL"


def address(value: int, sight: Sight) -> str:
    """An address; as a result, 0 is no pointer."""
    return pointer(value) if sight.index >= 0 else number(value)


def octal(value: int) -> str:
    """A mode, at least three digits wide."""
    return f"0{value:o}" if value > 0o77 else f"{value:03o}"


def at(layout: str, show: Callable[..., str]) -> Callable[[int, Sight], str]:
    """What a pointer to a structure points to; its address where that cannot be seen."""
    structure = Struct(layout)

    def text(value: int, sight: Sight) -> str:
        fields = sight.unpack(value, structure)
        return pointer(value) if fields is None else show(*fields)

    return text


def array(value: int, count: int, size: int, sight: Sight, show: Callable[[bytes], str]) -> str:
    """An array in memory, an element after the other, as far as strace goes."""
    if not value or sight.failed or value + count * size > _END:
        return pointer(value)
    if count == 0:
        return "[]"
    shown: list[str] = []
    for index in range(min(count, sight.string_length)):
        data = sight.read(value + index * size, size)
        if data is None:
            if not shown:
                return pointer(value)
            return f"[{', '.join(shown)}, ... /* {value + index * size:#x} */]"
        shown.append(show(data))
    return f"[{', '.join([*shown, '...'] if count > len(shown) else shown)}]"
