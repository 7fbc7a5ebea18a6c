"""What the C library's functions for strings and memory read, by what they are given.

They read a vector at a time, so their accesses do not tell what they were asked for: it is looked
at when one is entered. string(3), bstring(3), memcmp(3); a string is read up to its end, two are
compared up to where they differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

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
    """A function. decides: what it reads decides something; it is more than a copy."""

    name: str
    parts: Callable[[Read, Arguments], Iterable[Part]]
    decides: bool = True


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


def _named(*readers: tuple[str, Callable[[Read, Arguments], Iterable[Part]]]) -> dict[str, Reader]:
    copies = ("memcpy", "memmove", "mempcpy")
    return {
        name: Reader(name, parts, name not in copies)
        for names, parts in readers
        for name in names.split()
    }


_READERS = _named(
    ("memcpy memmove mempcpy", lambda _, a: [(a[1], min(a[2], _MOST))]),
    ("memcmp memcmpeq", lambda read, a: _both(read, *a, ends=False)),
    ("memchr", lambda read, a: [_scan(read, a[0], _first_of(bytes((a[1] & 0xFF,))), a[2])]),
    ("rawmemchr", lambda read, a: [_scan(read, a[0], _first_of(bytes((a[1] & 0xFF,))))]),
    ("memrchr", _from_behind),
    ("strlen strrchr", lambda read, a: [_string(read, a[0])]),
    ("strnlen", lambda read, a: [_string(read, a[0], a[1])]),
    ("strcpy stpcpy", lambda read, a: [_string(read, a[1])]),
    ("strncpy stpncpy", lambda read, a: [_string(read, a[1], a[2])]),
    ("strcat", lambda read, a: [_string(read, a[0]), _string(read, a[1])]),
    ("strncat", lambda read, a: [_string(read, a[0]), _string(read, a[1], a[2])]),
    ("strchr strchrnul", _to_letter),
    ("strcmp", lambda read, a: _both(read, *a[:2], ends=True)),
    ("strncmp", lambda read, a: _both(read, *a, ends=True)),
    ("strcasecmp", lambda read, a: _both(read, *a[:2], ends=True, folded=True)),
    ("strncasecmp", lambda read, a: _both(read, *a, ends=True, folded=True)),
    ("strspn", _set(_first_but, b"")),
    ("strcspn strpbrk", _set(_first_of, b"\0")),
)
