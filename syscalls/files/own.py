"""Folders, links and texts that are on no disk: those of /dev, /proc and /sys."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace

from syscalls.abi import EINVAL, ENOENT, Errno
from syscalls.files.file import File
from syscalls.files.folder import FolderFile
from syscalls.files.node import Entry, Node, Opening
from syscalls.files.numbers import MOST_OFFSET, S_IFDIR, S_IFLNK, S_IFREG
from syscalls.files.place import Place
from syscalls.files.stat import Stat

_UNCHANGED = (1 << 32) - 1


class OwnFolder(Node):
    """children: what is in it, asked anew each time."""

    kind = S_IFDIR

    def __init__(self, device: int, ino: int, children: Callable[[], Mapping[bytes, Node]]) -> None:
        self.identity = (device, ino)
        self._children = children

    def stat(self) -> Stat:
        device, ino = self.identity
        folders = sum(node.kind == S_IFDIR for node in self._children().values())
        return Stat(S_IFDIR | 0o555, ino, device, nlink=2 + folders)

    def child(self, name: bytes) -> Node:
        node = self._children().get(name)
        if node is None:
            raise Errno(ENOENT)
        return node

    def entries(self) -> list[Entry]:
        nodes = sorted(self._children().items())
        return [Entry(name, node.identity[1], node.kind) for name, node in nodes]

    def open(self, place: Place, how: Opening) -> File:
        return FolderFile(place, how.flags)


class OwnText(Node):
    """make: its bytes, when it is opened."""

    kind = S_IFREG

    def __init__(self, device: int, ino: int, make: Callable[[], bytes]) -> None:
        self.identity = (device, ino)
        self._make = make

    def stat(self) -> Stat:
        """The size is not known before it is read, and told as 0 (proc(5))."""
        device, ino = self.identity
        return Stat(S_IFREG | 0o444, ino, device, blksize=1024)

    def open(self, place: Place, how: Opening) -> File:
        return TextFile(place, how.flags, self._make())


class OwnLink(Node):
    """says: what readlink answers. leads: where it leads, if not by what it says."""

    kind = S_IFLNK

    def __init__(
        self,
        device: int,
        ino: int,
        says: Callable[[], bytes],
        leads: Callable[[], Place] | None = None,
    ) -> None:
        self.identity = (device, ino)
        self._says, self._leads = says, leads

    def stat(self) -> Stat:
        device, ino = self.identity
        size = 0 if self._leads else len(self._says())
        return Stat(S_IFLNK | 0o777, ino, device, size=size, blksize=1024)

    def target(self) -> bytes:
        return self._says()

    def leads_to(self) -> Place | None:
        return self._leads() if self._leads else None


class TextFile(File):
    """The text as it was when the file was opened."""

    seekable = True

    def __init__(self, place: Place, flags: int, text: bytes) -> None:
        super().__init__(flags)
        self.place: Place = place
        self._text = text
        self._position = 0

    def stat(self) -> Stat:
        return self.place.node.stat()

    def read(self, size: int) -> bytes:
        part = self.read_at(size, self._position)
        self._position += len(part)
        return part

    def read_at(self, size: int, offset: int) -> bytes:
        return self._text[offset : offset + size]

    def exhausted(self, offset: int | None) -> bool:
        return (self._position if offset is None else offset) >= len(self._text)

    def seek(self, offset: int, whence: int) -> int:
        if whence not in (os.SEEK_SET, os.SEEK_CUR):
            raise Errno(EINVAL)
        wanted = offset + (self._position if whence == os.SEEK_CUR else 0)
        if not 0 <= wanted <= MOST_OFFSET:
            raise Errno(EINVAL)
        self._position = wanted
        return wanted


class OpenNode(Node):
    """An open file that has no name, as its link in /proc leads to it."""

    lies_somewhere = False

    def __init__(self, file: File) -> None:
        self._file = file
        stat = file.stat()
        self.identity, self.kind = (stat.dev, stat.ino), stat.kind

    def stat(self) -> Stat:
        return self._file.stat()

    def set_mode(self, mode: int) -> None:
        self._file.change(lambda stat: replace(stat, mode=stat.kind | mode))

    def set_owner(self, uid: int, gid: int) -> None:
        owner = {"uid": uid, "gid": gid}
        kept = {name: number for name, number in owner.items() if number != _UNCHANGED}
        self._file.change(lambda stat: replace(stat, **kept))

    def set_times(self, times: bytes) -> None:
        """They stay 0."""
        self._file.change(lambda stat: stat)

    def open(self, place: Place, how: Opening) -> File:
        return self._file.again(how.flags)


def place_of(file: File) -> Place:
    """Where an open file is; a place of its own for what has no name."""
    return file.place or Place(None, file.name, OpenNode(file), writable=True)
