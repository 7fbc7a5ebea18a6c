"""What the C library's functions for strings and memory read, by what they are given.

They read a vector at a time, so their accesses do not tell what they were asked for: it is looked
at when one is entered. string(3), bstring(3), memcmp(3); a string is read up to its end, two are
compared up to where they differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from emu.process.shadow_probe import Shape

_MOST = 64 << 20
"""Bytes of one call that are looked at."""
_FIRST, _CHUNK = 64, 4096
"""Bytes of a string that are read at first, and then."""

Read = Callable[[int, int], bytes]
Part = tuple[int, int]
"""Address and size of what is read."""
Arguments = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Reader:
    """A function. shape: what it reads at most, if that can be said."""

    name: str
    parts: Callable[[Read, Arguments], Iterable[Part]]
    shape: Shape | None

    @property
    def decides(self) -> bool:
        """Whether what it reads decides something: it is more than a copy."""
        return self.shape is None or not self.shape & Shape.COPIES


def reader(symbol: str) -> Reader | None:
    """What a function does that has this name in a symbol table."""
    return _READERS.get(symbol.lstrip("_"))


def _scan(read: Read, address: int, find: Callable[[bytes], int], most: int = _MOST) -> Part:
    """From an address to the byte that is found; find: its index, or -1."""
    done, chunk, most = 0, _FIRST, min(most, _MOST)
    while done < most:
        size = min(chunk, most - done)
        at = find(read(address + done, size))
        if at >= 0:
            return address, done + at + 1
        done, chunk = done + size, _CHUNK
    return address, most


def _string(read: Read, address: int, most: int = _MOST) -> Part:
    return _scan(read, address, lambda data: data.find(0), most)


def _first_of(wanted: bytes) -> Callable[[bytes], int]:
    def find(data: bytes) -> int:
        return min((at for at in map(data.find, wanted) if at >= 0), default=-1)

    return find


def _first_but(wanted: bytes) -> Callable[[bytes], int]:
    def find(data: bytes) -> int:
        at = len(data) - len(data.lstrip(wanted))
        return at if at < len(data) else -1

    return find


def _both(
    read: Read, one: int, other: int, most: int = _MOST, *, ends: bool, folded: bool = False
) -> list[Part]:
    """Two that are compared. ends: a 0 ends them. folded: capitals are as small letters."""
    done = 0

    def find(data: bytes) -> int:
        nonlocal done
        against = read(other + done, len(data))
        done += len(data)
        if folded:
            data, against = data.lower(), against.lower()
        if data == against and not (ends and 0 in data):
            return -1
        pairs = enumerate(zip(data, against, strict=True))
        return next(at for at, (a, b) in pairs if a != b or (ends and not a))

    size = _scan(read, one, find, most)[1]
    return [(one, size), (other, size)]


def _set(find: Callable[[bytes], Callable[[bytes], int]], end: bytes) -> Callable[..., list[Part]]:
    """strspn and its like: a string, and one of letters."""

    def parts(read: Read, arguments: Arguments) -> list[Part]:
        letters = _string(read, arguments[1])
        wanted = read(letters[0], letters[1] - 1) + end
        return [letters, _scan(read, arguments[0], find(wanted))]

    return parts


def _from_behind(read: Read, arguments: Arguments) -> list[Part]:
    start, letter, size = arguments
    size = min(size, _MOST)
    at = max(0, read(start, size).rfind(letter & 0xFF))
    return [(start + at, size - at)]


def _to_letter(read: Read, arguments: Arguments) -> list[Part]:
    return [_scan(read, arguments[0], _first_of(bytes((arguments[1] & 0xFF, 0))))]


_Row = tuple[str, Callable[[Read, Arguments], Iterable[Part]], Shape | None]


def _named(*rows: _Row) -> dict[str, Reader]:
    return {
        name: Reader(name, parts, shape) for names, parts, shape in rows for name in names.split()
    }


_FIRST_STRING, _SECOND_STRING = Shape.STRING_1, Shape.STRING_2
_STRINGS, _RANGES = Shape.STRING_1 | Shape.STRING_2, Shape.RANGE_1 | Shape.RANGE_2
_READERS = _named(
    (
        "memcpy memmove mempcpy",
        lambda _, a: [(a[1], min(a[2], _MOST))],
        Shape.RANGE_2 | Shape.COPIES,
    ),
    ("memcmp memcmpeq", lambda read, a: _both(read, *a, ends=False), _RANGES),
    (
        "memchr",
        lambda read, a: [_scan(read, a[0], _first_of(bytes((a[1] & 0xFF,))), a[2])],
        Shape.RANGE_1,
    ),
    ("rawmemchr", lambda read, a: [_scan(read, a[0], _first_of(bytes((a[1] & 0xFF,))))], None),
    ("memrchr", _from_behind, Shape.RANGE_1),
    ("strlen strrchr", lambda read, a: [_string(read, a[0])], _FIRST_STRING),
    ("strnlen", lambda read, a: [_string(read, a[0], a[1])], _FIRST_STRING),
    ("strcpy stpcpy", lambda read, a: [_string(read, a[1])], _SECOND_STRING),
    ("strncpy stpncpy", lambda read, a: [_string(read, a[1], a[2])], _SECOND_STRING),
    ("strcat", lambda read, a: [_string(read, a[0]), _string(read, a[1])], _STRINGS),
    ("strncat", lambda read, a: [_string(read, a[0]), _string(read, a[1], a[2])], _STRINGS),
    ("strchr strchrnul", _to_letter, _FIRST_STRING),
    ("strcmp", lambda read, a: _both(read, *a[:2], ends=True), _STRINGS),
    ("strncmp", lambda read, a: _both(read, *a, ends=True), _STRINGS),
    ("strcasecmp", lambda read, a: _both(read, *a[:2], ends=True, folded=True), _STRINGS),
    ("strncasecmp", lambda read, a: _both(read, *a, ends=True, folded=True), _STRINGS),
    ("strspn", _set(_first_but, b""), _STRINGS),
    ("strcspn strpbrk", _set(_first_of, b"\0"), _STRINGS),
)
