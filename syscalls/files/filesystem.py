"""The files of one process: its root, its working directory, and what its paths lead to."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from syscalls.abi import EACCES, EISDIR, ELOOP, Errno
from syscalls.files.dev import make_dev
from syscalls.files.file import File
from syscalls.files.host_file import HostFile
from syscalls.files.host_node import Disk, HostRoot
from syscalls.files.locks import Locks
from syscalls.files.node import READING, Node, Opening
from syscalls.files.numbers import S_IFDIR
from syscalls.files.opening import open_path
from syscalls.files.own import OwnFolder
from syscalls.files.place import Place
from syscalls.files.proc import Program, make_proc, make_sys
from syscalls.files.walk import Rules, Walk
from syscalls.random import RandomBytes

if TYPE_CHECKING:
    from syscalls.address_space import AddressSpace
    from syscalls.descriptors import Descriptors
    from syscalls.world import World

_ROOT_DEVICE = 1
_DEFAULT_UMASK = 0o022
_PIECE = 1 << 20


class Filesystem:
    """root: "/". folder: where relative paths start. program: what runs, as /proc tells it.

    spend: told how many bytes a new name counts, of those that the process may write.
    ValueError where the world names folders that are not there.
    """

    def __init__(
        self,
        world: World,
        files: Descriptors,
        space: AddressSpace,
        random: RandomBytes,
        spend: Callable[[int], None],
    ) -> None:
        self.disk = Disk()
        self.spend = spend
        self.umask = _DEFAULT_UMASK
        self.locks = Locks()
        self.program = Program()
        self._serial = 0
        self._looking = False
        mounts: dict[bytes, Node] = {
            b"dev": make_dev(random, files.standard),
            b"proc": make_proc(self, files, space),
            b"sys": make_sys(),
        }
        root = self._root_node(world.root, mounts)
        self.root = Place(None, b"", root, writable=False)
        self._writable = self._make_writable(world)
        self.folder = self._find(os.fsencode(world.folder), "the working directory")

    def _root_node(self, root: Path | None, mounts: dict[bytes, Node]) -> Node:
        if root is None:
            return OwnFolder(_ROOT_DEVICE, 1, lambda: mounts)
        if not root.is_dir():
            raise ValueError(f"the root is no folder: {root}")
        handle = self.disk.handles.make(os.open, root, os.O_PATH | os.O_DIRECTORY)
        if self.disk.hides(handle, os.fstat(handle.fd).st_dev):
            raise ValueError(f"the root shows the host itself: {root}")
        return HostRoot(self.disk, handle, mounts)

    def _make_writable(self, world: World) -> Place | None:
        """The folder below which the guest may change something, held as long as it lives."""
        if world.writable is None:
            return None
        if world.root is None:
            raise ValueError("a writable folder lies under a root, and there is none")
        root, writable = world.root.resolve(), world.writable.resolve()
        if not writable.is_relative_to(root):
            raise ValueError(f"the writable folder {writable} does not lie under {root}")
        path = b"/" + os.fsencode(writable.relative_to(root))
        place = self._find(path, "the writable folder")
        place.writable = True
        return place

    def _find(self, path: bytes, what: str) -> Place:
        try:
            place = self.walk().locate(self.root, path)
        except Errno as error:
            raise ValueError(f"{what} {os.fsdecode(path)}: {error}") from None
        if place.node.kind != S_IFDIR:
            raise ValueError(f"{what} {os.fsdecode(path)} is no folder")
        return place

    # Paths

    def walk(self, rules: Rules | None = None) -> Walk:
        """A new resolution of a path."""
        return Walk(self.root, rules) if rules else Walk(self.root)

    def open(self, path: bytes, how: Opening, start: Place | None = None) -> File:
        """The open file, from the working directory unless told otherwise."""
        return open_path(self, self.walk(), start or self.folder, path, how)

    def masked(self, mode: int) -> int:
        """The mode of a new file."""
        return mode & ~self.umask

    def serial(self) -> int:
        """The inode number of the next pipe."""
        self._serial += 1
        return self._serial

    # For those who load programs

    def host_file(self, path: str) -> HostFile:
        """A regular file, open to read. Errno where there is none, or it is another kind."""
        file = self.open(os.fsencode(path), READING)
        if not isinstance(file, HostFile):
            raise Errno(EISDIR if file.stat().kind == S_IFDIR else EACCES)
        return file

    def contents(self, path: str) -> bytes:
        """All bytes of a file. Errno where it cannot be read."""
        file = self.open(os.fsencode(path), READING)
        try:
            return b"".join(iter(lambda: file.read(_PIECE), b""))
        finally:
            file.close()

    def executable(self) -> Place | None:
        """Where the program lies; None where none was loaded from a file.

        ELOOP where its path has become one by way of this place.
        """
        path = self.program.executable
        if self._looking:  # the path leads through /proc/self/exe, which leads here
            raise Errno(ELOOP)
        self._looking = True
        try:
            return self.walk().locate(self.root, path) if path else None
        finally:
            self._looking = False

    def close(self) -> None:
        """Gives back what it has of the host."""
        self.disk.handles.close()
