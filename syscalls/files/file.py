"""Open files (open(2): open file descriptions), as system calls use them whatever their kind."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from syscalls.abi import EINVAL, ENODEV, ENOTDIR, ENOTTY, ENXIO, EROFS, ESPIPE, Errno
from syscalls.files.numbers import ACCESS_MODE, ALWAYS_READY, Open
from syscalls.files.stat import Stat

if TYPE_CHECKING:
    from syscalls.files.node import Entry
    from syscalls.files.place import Place


class WouldWait(Exception):
    """Not now: it would wait for somebody else to read or write."""


class Source(Protocol):
    """The bytes of a file as a mapping shows them."""

    @property
    def size(self) -> int:
        """How many bytes the file has now."""

    def read(self, offset: int, size: int) -> bytes:
        """At most `size` bytes; fewer at the end of the file."""

    def write(self, offset: int, data: bytes) -> None:
        """What a shared mapping changed."""


class Mappings(Protocol):
    """Who maps files, and holds what shared mappings changed."""

    def write_back(self, source: Source) -> None:
        """What was changed goes to the file, before that is read or changed otherwise."""

    def reread(self, source: Source, start: int, end: int) -> None:
        """The bytes [start, end) of the file were changed, or it was cut."""


class File(ABC):
    """An open file description (open(2)): what several descriptors may share.

    flags: the access mode and the status flags, as F_GETFL answers them. readable and writable:
    what it was opened for. place: its name in the tree; None for what has no name. users: how many
    descriptors name it. Every operation raises Errno where the file is of a kind that has none.
    """

    place: Place | None = None
    path_only = False
    seekable = False
    at_once = False
    """A read answers what there is, at once, and does not go on until all is there."""
    counted = False
    """What is written to it is output, of which a process has only so much."""
    users = 0

    def __init__(self, flags: int = Open.RDWR) -> None:
        mode = flags & ACCESS_MODE
        self.flags = int(flags)
        self.readable = mode in (0, Open.RDWR)
        self.writable = mode in (Open.WRONLY, Open.RDWR)

    @property
    def nonblocking(self) -> bool:
        return bool(self.flags & Open.NONBLOCK)

    @property
    def appends(self) -> bool:
        return bool(self.flags & Open.APPEND)

    @property
    def name(self) -> bytes:
        """What /proc/self/fd says it is."""
        return self.place.spelled if self.place else b"anon_inode:[file]"

    def set_flags(self, flags: int) -> None:
        """New status flags (F_SETFL)."""
        self.flags = int(flags)

    @abstractmethod
    def stat(self) -> Stat:
        """What fstat tells."""

    def change(self, _: Callable[[Stat], Stat]) -> None:
        """Its mode or owner, where it has no name but them."""
        raise Errno(EROFS)

    def again(self, flags: int) -> File:
        """Opened once more, by its link in /proc; ENXIO for what has no name to open."""
        raise Errno(ENXIO)

    # Moving bytes

    def read(self, size: int) -> bytes:
        """At most `size` bytes from where it stands; b"" at the end. Or WouldWait."""
        raise Errno(EINVAL)

    def write(self, data: bytes) -> int:
        """How many bytes were taken. Or WouldWait."""
        raise Errno(EINVAL)

    def read_at(self, size: int, offset: int) -> bytes:
        """As `read`, from a place of its own."""
        raise Errno(ESPIPE)

    def write_at(self, data: bytes, offset: int) -> int:
        """As `write`, to a place of its own."""
        raise Errno(ESPIPE)

    def take_blindly(self, _: int) -> int | None:
        """How many of so many bytes it takes without looking at one; None where it looks."""
        return None

    def readable_into(self, room: int, _: int) -> int:
        """How many bytes a read of so many would move, where there is room for fewer."""
        return room

    def writable_from(self, reach: int, _: int) -> int:
        """How many bytes a write of so many would move, where fewer can be reached."""
        return reach

    def exhausted(self, _: int | None) -> bool:
        """Whether reading there, or where it stands, answers that there is no more."""
        return False

    def seek(self, offset: int, whence: int) -> int:
        """Where it stands then."""
        raise Errno(ESPIPE)

    # The rest

    def truncate(self, size: int) -> None:
        raise Errno(EINVAL)

    def allocate(self, offset: int, size: int) -> None:
        raise Errno(ENODEV)

    def sync(self) -> None:
        """fsync: EINVAL where nothing is kept."""
        raise Errno(EINVAL)

    def entries(self) -> list[Entry]:
        """A folder's entries from where it stands."""
        raise Errno(ENOTDIR)

    def ready(self) -> int:
        """What poll may say of it now: POLLIN, POLLOUT..."""
        return ALWAYS_READY

    @property
    def host_fd(self) -> int | None:
        """What the host may be asked to wait for, before this file is ready."""
        return None

    def control(self, _: int, __: bytes) -> bytes:
        """ioctl of a device: a request and what its argument points at; the answer's bytes."""
        raise Errno(ENOTTY)

    def waiting(self) -> int:
        """FIONREAD: how many bytes could be read at once; negative behind the end."""
        raise Errno(ENOTTY)

    def source(self) -> Source:
        """What mmap shows. The same object for every open file of one file."""
        raise Errno(ENODEV)

    def close(self) -> None:  # noqa: B027 - most kinds of files hold nothing
        """No descriptor names it any more."""
