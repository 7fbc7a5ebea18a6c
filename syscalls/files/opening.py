"""Opening by path: what open(2) checks, in Linux's order (fs/namei.c, path_openat)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syscalls.abi import EEXIST, EISDIR, ELOOP, ENOTDIR, PAGE, Errno
from syscalls.files.file import File
from syscalls.files.folder import PathFile
from syscalls.files.host_file import HostFile
from syscalls.files.host_node import HostNode
from syscalls.files.node import Opening
from syscalls.files.numbers import S_IFDIR, S_IFREG, S_ISGID, S_ISUID
from syscalls.files.place import Place
from syscalls.files.walk import Last, Walk

if TYPE_CHECKING:
    from syscalls.files.filesystem import Filesystem

NEW_FILE_COST = PAGE
"""What a new name counts of the bytes that a process may write."""


def open_path(filesystem: Filesystem, walk: Walk, start: Place, path: bytes, how: Opening) -> File:
    """The open file."""
    if how.temporary:
        return _open_nameless(filesystem, walk.locate(start, path), how)
    if not how.create:
        found = walk.locate(start, path, follow=how.follow)
        return _open_found(found, how)
    last, place = _last_to_create(walk, start, path, how)
    if place is None:
        return _create(filesystem, last, how)
    if how.exclusive:
        raise Errno(EEXIST)
    if place.is_folder:
        raise Errno(EISDIR)
    return _open_found(place, how)


def _last_to_create(
    walk: Walk, start: Place, path: bytes, how: Opening
) -> tuple[Last, Place | None]:
    """As Walk.last, but a name with a slash behind it cannot be a file's."""
    follow = how.follow and not how.exclusive
    while True:
        last = walk.parent(start, path)
        if last.slash and last.is_name:
            raise Errno(EISDIR)
        found = walk.look(last)
        if found is None or not found.is_link or not follow:
            return last, found
        magic, path = walk.read(found)
        if magic is not None:
            return last, magic
        start = last.parent


def _open_found(place: Place, how: Opening) -> File:
    if how.path_only:
        if how.folder and not place.is_folder:
            raise Errno(ENOTDIR)
        return PathFile(place, how.flags)
    _admit(place, how)
    return place.node.open(place, how)


def _admit(place: Place, how: Opening) -> None:
    if how.folder and not place.is_folder:
        raise Errno(ENOTDIR)
    if place.is_link:
        raise Errno(ELOOP)
    if place.is_folder and (how.asks_write or how.truncate):
        raise Errno(EISDIR)
    if (how.write or how.truncate) and place.node.kind in (S_IFREG, S_IFDIR):
        place.changeable()


def _create(filesystem: Filesystem, last: Last, how: Opening) -> File:
    folder = last.parent.changeable()
    filesystem.spend(NEW_FILE_COST)
    folder.create(last.name)
    place = last.parent.child(last.name)
    file = place.node.open(place, how)
    place.changeable().set_mode(filesystem.masked(how.mode) & ~(S_ISUID | S_ISGID))
    return file


def _open_nameless(filesystem: Filesystem, place: Place, how: Opening) -> File:
    if place.node.kind != S_IFDIR:
        raise Errno(ENOTDIR)
    folder = place.changeable()
    filesystem.spend(NEW_FILE_COST)
    handle = folder.create_nameless(how, filesystem.masked(how.mode))
    node = HostNode(filesystem.disk, handle)
    nameless = Place(place, b"#%d" % node.identity[1], node)
    nameless.removed = True
    return HostFile(filesystem.disk, handle, nameless, how.flags)
