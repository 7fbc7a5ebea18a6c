"""Open files, and the table of file descriptors that name them."""

from __future__ import annotations

from typing import Protocol

from syscalls.abi import EBADF, EINVAL, EMFILE, ENODEV, Errno
from syscalls.world import Stream, World


class Source(Protocol):
    """The bytes of a file as a mapping shows them."""

    @property
    def size(self) -> int:
        """How many bytes the file has now."""

    def read(self, offset: int, size: int) -> bytes:
        """At most `size` bytes; fewer at the end of the file."""

    def write(self, offset: int, data: bytes) -> None:
        """What a shared mapping changed."""


class File:
    """An open file description (open(2)): what several descriptors may share.

    readable and writable: what it was opened for. Every operation raises Errno where the file is
    of a kind that has none.
    """

    readable = True
    writable = True

    def read(self, size: int) -> bytes:
        """At most `size` bytes from where it stands; b"" at the end."""
        raise Errno(EINVAL)

    def write(self, data: bytes) -> int:
        """How many bytes were taken."""
        raise Errno(EINVAL)

    def source(self) -> Source:
        """What mmap shows. The same object for every open file of one file."""
        raise Errno(ENODEV)

    def close(self) -> None:
        """No descriptor names it any more."""


class StandardFile(File):
    """One of the three files that a process starts with."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream

    def read(self, size: int) -> bytes:
        return self.stream.read(size)

    def write(self, data: bytes) -> int:
        return self.stream.write(data)


class Descriptors:
    """File descriptors: small numbers below `most`, each naming an open file."""

    def __init__(self, world: World) -> None:
        streams = (world.stdin, world.stdout, world.stderr)
        self._files: dict[int, File] = {fd: StandardFile(s) for fd, s in enumerate(streams)}
        self.most = world.most_files

    def at(self, fd: int) -> File:
        """The open file; EBADF where there is none."""
        file = self._files.get(fd)
        if file is None:
            raise Errno(EBADF)
        return file

    def add(self, file: File, lowest: int = 0) -> int:
        """The lowest free descriptor from `lowest` on; EMFILE where there is none."""
        fd = next((fd for fd in range(lowest, self.most) if fd not in self._files), None)
        if fd is None:
            raise Errno(EMFILE)
        self._files[fd] = file
        return fd

    def close_all(self) -> None:
        """At the end of the process."""
        for file in set(self._files.values()):
            file.close()
        self._files.clear()
