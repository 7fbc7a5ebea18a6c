"""capget(2), capset(2): sets of capabilities, in the three layouts that Linux has had.

"EINVAL: one of the arguments was invalid"; of an unknown version, the one that Linux prefers is
stored in the header first, and a NULL for the data makes that no error.
"""

from __future__ import annotations

import struct

from syscalls.abi import EINVAL, EPERM, ESRCH, Errno
from syscalls.context import Context
from syscalls.credentials import ALL, Cap, Credentials
from syscalls.identity import PID

_VERSION_1, _VERSION_2, _VERSION_3 = 0x19980330, 0x20071026, 0x20080522
_WORDS = {_VERSION_1: 1, _VERSION_2: 2, _VERSION_3: 2}
"""How many words of 32 capabilities each version has."""
_U32, _PID = struct.Struct("<I"), struct.Struct("<i")
_SETS = struct.Struct("<III")
"""effective, permitted, inheritable: struct __user_cap_data_struct."""
_LOW = 0xFFFF_FFFF


def capget(context: Context, header: int, data: int) -> int:
    try:
        words = _words(context, header)
    except Errno as error:
        if error.number == EINVAL and not data:
            return 0
        raise
    if not data:
        return 0
    pid = _pid(context, header)
    if pid < 0:
        raise Errno(EINVAL)
    if pid not in (0, PID):
        raise Errno(ESRCH)
    held = context.task.credentials
    sets = (held.effective, held.permitted, held.inheritable)
    parts = [_SETS.pack(*(one >> 32 * word & _LOW for one in sets)) for word in range(words)]
    context.user.write(data, b"".join(parts))
    return 0


def capset(context: Context, header: int, data: int) -> int:
    words = _words(context, header)
    if _pid(context, header) not in (0, PID):
        raise Errno(EPERM)
    parts = list(_SETS.iter_unpack(context.user.read(data, words * _SETS.size)))
    effective, permitted, inheritable = (
        sum(part[which] << 32 * word for word, part in enumerate(parts)) & ALL for which in range(3)
    )
    credentials = context.task.credentials
    _check(credentials, effective, permitted, inheritable)
    credentials.effective, credentials.permitted = effective, permitted
    credentials.inheritable = inheritable
    credentials.ambient &= permitted & inheritable
    return 0


def _check(held: Credentials, effective: int, permitted: int, inheritable: int) -> None:
    """Nobody gives himself what he does not have (capabilities(7))."""
    if not held.can(Cap.SETPCAP):
        _within(inheritable, held.inheritable | held.permitted)
    _within(inheritable, held.inheritable | held.bounding)
    _within(permitted, held.permitted)
    _within(effective, permitted)


def _within(wanted: int, allowed: int) -> None:
    if wanted & ~allowed:
        raise Errno(EPERM)


def _words(context: Context, header: int) -> int:
    (version,) = context.user.unpack(_U32, header)
    if version not in _WORDS:
        context.user.pack(_U32, header, _VERSION_3)
        raise Errno(EINVAL)
    return _WORDS[version]


def _pid(context: Context, header: int) -> int:
    return context.user.unpack(_PID, header + _U32.size)[0]
