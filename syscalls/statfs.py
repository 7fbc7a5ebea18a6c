"""statfs(2), fstatfs(2).

Deviation: what is free changes from day to day, so it is told from what the world allows: the
bytes that may still be written where the guest may write, and nothing elsewhere.
"""

from __future__ import annotations

import struct

from syscalls.context import Context
from syscalls.files.host import HostStatfs
from syscalls.files.host_node import HostNode
from syscalls.files.numbers import AT_FDCWD, NAME_MAX, S_IFIFO
from syscalls.files.opening import NEW_FILE_COST
from syscalls.files.own import place_of
from syscalls.files.place import Place
from syscalls.files.stat import BLOCK
from syscalls.paths import find, path_at

_STATFS = struct.Struct("<qqQQQQQiiqqq32x")
_PROC, _TMPFS, _PIPEFS = 0x9FA0, 0x01021994, 0x50495045
_READ_ONLY, _VALID, _RELATIVE_TIMES = 1, 0x20, 0x1000


def statfs(context: Context, path: int, into: int) -> int:
    return _store(context, into, find(context, AT_FDCWD, path_at(context, path)))


def fstatfs(context: Context, fd: int, into: int) -> int:
    return _store(context, into, place_of(context.files.at(fd, path_too=True)))


def _store(context: Context, address: int, place: Place) -> int:
    if isinstance(place.node, HostNode):
        _store_host(context, address, place, HostStatfs(place.node.handle.fd))
    else:
        kind = _PIPEFS if place.node.kind == S_IFIFO else _type_of(place)
        context.user.pack(
            _STATFS, address, kind, BLOCK, 0, 0, 0, 0, 0, 0, 0, NAME_MAX, BLOCK, _VALID
        )
    return 0


def _store_host(context: Context, address: int, place: Place, host: HostStatfs) -> None:
    writable = place.domain.writable
    left = max(0, context.world.most_output - context.written) if writable else 0
    free = min(host.blocks, left // host.block_size)
    free_files = min(host.files, left // NEW_FILE_COST)
    flags = _VALID | _RELATIVE_TIMES | (0 if writable else _READ_ONLY)
    context.user.pack(
        _STATFS, address, host.type, host.block_size, host.blocks, free, free, host.files,
        free_files, 0, 0, host.name_length, host.fragment_size, flags,
    )  # fmt: skip


def _type_of(place: Place) -> int:
    return _PROC if place.spelled.startswith(b"/proc") else _TMPFS
