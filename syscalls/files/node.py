"""What a name stands for (inode(7)): the door to a file, a folder, a link or a device."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from syscalls.abi import EINVAL, ENOTDIR, ENXIO, EROFS, Errno
from syscalls.files.file import File
from syscalls.files.numbers import Open
from syscalls.files.stat import Stat

if TYPE_CHECKING:
    from syscalls.files.place import Place


@dataclass(frozen=True, slots=True)
class Entry:
    """A name in a folder; kind is S_IFREG, S_IFDIR..."""

    name: bytes
    ino: int
    kind: int


@dataclass(frozen=True, slots=True)
class Opening:
    """How a file is to be opened; flags are those of F_GETFL, mode that of a new file."""

    read: bool
    write: bool
    flags: int
    asks_write: bool = False
    create: bool = False
    exclusive: bool = False
    truncate: bool = False
    folder: bool = False
    follow: bool = True
    path_only: bool = False
    temporary: bool = False
    close_on_exec: bool = False
    mode: int = 0


READING = Opening(read=True, write=False, flags=int(Open.LARGEFILE))


class Node(ABC):
    """identity: device and inode number. kind: S_IFREG, S_IFDIR..."""

    identity: tuple[int, int]
    kind: int
    lies_somewhere = True
    """Whether it is on a filesystem that may be read-only."""

    @abstractmethod
    def stat(self) -> Stat:
        """What fstat tells."""

    def child(self, name: bytes) -> Node:
        """What a name stands for in this folder; ENOENT."""
        raise Errno(ENOTDIR)

    def entries(self) -> list[Entry]:
        """All of a folder but . and .., sorted by name."""
        raise Errno(ENOTDIR)

    def target(self) -> bytes:
        """What a symbolic link says."""
        raise Errno(EINVAL)

    def leads_to(self) -> Place | None:
        """Where a link of /proc leads, which is no matter of its text."""
        return None

    def set_mode(self, mode: int) -> None:
        raise Errno(EROFS)

    def set_owner(self, uid: int, gid: int) -> None:
        raise Errno(EROFS)

    def set_times(self, times: bytes) -> None:
        """Two struct timespec, as utimensat(2) takes them."""
        raise Errno(EROFS)

    def open(self, place: Place, how: Opening) -> File:
        """place: where it was found."""
        raise Errno(ENXIO)
