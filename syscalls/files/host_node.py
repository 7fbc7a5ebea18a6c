"""Files, folders and links of the host, each held by a descriptor that opens nothing (O_PATH).

A name is looked up in the folder that is held, and never followed: neither a link nor a race
leads out. What is done to a file is done to the one that is held.
"""

from __future__ import annotations

import os
import stat as host_stat
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar
from weakref import WeakValueDictionary

from syscalls.abi import ENOENT, ENOTDIR, ENXIO, EPERM, Errno
from syscalls.files import host
from syscalls.files.file import File, Mappings
from syscalls.files.folder import FolderFile
from syscalls.files.host import Handle, Handles, HostStatfs, ask
from syscalls.files.host_file import HostFile, HostSource
from syscalls.files.node import Entry, Node, Opening
from syscalls.files.numbers import (
    MOST_OFFSET,
    S_IFDIR,
    S_IFLNK,
    S_IFMT,
    S_IFREG,
    S_ISGID,
    S_ISUID,
    Open,
)
from syscalls.files.stat import Stat, of_host

if TYPE_CHECKING:
    from syscalls.files.place import Place

_LOOK = os.O_PATH | os.O_NOFOLLOW
_NEW = os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_WRONLY
_HIDDEN = frozenset(
    (
        0x9FA0,  # proc
        0x62656572,  # sysfs
        0x64626720,  # debugfs
        0x74726163,  # tracefs
        0x73636673,  # securityfs
        0xCAFE4A11,  # bpf
        0x27E0EB,  # cgroup
        0x63677270,  # cgroup2
        0x1CD1,  # devpts
        0x19800202,  # mqueue
        0x65735543,  # fusectl
        0x62656570,  # configfs
        0xF97CFF8C,  # selinux
        0x6165676C,  # pstore
        0xDE5E81E4,  # efivarfs
        0x42494E4D,  # binfmt_misc
    )
)
"""Filesystems that show the host itself (statfs(2), f_type)."""


class Disk:
    """The host's files as one process sees them.

    mappings: told when a file that somebody has as a source is read or changed by system calls.
    """

    lasting: ClassVar = ("handles",)

    def __init__(self) -> None:
        self.handles = Handles()
        self.mappings: Mappings | None = None
        self._sources: WeakValueDictionary[tuple[int, int], HostSource] = WeakValueDictionary()
        self._hidden: dict[int, bool] = {}

    def hides(self, handle: Handle, device: int) -> bool:
        """Whether it lies on a filesystem that is never shown."""
        if device not in self._hidden:
            self._hidden[device] = HostStatfs(handle.fd).type in _HIDDEN
        return self._hidden[device]

    def source(self, identity: tuple[int, int], handle: Handle, *, writable: bool) -> HostSource:
        """The one object for the bytes of a file; `handle` if it has to be made, or to write."""
        source = self._sources.get(identity)
        if source is None:
            source = self._sources[identity] = HostSource(handle, writable=writable)
        source.admit(handle, writable=writable)
        return source

    def about_to_use(self, identity: tuple[int, int]) -> None:
        """A file will be read or changed."""
        source = self._sources.get(identity) if self.mappings else None
        if source is not None and self.mappings:
            self.mappings.write_back(source)

    def changed(self, identity: tuple[int, int], start: int = 0, end: int = MOST_OFFSET) -> None:
        """A file was."""
        source = self._sources.get(identity) if self.mappings else None
        if source is not None and self.mappings:
            self.mappings.reread(source, start, end)


