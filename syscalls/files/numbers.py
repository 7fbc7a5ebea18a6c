"""Linux's numbers of files, x86-64.

Sources: include/uapi/asm-generic/{fcntl,poll}.h, include/uapi/linux/{fcntl,stat,fs,limits}.h.
"""

from __future__ import annotations

from enum import IntFlag

NAME_MAX = 255
PATH_MAX = 4096
MOST_LINKS = 40
"""Symbolic links that one path may lead through."""
AT_FDCWD = -100
MOST_OFFSET = (1 << 63) - 1

S_IFMT, S_IFREG, S_IFDIR, S_IFLNK = 0o170000, 0o100000, 0o040000, 0o120000
S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK = 0o020000, 0o060000, 0o010000, 0o140000
S_ISUID, S_ISGID, S_ISVTX = 0o4000, 0o2000, 0o1000
PERMISSIONS = 0o7777

SEEK_SET, SEEK_CUR, SEEK_END, SEEK_DATA, SEEK_HOLE = range(5)
RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_WHITEOUT = 1, 2, 4

POLLIN, POLLPRI, POLLOUT, POLLERR, POLLHUP, POLLNVAL = 1, 2, 4, 8, 0x10, 0x20
POLLRDNORM, POLLWRNORM = 0x40, 0x100
READABLE_NOW, WRITABLE_NOW = POLLIN | POLLRDNORM, POLLOUT | POLLWRNORM
ALWAYS_READY = READABLE_NOW | WRITABLE_NOW


class Open(IntFlag):
    """open(2), but for the two bits of the access mode; TMPFILE without its O_DIRECTORY."""

    WRONLY = 1
    RDWR = 2
    CREAT = 0o100
    EXCL = 0o200
    NOCTTY = 0o400
    TRUNC = 0o1000
    APPEND = 0o2000
    NONBLOCK = 0o4000
    DSYNC = 0o10000
    ASYNC = 0o20000
    DIRECT = 0o40000
    LARGEFILE = 0o100000
    DIRECTORY = 0o200000
    NOFOLLOW = 0o400000
    NOATIME = 0o1000000
    CLOEXEC = 0o2000000
    SYNC = 0o4000000
    PATH = 0o10000000
    TMPFILE = 0o20000000


ACCESS_MODE = 3


class At(IntFlag):
    """The flags of the calls that end in "at"."""

    EACCESS = 0x200
    REMOVEDIR = 0x200
    SYMLINK_NOFOLLOW = 0x100
    SYMLINK_FOLLOW = 0x400
    NO_AUTOMOUNT = 0x800
    EMPTY_PATH = 0x1000
    STATX_FORCE_SYNC = 0x2000
    STATX_DONT_SYNC = 0x4000
