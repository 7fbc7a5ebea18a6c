"""prctl(2): a process about itself. What needs no more than memory is remembered and told.

Options that Linux does not have on x86-64 answer EINVAL; so do here those for which there is
nothing behind: seccomp, core scheduling, PR_SET_MM, dispatch of system calls, memory that denies
write and execute, PR_SET_TSC but to allow, merging of pages, machine checks, and names of
mappings (PR_SET_VMA, as without CONFIG_ANON_VMA_NAME). No bit of PR_SET_SECUREBITS may be set.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from syscalls.abi import EFAULT, EINVAL, ENODEV, ENXIO, EPERM, Errno
from syscalls.context import Context
from syscalls.credentials import Cap
from syscalls.prctl_capabilities import HANDLERS as CAPABILITIES
from syscalls.prctl_capabilities import Args, absent
from syscalls.task import DEFAULT_SLACK

_INT, _WORD = struct.Struct("<i"), struct.Struct("<Q")
_NAME_SIZE = 16
_MOST_SIGNALS = 64
_DISABLED, _DUMPABLE = 0, 1
_TSC_ALLOWED = 1
_SPECULATION = range(3)


def prctl(context: Context, option: int, second: int, third: int, fourth: int, fifth: int) -> int:
    handler = _HANDLERS.get(option)
    if handler is None:
        raise Errno(EINVAL)
    return handler(context, (second, third, fourth, fifth))


def _set_death_signal(context: Context, args: Args) -> int:
    if args[0] > _MOST_SIGNALS:
        raise Errno(EINVAL)
    context.task.death_signal = args[0]
    return 0


def _get_death_signal(context: Context, args: Args) -> int:
    context.user.pack(_INT, args[0], context.task.death_signal)
    return 0


def _set_dumpable(context: Context, args: Args) -> int:
    if args[0] not in (_DISABLED, _DUMPABLE):
        raise Errno(EINVAL)
    context.task.dumpable = args[0]
    return 0


def _set_name(context: Context, args: Args) -> int:
    """Cut at 15 bytes; a page that cannot be read behind the NUL does not matter."""
    longest = _NAME_SIZE - 1
    given = context.user.read(args[0], context.user.readable(args[0], longest))
    if b"\0" not in given and len(given) < longest:
        raise Errno(EFAULT)
    context.filesystem.program.name = given.partition(b"\0")[0]
    return 0


def _get_name(context: Context, args: Args) -> int:
    context.user.write(args[0], context.filesystem.program.command.ljust(_NAME_SIZE, b"\0"))
    return 0


def _set_timing(context: Context, args: Args) -> int:
    if args[0]:
        raise Errno(EINVAL)
    return 0


def _get_tsc(context: Context, args: Args) -> int:
    context.user.pack(_INT, args[0], _TSC_ALLOWED)
    return 0


def _set_tsc(context: Context, args: Args) -> int:
    if args[0] & 0xFFFF_FFFF != _TSC_ALLOWED:
        raise Errno(EINVAL)
    return 0


def _set_slack(context: Context, args: Args) -> int:
    context.task.slack = args[0] or DEFAULT_SLACK
    return 0


def _set_subreaper(context: Context, args: Args) -> int:
    context.task.subreaper = bool(args[0])
    return 0


def _get_subreaper(context: Context, args: Args) -> int:
    context.user.pack(_INT, args[0], int(context.task.subreaper))
    return 0


def _set_no_new_privileges(context: Context, args: Args) -> int:
    if args != (1, 0, 0, 0):
        raise Errno(EINVAL)
    context.task.no_new_privileges = True
    return 0


def _get_no_new_privileges(context: Context, args: Args) -> int:
    absent(args)
    return int(context.task.no_new_privileges)


def _get_tid_address(context: Context, args: Args) -> int:
    context.user.pack(_WORD, args[0], context.task.tid_address)
    return 0


def _set_no_huge_pages(context: Context, args: Args) -> int:
    absent(args[1:])
    context.task.no_huge_pages = bool(args[0])
    return 0


def _get_no_huge_pages(context: Context, args: Args) -> int:
    absent(args)
    return int(context.task.no_huge_pages)


def _get_speculation(context: Context, args: Args) -> int:
    """PR_SPEC_NOT_AFFECTED, whatever is asked for."""
    absent(args[1:])
    if args[0] not in _SPECULATION:
        raise Errno(ENODEV)
    return 0


def _set_speculation(context: Context, args: Args) -> int:
    absent(args[2:])
    raise Errno(ENXIO if args[0] in _SPECULATION else ENODEV)


def _set_securebits(context: Context, args: Args) -> int:
    if args[0] or not context.task.credentials.can(Cap.SETPCAP):
        raise Errno(EPERM)
    return 0


_HANDLERS: dict[int, Callable[[Context, Args], int]] = {
    1: _set_death_signal,
    2: _get_death_signal,
    3: lambda context, _: context.task.dumpable,
    4: _set_dumpable,
    13: lambda context, _: 0,  # PR_GET_TIMING
    14: _set_timing,
    15: _set_name,
    16: _get_name,
    25: _get_tsc,
    26: _set_tsc,
    27: lambda context, _: 0,  # PR_GET_SECUREBITS
    28: _set_securebits,
    29: _set_slack,
    30: lambda context, _: context.task.slack,
    31: lambda context, _: 0,  # PR_TASK_PERF_EVENTS_DISABLE, and ENABLE: there are none
    32: lambda context, _: 0,
    36: _set_subreaper,
    37: _get_subreaper,
    38: _set_no_new_privileges,
    39: _get_no_new_privileges,
    40: _get_tid_address,
    41: _set_no_huge_pages,
    42: _get_no_huge_pages,
    52: _get_speculation,
    53: _set_speculation,
    **CAPABILITIES,
}