class HostNode(Node):
    """The methods that change something are for nodes that Place.changeable lets through."""

    def __init__(self, disk: Disk, handle: Handle) -> None:
        found = ask(os.fstat, handle.fd)
        self.disk, self.handle = disk, handle
        self.identity = (found.st_dev, found.st_ino)
        self.kind = found.st_mode & S_IFMT

    def stat(self) -> Stat:
        return of_host(ask(os.fstat, self.handle.fd))

    # Looking

    def child(self, name: bytes) -> Node:
        if name in (b"", b".", b"..") or b"/" in name:
            raise Errno(ENOENT)
        handle = self.disk.handles.make(os.open, name, _LOOK, dir_fd=self.handle.fd)
        node = HostNode(self.disk, handle)
        device = node.identity[0]
        if device != self.identity[0] and self.disk.hides(handle, device):
            raise Errno(ENOENT)
        return node

    def entries(self) -> list[Entry]:
        if self.kind != S_IFDIR:
            raise Errno(ENOTDIR)
        handle = self.disk.handles.reopen(self.handle, os.O_RDONLY | os.O_DIRECTORY)
        return ask(_listing, handle.fd)

    def target(self) -> bytes:
        return ask(os.readlink, b"", dir_fd=self.handle.fd)

    def open(self, place: Place, how: Opening) -> File:
        if self.kind == S_IFDIR:
            return FolderFile(place, how.flags)
        if self.kind != S_IFREG:
            raise Errno(ENXIO)
        if how.truncate:
            self.disk.about_to_use(self.identity)
        handle = self.disk.handles.reopen(self.handle, _host_flags(how))
        if how.truncate:
            self.disk.changed(self.identity)
        self.handle = handle  # it holds the file as well, and a second descriptor is not needed
        return HostFile(self.disk, handle, place, how.flags)

    # Changing a folder's names

    def create(self, name: bytes) -> None:
        """A new file, which only we may open until it has its mode."""
        self.disk.handles.make(os.open, name, _NEW, 0o600, dir_fd=self.handle.fd)

    def create_folder(self, name: bytes) -> None:
        ask(os.mkdir, name, 0o700, dir_fd=self.handle.fd)

    def create_link(self, name: bytes, target: bytes) -> None:
        ask(os.symlink, target, name, dir_fd=self.handle.fd)

    def create_name(self, name: bytes, node: HostNode) -> None:
        """Another name for a file, which may have none."""
        if node.kind == S_IFLNK:
            host.link(node.handle.fd, self.handle.fd, name)
        else:
            ask(os.link, node.handle.path, name, dst_dir_fd=self.handle.fd, follow_symlinks=True)

    def create_nameless(self, how: Opening, mode: int) -> Handle:
        """A file without a name (O_TMPFILE)."""
        flags = os.O_TMPFILE | _host_flags(how) | (os.O_EXCL if how.exclusive else 0)
        handle = self.disk.handles.make(os.open, self.handle.path, flags, 0o600)
        ask(os.fchmod, handle.fd, mode & ~(S_ISUID | S_ISGID))
        return handle

    def remove(self, name: bytes) -> None:
        ask(os.unlink, name, dir_fd=self.handle.fd)

    def remove_folder(self, name: bytes) -> None:
        ask(os.rmdir, name, dir_fd=self.handle.fd)

    def rename(self, old: bytes, to: HostNode, new: bytes, flags: int) -> None:
        host.renameat2(self.handle.fd, old, to.handle.fd, new, flags)

    # Changing what it is

    def set_mode(self, mode: int) -> None:
        """EPERM for a program that would run with another's rights: on the host it really would."""
        if self.kind == S_IFREG and mode & (S_ISUID | S_ISGID):
            raise Errno(EPERM)
        ask(os.chmod, self.handle.path, mode)

    def set_owner(self, uid: int, gid: int) -> None:
        host.set_owner(self.handle.fd, uid, gid)

    def set_times(self, times: bytes) -> None:
        host.set_times(self.handle.fd, times)

    def truncate(self, size: int) -> None:
        self.disk.about_to_use(self.identity)
        ask(os.truncate, self.handle.path, size)
        self.disk.changed(self.identity)


class HostRoot(HostNode):
    """The folder of the host that is "/": with folders of ours, which hide those of the host."""

    def __init__(self, disk: Disk, handle: Handle, mounts: Mapping[bytes, Node]) -> None:
        super().__init__(disk, handle)
        self.mounts = mounts

    def child(self, name: bytes) -> Node:
        return self.mounts.get(name) or super().child(name)

    def entries(self) -> list[Entry]:
        others = [entry for entry in super().entries() if entry.name not in self.mounts]
        ours = [Entry(name, node.identity[1], node.kind) for name, node in self.mounts.items()]
        return sorted(others + ours, key=lambda entry: entry.name)


def _listing(fd: int) -> list[Entry]:
    with os.scandir(fd) as found:
        entries = [Entry(os.fsencode(e.name), e.inode(), _kind(e)) for e in found]
    return sorted(entries, key=lambda entry: entry.name)


def _kind(entry: os.DirEntry[str]) -> int:
    if entry.is_symlink():
        return S_IFLNK
    if entry.is_dir(follow_symlinks=False):
        return S_IFDIR
    if entry.is_file(follow_symlinks=False):
        return S_IFREG
    return host_stat.S_IFMT(entry.stat(follow_symlinks=False).st_mode)


def _host_flags(how: Opening) -> int:
    """As the host opens it; our kernel itself does what it can of the rest."""
    access = os.O_RDWR if how.read and how.write else os.O_WRONLY if how.write else os.O_RDONLY
    appends = os.O_APPEND if how.flags & Open.APPEND else 0
    return access | appends | (os.O_TRUNC if how.truncate else 0)
