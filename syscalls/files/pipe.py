"""Pipes (pipe(7)): 64 KiB in pages, and an end to read and one to write.

Pages matter: a write of up to a page goes in whole or not at all, and sixteen pages are full even
where their bytes are few.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from syscalls.abi import EBUSY, EINVAL, EPERM, EPIPE, PAGE, Errno
from syscalls.files.file import File, WouldWait
from syscalls.files.numbers import (
    POLLERR,
    POLLHUP,
    READABLE_NOW,
    S_IFIFO,
    WRITABLE_NOW,
    Open,
)
from syscalls.files.stat import Stat

MOST_PAGES = 16
_LARGEST = 1 << 20
"""What a pipe may be made to hold (/proc/sys/fs/pipe-max-size)."""
_DEVICE = 14


class Pipe:
    """What is between the ends. pages: how many it may hold."""

    def __init__(self, ino: int) -> None:
        self.stat = Stat(S_IFIFO | 0o600, ino, _DEVICE)
        self.most_pages = MOST_PAGES
        self.readers = self.writers = 0
        self.pages: deque[bytearray] = deque()

    @property
    def size(self) -> int:
        return sum(map(len, self.pages))

    @property
    def full(self) -> bool:
        return len(self.pages) >= self.most_pages

    @property
    def room(self) -> int:
        """Bytes, as F_GETPIPE_SZ tells them."""
        return self.most_pages * PAGE

    def resize(self, size: int) -> int:
        """F_SETPIPE_SZ: the room it has then, a power of two of pages. EINVAL, EBUSY, EPERM."""
        if size > _LARGEST:
            raise Errno(EINVAL if size > 1 << 31 else EPERM)
        pages = 1 << max(0, (size - 1) // PAGE).bit_length()
        if pages < len(self.pages):
            raise Errno(EBUSY)
        self.most_pages = pages
        return self.room

    def joins(self, size: int) -> bool:
        """Whether what a write has beyond whole pages fits behind what is there."""
        return bool(size and self.pages) and len(self.pages[-1]) + size <= PAGE

    def put(self, data: bytes) -> int:
        """How many bytes went in."""
        first = len(data) % PAGE
        done = 0
        if self.joins(first):
            self.pages[-1] += data[:first]
            done = first
        while done < len(data) and not self.full:
            self.pages.append(bytearray(data[done : done + PAGE]))
            done = min(len(data), done + PAGE)
        return done

    def take(self, size: int) -> bytes:
        """At most `size` bytes of what is there."""
        taken = bytearray()
        while self.pages and len(taken) < size:
            page = self.pages[0]
            part = page[: size - len(taken)]
            taken += part
            del page[: len(part)]
            if not page:
                self.pages.popleft()
        return bytes(taken)


class PipeEnd(File):
    """An end, or both (a fifo opened to read and write)."""

    at_once = True

    def __init__(self, pipe: Pipe, flags: int) -> None:
        super().__init__(flags)
        self.pipe = pipe
        pipe.readers += self.readable
        pipe.writers += self.writable

    @property
    def name(self) -> bytes:
        return b"pipe:[%d]" % self.pipe.stat.ino

    def stat(self) -> Stat:
        return self.pipe.stat

    def change(self, new: Callable[[Stat], Stat]) -> None:
        self.pipe.stat = new(self.pipe.stat)

    def read(self, size: int) -> bytes:
        if size and not self.pipe.pages and self.pipe.writers:
            raise WouldWait
        return self.pipe.take(size)

    def write(self, data: bytes) -> int:
        if not data:
            return 0
        if not self.pipe.readers:
            raise Errno(EPIPE)
        taken = self.pipe.put(data)
        if not taken:
            raise WouldWait
        return taken

    def exhausted(self, _: int | None) -> bool:
        """WouldWait where that is not known yet."""
        if not self.pipe.pages and self.pipe.writers:
            raise WouldWait
        return not self.pipe.pages

    def take_blindly(self, count: int) -> int | None:
        if count and not self.pipe.readers:
            raise Errno(EPIPE)
        return None

    def readable_into(self, room: int, wanted: int) -> int:
        """Each page's bytes as far as they are wanted, or none of them."""
        moved = 0
        for page in self.pipe.pages:
            part = min(len(page), wanted - moved)
            if moved + part > room:
                break
            moved += part
        return moved

    def writable_from(self, reach: int, wanted: int) -> int:
        """Whole pages, and before them what fits behind what is there."""
        first = wanted % PAGE if self.pipe.joins(wanted % PAGE) else 0
        return 0 if reach < first else first + (reach - first) // PAGE * PAGE

    def waiting(self) -> int:
        return self.pipe.size

    def ready(self) -> int:
        pipe, ready = self.pipe, 0
        if self.readable:
            ready |= READABLE_NOW * bool(pipe.pages) | POLLHUP * (not pipe.writers)
        if self.writable:
            ready |= WRITABLE_NOW * (not pipe.full) | POLLERR * (not pipe.readers)
        return ready

    def again(self, flags: int) -> File:
        return PipeEnd(self.pipe, flags)

    def close(self) -> None:
        self.pipe.readers -= self.readable
        self.pipe.writers -= self.writable


def make_pipe(ino: int, flags: int) -> tuple[PipeEnd, PipeEnd]:
    """The end to read and the end to write. flags: O_NONBLOCK or nothing."""
    pipe = Pipe(ino)
    return PipeEnd(pipe, flags), PipeEnd(pipe, flags | Open.WRONLY)
