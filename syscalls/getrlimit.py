"""getrlimit(2), setrlimit(2), prlimit64(2): soft and hard limits, of the process itself.

"The soft limit is the value that the kernel enforces"; which of them are, resources.py says. Who
has CAP_SYS_RESOURCE may raise the hard limit.
"""

from __future__ import annotations

import struct

from syscalls.abi import EINVAL, EPERM, Errno
from syscalls.context import Context
from syscalls.credentials import Cap
from syscalls.identity import own
from syscalls.resources import MOST_FILES, Resource

_RLIMIT = struct.Struct("<QQ")


def getrlimit(context: Context, resource: int, limit: int) -> int:
    context.user.pack(_RLIMIT, limit, *_limits(context, _known(resource)))
    return 0


def setrlimit(context: Context, resource: int, limit: int) -> int:
    soft, hard = context.user.unpack(_RLIMIT, limit)
    _change(context, _known(resource), soft, hard)
    return 0


def prlimit64(context: Context, pid: int, resource: int, new: int, old: int) -> int:
    """The limits are changed even if the old ones cannot be stored."""
    wanted = context.user.unpack(_RLIMIT, new) if new else None
    own(pid)
    known = _known(resource)
    before = _limits(context, known)
    if wanted:
        _change(context, known, *wanted)
    if old:
        context.user.pack(_RLIMIT, old, *before)
    return 0


def _known(resource: int) -> Resource:
    if resource not in tuple(Resource):
        raise Errno(EINVAL)
    return Resource(resource)


def _limits(context: Context, resource: Resource) -> tuple[int, int]:
    resources = context.task.resources
    return resources.soft(context, resource), resources.hard(context, resource)


def _change(context: Context, resource: Resource, soft: int, hard: int) -> None:
    task = context.task
    if soft > hard:
        raise Errno(EINVAL)
    if resource == Resource.NOFILE and hard > MOST_FILES:
        raise Errno(EPERM)
    if hard > task.resources.hard(context, resource):
        task.credentials.require(Cap.SYS_RESOURCE)
    task.resources.change(context, resource, soft, hard)
