"""The table of file descriptors: small numbers, each naming an open file."""

from __future__ import annotations

from collections.abc import Callable

from syscalls.abi import EBADF, EMFILE, Errno
from syscalls.files.file import File
from syscalls.files.host import is_open
from syscalls.files.standard import StandardFile
from syscalls.world import World

_FIRST_CAPACITY = 64


class Descriptors:
    """most: below which all numbers are (RLIMIT_NOFILE). standard: what it started with.

    capacity: for how many the table has room; it grows to powers of two.
    Several descriptors may name one file; whether one is closed by execve is its own matter.
    closed: told of a file that no descriptor names any more, before it closes.
    """

    def __init__(self, world: World) -> None:
        streams = enumerate((world.stdin, world.stdout, world.stderr))
        self.standard = {
            fd: StandardFile(stream, fd)
            for fd, stream in streams
            if stream.host_fd is None or is_open(stream.host_fd)
        }
        self.most = world.most_files
        self.capacity = _FIRST_CAPACITY
        self.closed: Callable[[File], None] | None = None
        self._files: dict[int, File] = {}
        self._close_on_exec: set[int] = set()
        for fd, file in self.standard.items():
            self.put(fd, file)

    def at(self, fd: int, *, path_too: bool = False) -> File:
        """The open file; EBADF where there is none. path_too: also one opened with O_PATH."""
        file = self._files.get(fd)
        if file is None or (file.path_only and not path_too):
            raise Errno(EBADF)
        return file

    def find(self, fd: int) -> File | None:
        """As `at`, for who has another answer than EBADF."""
        file = self._files.get(fd)
        return None if file is None or file.path_only else file

    def open_files(self) -> list[File]:
        """Those that descriptors name."""
        return list(self._files.values())

    def numbers(self) -> list[int]:
        """Those in use, in order."""
        return sorted(self._files)

    def free(self, lowest: int = 0) -> int:
        """The lowest free descriptor from `lowest` on; EMFILE where there is none."""
        fd = next((fd for fd in range(lowest, self.most) if fd not in self._files), None)
        if fd is None:
            raise Errno(EMFILE)
        return fd

    def add(self, file: File, lowest: int = 0, *, close_on_exec: bool = False) -> int:
        """A new descriptor, the lowest that is free."""
        fd = self.free(lowest)
        self.put(fd, file, close_on_exec=close_on_exec)
        return fd

    def put(self, fd: int, file: File, *, close_on_exec: bool = False) -> None:
        """A descriptor of this number; what it named is closed."""
        file.users += 1
        if fd in self._files:
            self.close(fd)
        self._files[fd] = file
        self.set_close_on_exec(fd, close_on_exec)
        self.capacity = max(self.capacity, 1 << fd.bit_length())

    def close_on_exec(self, fd: int) -> bool:
        return fd in self._close_on_exec

    def set_close_on_exec(self, fd: int, close: bool) -> None:
        if close:
            self._close_on_exec.add(fd)
        else:
            self._close_on_exec.discard(fd)

    def close(self, fd: int) -> None:
        """EBADF where there is none."""
        file = self._files.pop(fd, None)
        if file is None:
            raise Errno(EBADF)
        self._close_on_exec.discard(fd)
        file.users -= 1
        if not file.users:
            self._end(file)

    def close_all(self) -> None:
        """At the end of the process."""
        for fd in self.numbers():
            self.close(fd)

    def _end(self, file: File) -> None:
        if self.closed:
            self.closed(file)
        file.close()
