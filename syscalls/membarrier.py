"""membarrier(2): barriers between threads, of which there is one, on one CPU: nothing to do.

"EPERM: a private command was attempted by a process that was not registered." Deviation: the
commands for restartable sequences are unknown, as without rseq.
"""

from __future__ import annotations

from syscalls.abi import EINVAL, EPERM, Errno
from syscalls.context import Context

_QUERY = 0
_GLOBAL, _GLOBAL_EXPEDITED, _REGISTER_GLOBAL_EXPEDITED = 1, 2, 4
_PRIVATE_EXPEDITED, _REGISTER_PRIVATE_EXPEDITED = 8, 16
_PRIVATE_SYNC_CORE, _REGISTER_PRIVATE_SYNC_CORE = 32, 64
_KNOWN = 0x7F
_REGISTERS = {
    _PRIVATE_EXPEDITED: _REGISTER_PRIVATE_EXPEDITED,
    _PRIVATE_SYNC_CORE: _REGISTER_PRIVATE_SYNC_CORE,
}
"""What has to be registered, by what."""


def membarrier(context: Context, command: int, flags: int, cpu: int) -> int:
    if flags:
        raise Errno(EINVAL)
    if command == _QUERY:
        return _KNOWN
    if command not in (1 << bit for bit in range(_KNOWN.bit_length())):
        raise Errno(EINVAL)
    needed = _REGISTERS.get(command, 0)
    if needed & ~context.task.membarriers:
        raise Errno(EPERM)
    if command in _REGISTERS.values():
        context.task.membarriers |= command
    return 0
