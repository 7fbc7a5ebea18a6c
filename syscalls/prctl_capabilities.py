"""prctl(2) about capabilities: the bounding set, the ambient set, and keeping them."""

from __future__ import annotations

from collections.abc import Callable

from syscalls.abi import EINVAL, EPERM, Errno
from syscalls.context import Context
from syscalls.credentials import Cap

Args = tuple[int, ...]
"""The arguments behind the option, which are words of 64 bits."""

_IS_SET, _RAISE, _LOWER, _CLEAR_ALL = 1, 2, 3, 4


def absent(args: Args) -> None:
    """EINVAL unless arguments that mean nothing yet are 0."""
    if any(args):
        raise Errno(EINVAL)


def _capability(number: int) -> int:
    """As a set of its own."""
    if number > Cap.LAST:
        raise Errno(EINVAL)
    return 1 << number


def _get_keep(context: Context, args: Args) -> int:
    return int(context.task.credentials.keep_capabilities)


def _set_keep(context: Context, args: Args) -> int:
    if args[0] > 1:
        raise Errno(EINVAL)
    context.task.credentials.keep_capabilities = bool(args[0])
    return 0


def _read_bounding(context: Context, args: Args) -> int:
    return int(bool(context.task.credentials.bounding & _capability(args[0])))


def _drop_bounding(context: Context, args: Args) -> int:
    credentials = context.task.credentials
    credentials.require(Cap.SETPCAP)
    credentials.bounding &= ~_capability(args[0])
    return 0


def _ambient(context: Context, args: Args) -> int:
    what, number, *rest = args
    credentials = context.task.credentials
    if what == _CLEAR_ALL:
        absent((number, *rest))
        credentials.ambient = 0
        return 0
    absent(tuple(rest))
    capability = _capability(number)
    if what == _IS_SET:
        return int(bool(credentials.ambient & capability))
    if what == _RAISE:
        if not credentials.permitted & credentials.inheritable & capability:
            raise Errno(EPERM)
        credentials.ambient |= capability
    elif what == _LOWER:
        credentials.ambient &= ~capability
    else:
        raise Errno(EINVAL)
    return 0


HANDLERS: dict[int, Callable[[Context, Args], int]] = {
    7: _get_keep,
    8: _set_keep,
    23: _read_bounding,
    24: _drop_bounding,
    47: _ambient,
}
