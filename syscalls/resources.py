"""Resource limits: which there are, and where each one is kept.

A soft limit is kept by who enforces it: the address space (AS, DATA, STACK, MEMLOCK) or the table
of files (NOFILE). The others are remembered only: nothing here runs out of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import IntEnum
from typing import TYPE_CHECKING

from syscalls.shortage import Limits

if TYPE_CHECKING:
    from syscalls.context import Context

INFINITY = (1 << 64) - 1
MOST_FILES = 1 << 20
"""/proc/sys/fs/nr_open: the highest hard limit of open files."""


class Resource(IntEnum):
    """getrlimit(2); include/uapi/asm-generic/resource.h."""

    CPU = 0
    FSIZE = 1
    DATA = 2
    STACK = 3
    CORE = 4
    RSS = 5
    NPROC = 6
    NOFILE = 7
    MEMLOCK = 8
    AS = 9
    LOCKS = 10
    SIGPENDING = 11
    MSGQUEUE = 12
    NICE = 13
    RTPRIO = 14
    RTTIME = 15


_SOFT = {
    Resource.CORE: 0,
    Resource.NPROC: 63_000,
    Resource.SIGPENDING: 63_000,
    Resource.MSGQUEUE: 819_200,
    Resource.NICE: 0,
    Resource.RTPRIO: 0,
}
_HARD = _SOFT | {Resource.CORE: INFINITY, Resource.NOFILE: MOST_FILES, Resource.MEMLOCK: 8 << 20}
_Get = Callable[[Limits], int | None]
_Change = Callable[[Limits, int | None], Limits]
_OF_THE_SPACE: dict[Resource, tuple[_Get, _Change]] = {
    Resource.DATA: (lambda old: old.data, lambda old, new: replace(old, data=new)),
    Resource.STACK: (lambda old: old.stack, lambda old, new: replace(old, stack=new)),
    Resource.MEMLOCK: (lambda old: old.locked, lambda old, new: replace(old, locked=new)),
    Resource.AS: (
        lambda old: old.address_space, lambda old, new: replace(old, address_space=new),
    ),
}  # fmt: skip


class Resources:
    """The limits of one process; RLIM_INFINITY for none."""

    def __init__(self) -> None:
        self._soft = {resource: _SOFT.get(resource, INFINITY) for resource in Resource}
        self._hard = {resource: _HARD.get(resource, INFINITY) for resource in Resource}

    def soft(self, context: Context, resource: Resource) -> int:
        """The limit that holds."""
        if resource in _OF_THE_SPACE:
            get, _ = _OF_THE_SPACE[resource]
            limit = get(context.space.limits)
            return INFINITY if limit is None else limit
        if resource == Resource.NOFILE:
            return context.files.most
        return self._soft[resource]

    def hard(self, context: Context, resource: Resource) -> int:
        """How far the soft limit may be raised."""
        return max(self._hard[resource], self.soft(context, resource))

    def change(self, context: Context, resource: Resource, soft: int, hard: int) -> None:
        """New limits, which hold from now on."""
        self._hard[resource] = hard
        if resource == Resource.DATA:
            context.space.limits = replace(context.space.limits, hard_data=_limit(hard))
        if resource in _OF_THE_SPACE:
            _, change = _OF_THE_SPACE[resource]
            context.space.limits = change(context.space.limits, _limit(soft))
        elif resource == Resource.NOFILE:
            context.files.most = soft
        else:
            self._soft[resource] = soft


def _limit(number: int) -> int | None:
    """As shortage.Limits has it."""
    return None if number == INFINITY else number
