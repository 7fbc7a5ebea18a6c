"""open(2), openat(2), creat(2), openat2(2).

"The file descriptor returned by a successful call will be the lowest-numbered file descriptor not
currently open for the process." Deviations: O_DIRECT, O_SYNC and O_ASYNC are only remembered; of
the host, only regular files and folders are opened, anything else is ENXIO; RESOLVE_CACHED finds
everything.
"""

from __future__ import annotations

import struct

from syscalls.abi import E2BIG, EINVAL, PAGE, Errno
from syscalls.context import Context
from syscalls.files.node import Opening
from syscalls.files.numbers import ACCESS_MODE, AT_FDCWD, PERMISSIONS, Open
from syscalls.files.opening import open_path
from syscalls.files.walk import Rules
from syscalls.paths import path_at, start_of

_KNOWN = int(ACCESS_MODE | sum(Open))
_KEPT = ~int(Open.CREAT | Open.EXCL | Open.NOCTTY | Open.TRUNC | Open.CLOEXEC)
_WITH_PATH = int(Open.DIRECTORY | Open.NOFOLLOW | Open.PATH | Open.CLOEXEC)
_HOW = struct.Struct("<QQQ")
_NO_XDEV, _NO_MAGICLINKS, _NO_SYMLINKS, _BENEATH, _IN_ROOT, _CACHED = (1 << i for i in range(6))


def open_file(context: Context, path: int, flags: int, mode: int) -> int:
    return openat(context, AT_FDCWD, path, flags, mode)


def creat(context: Context, path: int, mode: int) -> int:
    return openat(context, AT_FDCWD, path, Open.CREAT | Open.WRONLY | Open.TRUNC, mode)


def openat(context: Context, folder_fd: int, path: int, flags: int, mode: int) -> int:
    """Unknown flags, and a mode for what is not made, are ignored."""
    how = _opening(flags & _KNOWN, mode & PERMISSIONS)
    return _open(context, folder_fd, path, how, Rules())


def openat2(context: Context, folder_fd: int, path: int, address: int, size: int) -> int:
    """As openat, but nothing is ignored."""
    if size < _HOW.size:
        raise Errno(EINVAL)
    if size > PAGE:
        raise Errno(E2BIG)
    flags, mode, resolve = context.user.unpack(_HOW, address)
    if any(context.user.read(address + _HOW.size, size - _HOW.size)):
        raise Errno(E2BIG)
    makes = flags & (Open.CREAT | Open.TMPFILE)
    if flags & ~_KNOWN or resolve >> 6 or mode & ~PERMISSIONS or (mode and not makes):
        raise Errno(EINVAL)
    if flags & Open.PATH and flags & ~_WITH_PATH:
        raise Errno(EINVAL)
    if resolve & _BENEATH and resolve & _IN_ROOT:
        raise Errno(EINVAL)
    how = _opening(flags, mode)
    if resolve & _CACHED and (makes or flags & Open.TRUNC):
        raise Errno(EINVAL)
    return _open(context, folder_fd, path, how, _rules(resolve))


def _open(context: Context, folder_fd: int, address: int, how: Opening, rules: Rules) -> int:
    filesystem = context.filesystem
    path = path_at(context, address)
    context.files.free()
    start = start_of(context, folder_fd, b"" if rules.in_root else path)
    walk = filesystem.walk(rules).begin(start)
    file = open_path(filesystem, walk, start, path, how)
    return context.files.add(file, close_on_exec=how.close_on_exec)


def _opening(flags: int, mode: int) -> Opening:
    """The door's translation (fs/open.c, build_open_flags)."""
    if flags & Open.PATH:
        flags &= _WITH_PATH
    access = flags & ACCESS_MODE
    creates, temporary = bool(flags & Open.CREAT), bool(flags & Open.TMPFILE)
    if creates and flags & Open.DIRECTORY:
        raise Errno(EINVAL)
    if temporary and (not flags & Open.DIRECTORY or access == 0):
        raise Errno(EINVAL)
    return Opening(
        read=access in (0, Open.RDWR),
        write=access in (Open.WRONLY, Open.RDWR),
        flags=flags & _KEPT | (0 if flags & Open.PATH else Open.LARGEFILE),
        asks_write=access != 0,
        create=creates,
        exclusive=bool(flags & Open.EXCL),
        truncate=bool(flags & Open.TRUNC),
        folder=bool(flags & Open.DIRECTORY),
        follow=not flags & Open.NOFOLLOW,
        path_only=bool(flags & Open.PATH),
        temporary=temporary,
        close_on_exec=bool(flags & Open.CLOEXEC),
        mode=mode,
    )


def _rules(resolve: int) -> Rules:
    return Rules(
        links=not resolve & _NO_SYMLINKS,
        magic_links=not resolve & (_NO_MAGICLINKS | _NO_SYMLINKS),
        beneath=bool(resolve & _BENEATH),
        in_root=bool(resolve & _IN_ROOT),
        one_device=bool(resolve & _NO_XDEV),
    )
