"""arch_prctl(2): the bases of fs and gs, and whether CPUID may be asked.

"EPERM: addr is outside the process address space." Deviations: CPUID cannot be forbidden (ENODEV,
as on a CPU that cannot fault there), and there are no extended states, no tagged addresses and no
shadow stacks to ask for (EINVAL, as on Linux before 6.6).
"""

from __future__ import annotations

import struct

from syscalls.abi import EINVAL, ENODEV, EPERM, TASK_SIZE, Errno
from syscalls.context import Context

_SET_GS, _SET_FS, _GET_FS, _GET_GS = 0x1001, 0x1002, 0x1003, 0x1004
_GET_CPUID, _SET_CPUID = 0x1011, 0x1012
_SETS = {_SET_GS: "gs_base", _SET_FS: "fs_base"}
_GETS = {_GET_GS: "gs_base", _GET_FS: "fs_base"}
_WORD = struct.Struct("<Q")


def arch_prctl(context: Context, code: int, address: int) -> int:
    if code in _SETS:
        if address >= TASK_SIZE:
            raise Errno(EPERM)
        context.processor.set(_SETS[code], address)
        return 0
    if code in _GETS:
        context.user.pack(_WORD, address, context.processor.get(_GETS[code]))
        return 0
    if code == _GET_CPUID:
        return 1
    raise Errno(ENODEV if code == _SET_CPUID else EINVAL)
