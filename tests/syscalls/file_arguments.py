"""Words for writing down calls on files: numbers of Linux, and memory as file_calls.c knows it."""

from __future__ import annotations

from dataclasses import dataclass

AT_FDCWD = -100
MOST = (1 << 63) - 1
W, RW, CREAT, EXCL, TRUNC, APPEND = 1, 2, 0o100, 0o200, 0o1000, 0o2000
NONBLOCK, DIRECTORY, NOFOLLOW = 0o4000, 0o200000, 0o400000
CLOEXEC, PATH = 0o2000000, 0o10000000


@dataclass(frozen=True)
class Str:
    text: bytes

    def __str__(self):
        return f"s:{self.text.hex()}"


@dataclass(frozen=True)
class In:
    data: bytes

    def __str__(self):
        return f"b:{self.data.hex()}"


@dataclass(frozen=True)
class Out:
    size: int

    def __str__(self):
        return f"o:{self.size}"


@dataclass(frozen=True)
class Edge(Out):
    """Right before a page that is not mapped."""

    def __str__(self):
        return f"e:{self.size}"


@dataclass(frozen=True)
class Bad:
    """Where nothing is mapped; in a vector, of a size."""

    size: int = 0

    def __str__(self):
        return f"x:{self.size}"


@dataclass(frozen=True)
class Vector:
    parts: tuple

    def __str__(self):
        return "v:" + ";".join(map(str, self.parts))


BAD = Bad()


def s(text):
    """A string in the guest's memory."""
    return Str(text if isinstance(text, bytes) else text.encode())


def op(path, flags=0, mode=0o644):
    """openat from the working directory."""
    return ("openat", AT_FDCWD, s(path), flags, mode)


def i64(*numbers):
    return In(b"".join((n % (1 << 64)).to_bytes(8, "little") for n in numbers))


def i32(*numbers):
    return In(b"".join((n % (1 << 32)).to_bytes(4, "little") for n in numbers))


def lock(kind, whence, start, length, pid=0):
    """struct flock."""
    first = kind.to_bytes(2, "little") + whence.to_bytes(2, "little") + bytes(4)
    return In(first + i64(start, length).data + i32(pid, 0).data)


def polled(*pairs):
    """An array of struct pollfd."""
    fields = (i32(fd).data + events.to_bytes(2, "little") + b"\xaa\xaa" for fd, events in pairs)
    return In(b"".join(fields))
