"""Regular files of the host, open; a memfd is one that has no name."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

from syscalls.abi import EINVAL, Errno
from syscalls.cannot_keep import CannotKeep
from syscalls.files import host
from syscalls.files.file import File, Source
from syscalls.files.host import Handle, ask
from syscalls.files.numbers import SEEK_HOLE, Open
from syscalls.files.stat import Stat

if TYPE_CHECKING:
    from syscalls.files.host_node import Disk
    from syscalls.files.place import Place


class HostSource:
    """The bytes of a regular file for mmap. One object a file, however often it is opened."""

    def __init__(self, handle: Handle, *, writable: bool) -> None:
        self._handle, self._writable = handle, writable

    def admit(self, handle: Handle, *, writable: bool) -> None:
        """It was opened again; a handle that can write serves for everything."""
        if writable and not self._writable:
            self._handle, self._writable = handle, True

    def kept(self) -> None:
        """CannotKeep where mappings may change the file."""
        if self._writable:
            raise CannotKeep("what is written to a file of the host's cannot be undone")

    @property
    def size(self) -> int:
        return ask(os.fstat, self._handle.fd).st_size

    def read(self, offset: int, size: int) -> bytes:
        return ask(os.pread, self._handle.fd, size, offset)

    def write(self, offset: int, data: bytes) -> None:
        """Within the file: what a mapping holds beyond its end is lost (mmap(2))."""
        inside = data[: max(0, self.size - offset)]
        while inside:
            taken = ask(os.pwrite, self._handle.fd, inside, offset)
            inside, offset = inside[taken:], offset + taken


class HostFile(File):
    """Where it stands is the host's to remember: the handle is this file's alone."""

    seekable = True
    counted = True

    def __init__(self, disk: Disk, handle: Handle, place: Place, flags: int) -> None:
        super().__init__(flags)
        self._disk, self._handle = disk, handle
        self._identity = place.node.identity
        self.place: Place = place

    def kept(self) -> int | None:
        """Where it stands; None where it is closed."""
        if self.writable:
            raise CannotKeep("what is written to a file of the host's cannot be undone")
        return self.seek(0, os.SEEK_CUR) if hasattr(self, "_handle") else None

    def put_back(self, kept: int) -> None:
        """It stands there again."""
        self.seek(kept, os.SEEK_SET)

    def set_flags(self, flags: int) -> None:
        super().set_flags(flags)
        if self.writable:
            host_flags = os.O_APPEND if flags & Open.APPEND else 0
            ask(fcntl.fcntl, self._handle.fd, fcntl.F_SETFL, host_flags)

    def stat(self) -> Stat:
        """Also when it is closed: a mapping may hold it for longer."""
        return self.place.node.stat()

    def read(self, size: int) -> bytes:
        self._disk.about_to_use(self._identity)
        return ask(os.read, self._handle.fd, size)

    def write(self, data: bytes) -> int:
        self._disk.about_to_use(self._identity)
        taken = ask(os.write, self._handle.fd, data)
        end = self.seek(0, os.SEEK_CUR)
        self._disk.changed(self._identity, end - taken, end)
        return taken

    def read_at(self, size: int, offset: int) -> bytes:
        self._disk.about_to_use(self._identity)
        return ask(os.pread, self._handle.fd, size, offset)

    def write_at(self, data: bytes, offset: int) -> int:
        """On Linux it appends, where the file is open for that, whatever the offset says."""
        self._disk.about_to_use(self._identity)
        taken = ask(os.pwrite, self._handle.fd, data, offset)
        if self.appends:
            self._disk.changed(self._identity)
        else:
            self._disk.changed(self._identity, offset, offset + taken)
        return taken

    def exhausted(self, offset: int | None) -> bool:
        return (self.seek(0, os.SEEK_CUR) if offset is None else offset) >= self.stat().size

    def seek(self, offset: int, whence: int) -> int:
        if not 0 <= whence <= SEEK_HOLE:
            raise Errno(EINVAL)
        return ask(os.lseek, self._handle.fd, offset, whence)

    def truncate(self, size: int) -> None:
        self._disk.about_to_use(self._identity)
        ask(os.ftruncate, self._handle.fd, size)
        self._disk.changed(self._identity)

    def allocate(self, offset: int, size: int) -> None:
        self._disk.about_to_use(self._identity)
        host.fallocate(self._handle.fd, offset, size)
        self._disk.changed(self._identity, offset, offset + size)

    def sync(self) -> None:
        """What is written is with the host, whose matter it is when it reaches the disk."""

    def seals(self) -> int:
        """Of a memfd (F_GET_SEALS); EINVAL for another file."""
        return ask(fcntl.fcntl, self._handle.fd, fcntl.F_GET_SEALS)

    def seal(self, seals: int) -> None:
        ask(fcntl.fcntl, self._handle.fd, fcntl.F_ADD_SEALS, seals)

    def waiting(self) -> int:
        return self.stat().size - self.seek(0, os.SEEK_CUR)

    def source(self) -> Source:
        return self._disk.source(self._identity, self._handle, writable=self.writable)

    def close(self) -> None:
        """The handle lives on while the place or a mapping holds it."""
        del self._handle
