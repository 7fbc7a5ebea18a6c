"""What stat(2) tells of a file, whatever the layout it is told in."""

from __future__ import annotations

import os
from dataclasses import dataclass

from syscalls.files.numbers import S_IFMT

BLOCK = 4096


@dataclass(frozen=True, slots=True)
class Stat:
    """inode(7). Times are in nanoseconds; blocks are of 512 bytes."""

    mode: int
    ino: int = 0
    dev: int = 0
    nlink: int = 1
    uid: int = 0
    gid: int = 0
    rdev: int = 0
    size: int = 0
    blksize: int = BLOCK
    blocks: int = 0
    atime: int = 0
    mtime: int = 0
    ctime: int = 0

    @property
    def kind(self) -> int:
        """S_IFREG, S_IFDIR..."""
        return self.mode & S_IFMT


def of_host(found: os.stat_result, *, timeless: bool = False) -> Stat:
    """The host's answer. timeless: with all times 0.

    The guest is root (user_namespaces(7)): what belongs to us on the host belongs to root.
    """
    times = (0, 0, 0) if timeless else (found.st_atime_ns, found.st_mtime_ns, found.st_ctime_ns)
    return Stat(
        found.st_mode,
        found.st_ino,
        found.st_dev,
        found.st_nlink,
        0 if found.st_uid == os.geteuid() else found.st_uid,
        0 if found.st_gid == os.getegid() else found.st_gid,
        found.st_rdev,
        found.st_size,
        found.st_blksize,
        found.st_blocks,
        *times,
    )


def device(major: int, minor: int) -> int:
    """A device's number as st_rdev has it."""
    return major << 8 | minor & 0xFF | (minor & ~0xFF) << 12
