"""The host is asked here and nowhere else: an OSError becomes its errno.

Its descriptors are counted, so that we never run out of them.
"""

from __future__ import annotations

import ctypes
import os
import resource
import struct
from collections.abc import Callable
from typing import ParamSpec, TypeVar
from weakref import WeakSet

from syscalls.abi import EINVAL, EIO, ENFILE, Errno

P = ParamSpec("P")
T = TypeVar("T")

_RESERVE = 128
"""The host's descriptors that are left to the rest of our own process."""
_STATFS = struct.Struct("7q2i2q40x")
_EMPTY_PATH = 0x1000
_FTYPE, _BSIZE, _BLOCKS, _, _, _FILES, _, _, _, _NAMELEN, _FRSIZE = range(11)


def ask(call: Callable[P, T], *args: P.args, **keywords: P.kwargs) -> T:
    """What the host answers to a call of `os`."""
    try:
        return call(*args, **keywords)
    except OSError as error:
        raise Errno(error.errno or EIO) from None
    except (ValueError, OverflowError):  # a number or a name that the host has no room for
        raise Errno(EINVAL) from None


class Handle:
    """A descriptor of the host's, closed with its last owner."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    @property
    def path(self) -> str:
        """A name of the very file that is open, whatever became of its own names."""
        return f"/proc/self/fd/{self.fd}"

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def __del__(self) -> None:
        self.close()


class Handles:
    """The handles of one process: never so many that we ourselves run out of descriptors."""

    def __init__(self) -> None:
        self._live: WeakSet[Handle] = WeakSet()
        self._most = resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _RESERVE

    def make(self, call: Callable[P, int], *args: P.args, **keywords: P.kwargs) -> Handle:
        """A handle of what `call` opens. ENFILE where there are too many."""
        if len(self._live) >= self._most:
            raise Errno(ENFILE)
        handle = Handle(ask(call, *args, **keywords))
        self._live.add(handle)
        return handle

    def reopen(self, handle: Handle, flags: int) -> Handle:
        """The same file, opened otherwise; without a mark of it in its times, where we may."""
        try:
            return self.make(os.open, handle.path, flags | os.O_NOATIME)
        except Errno:
            return self.make(os.open, handle.path, flags)

    def again(self) -> tuple[Handles, list[tuple[Handle, Handle]]]:
        """For another process, and (old, new) of each: it closes its own."""
        new = Handles()
        return new, [(old, new.make(os.dup, old.fd)) for old in self._live if old.fd >= 0]

    def close(self) -> None:
        """All of them."""
        for handle in list(self._live):
            handle.close()


class HostStatfs:
    """statfs(2), which `os` does not have in full: type, block size, blocks, files, name length."""

    def __init__(self, fd: int) -> None:
        room = ctypes.create_string_buffer(_STATFS.size)
        ask(_check, _libc().fstatfs(fd, room))
        fields = _STATFS.unpack(room.raw)
        self.type, self.block_size, self.blocks = fields[_FTYPE], fields[_BSIZE], fields[_BLOCKS]
        self.files, self.name_length = fields[_FILES], fields[_NAMELEN]
        self.fragment_size = fields[_FRSIZE]


def renameat2(old_fd: int, old: bytes, new_fd: int, new: bytes, flags: int) -> None:
    """renameat2(2), which `os` does not have."""
    ask(_check, _libc().renameat2(old_fd, old, new_fd, new, flags))


def link(fd: int, folder_fd: int, name: bytes) -> None:
    """linkat(2) of the very file that is open, be it a symbolic link."""
    ask(_check, _libc().linkat(fd, b"", folder_fd, name, _EMPTY_PATH))


def fallocate(fd: int, offset: int, size: int) -> None:
    """fallocate(2): that of `os` would write zeros where a filesystem has no such call."""
    ask(_check, _libc().fallocate(fd, 0, ctypes.c_int64(offset), ctypes.c_int64(size)))


def set_owner(fd: int, uid: int, gid: int) -> None:
    """Of the very file, be it a link. The guest's root is who we are on the host."""
    owner = ctypes.c_uint32(uid or os.geteuid())
    group = ctypes.c_uint32(gid or os.getegid())
    ask(_check, _libc().fchownat(fd, b"", owner, group, _EMPTY_PATH))


def set_times(fd: int, times: bytes) -> None:
    """Of the very file, be it a link. times: two struct timespec, as utimensat(2) takes them."""
    ask(_check, _libc().utimensat(fd, b"", times, _EMPTY_PATH))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _check(answer: int) -> None:
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def is_open(fd: int) -> bool:
    """Whether the host has such a descriptor."""
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True
