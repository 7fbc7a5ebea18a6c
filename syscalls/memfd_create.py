"""memfd_create(2): a file in memory that has no name in the tree.

It is one of the host's, so that seals, holes and sizes are as on Linux; the bytes that are written
to it count as output. Deviation: MFD_HUGETLB is EINVAL.
"""

from __future__ import annotations

import os

from syscalls.abi import EINVAL, Errno
from syscalls.context import Context
from syscalls.files.host_file import HostFile
from syscalls.files.host_node import HostNode
from syscalls.files.numbers import Open
from syscalls.files.place import Place

_CLOEXEC, _ALLOW_SEALING, _NOEXEC_SEAL, _EXEC = 1, 2, 8, 0x10
_LONGEST_NAME = 249


def memfd_create(context: Context, address: int, flags: int) -> int:
    if flags & ~(_CLOEXEC | _ALLOW_SEALING | _NOEXEC_SEAL | _EXEC):
        raise Errno(EINVAL)
    if flags & _NOEXEC_SEAL and flags & _EXEC:
        raise Errno(EINVAL)
    name = context.user.string(address, _LONGEST_NAME + 1, EINVAL)
    context.files.free()
    disk = context.filesystem.disk
    handle = disk.handles.make(os.memfd_create, os.fsdecode(name), flags | _CLOEXEC)
    place = Place(None, b"/memfd:" + name, HostNode(disk, handle), writable=True)
    place.removed = True
    file = HostFile(disk, handle, place, Open.RDWR | Open.LARGEFILE)
    return context.files.add(file, close_on_exec=bool(flags & _CLOEXEC))
