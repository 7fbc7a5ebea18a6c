"""The three files that a process starts with: a stream each, and what the host's stream is."""

from __future__ import annotations

import fcntl
import os

from syscalls.abi import ENOTTY, ESPIPE, Errno
from syscalls.files import numbers as n
from syscalls.files.file import File, Source
from syscalls.files.host import Handle, ask
from syscalls.files.host_file import HostSource
from syscalls.files.numbers import Open
from syscalls.files.poller import ready_now
from syscalls.files.stat import Stat, of_host
from syscalls.files.terminal import Terminal
from syscalls.world import Capture, Stream

_DEVICE = 14
_HOSTS_FLAGS = int(Open.APPEND | Open.LARGEFILE)
"""What a program may know of how its standard files were opened, beside the access mode."""


class StandardFile(File):
    """fd: 0, 1 or 2. A buffer of ours looks like a pipe; a file of the host's like itself.

    Several may share a stream: when one is opened anew through /dev/stdin.
    """

    at_once = True
    counted = True

    def __init__(self, stream: Stream, fd: int, flags: int | None = None) -> None:
        self._host_fd = stream.host_fd
        super().__init__(self._first_flags(fd) if flags is None else flags)
        self.stream, self._fd = stream, fd
        found = None if self._host_fd is None else ask(os.fstat, self._host_fd)
        self._stat = of_host(found, timeless=True) if found else Stat(n.S_IFIFO | 0o600, fd + 1, 14)
        self.seekable = self._stat.kind == n.S_IFREG
        self._terminal = Terminal.of(self._host_fd)
        self._source: HostSource | None = None

    def _first_flags(self, fd: int) -> int:
        if self._host_fd is None:
            return int(Open.WRONLY) if fd else 0
        flags = ask(fcntl.fcntl, self._host_fd, fcntl.F_GETFL)
        appends = Open.APPEND if flags & os.O_APPEND else 0
        return int(flags & os.O_ACCMODE | Open.LARGEFILE | appends)

    @property
    def name(self) -> bytes:
        kind = {n.S_IFIFO: b"pipe", n.S_IFSOCK: b"socket"}.get(self._stat.kind)
        if kind:
            return b"%s:[%d]" % (kind, self._stat.ino)
        return b"/dev/tty" if self.is_terminal else b"/dev/std%d" % self._fd

    @property
    def is_terminal(self) -> bool:
        return self._terminal is not None

    @property
    def host_fd(self) -> int | None:
        return self._host_fd

    def again(self, flags: int) -> StandardFile:
        """Opened once more, by a link of /proc."""
        return StandardFile(self.stream, self._fd, flags)

    def stat(self) -> Stat:
        if self.seekable:
            return of_host(ask(os.fstat, self._regular()), timeless=True)
        return self._stat

    # Moving bytes

    def read(self, size: int) -> bytes:
        return self.stream.read(size) if size else b""

    def write(self, data: bytes) -> int:
        return self.stream.write(data)

    def read_at(self, size: int, offset: int) -> bytes:
        return ask(os.pread, self._regular(), size, offset)

    def write_at(self, data: bytes, offset: int) -> int:
        return ask(os.pwrite, self._regular(), data, offset)

    def seek(self, offset: int, whence: int) -> int:
        return ask(os.lseek, self._regular(), offset, whence)

    def truncate(self, size: int) -> None:
        ask(os.ftruncate, self._regular(), size)

    def sync(self) -> None:
        if not self.seekable:
            super().sync()

    def _regular(self) -> int:
        """The host's descriptor of a regular file; ESPIPE for what only streams."""
        if self._host_fd is None or not self.seekable:
            raise Errno(ESPIPE)
        return self._host_fd

    # The rest

    def ready(self) -> int:
        if self._host_fd is not None:
            return ready_now(self._host_fd)
        if not self.readable:
            return n.WRITABLE_NOW
        return n.POLLHUP if self.exhausted(None) else n.READABLE_NOW

    def exhausted(self, offset: int | None) -> bool:
        if self.seekable:
            return (self.seek(0, n.SEEK_CUR) if offset is None else offset) >= self.stat().size
        return isinstance(self.stream, Capture) and self.stream.spent

    def control(self, request: int, argument: bytes) -> bytes:
        if self._terminal is None:
            raise Errno(ENOTTY)
        return self._terminal.control(request, argument)

    def waiting(self) -> int:
        if self.seekable:
            return self.stat().size - self.seek(0, n.SEEK_CUR)
        if self._host_fd is None:
            return 0
        return Terminal.waiting(self._host_fd)

    def source(self) -> Source:
        if not self.seekable:
            return super().source()
        if self._source is None:
            self._source = HostSource(Handle(ask(os.dup, self._regular())), writable=self.writable)
        return self._source

    def close(self) -> None:
        if self._terminal:
            self._terminal.restore()
