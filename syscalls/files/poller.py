"""Waiting for files of the host: those that a person handed over as standard files."""

from __future__ import annotations

import select
from collections.abc import Iterable

from syscalls.files.host import ask
from syscalls.files.numbers import POLLIN, POLLOUT, POLLPRI

_LONGEST = (1 << 31) - 1
"""Milliseconds that poll(2) can be told to wait."""
_ASKED = POLLIN | POLLPRI | POLLOUT | 0x40 | 0x100


def ready_now(fd: int) -> int:
    """What poll(2) says of the host's descriptor, without waiting."""
    poller = select.poll()
    poller.register(fd, _ASKED)
    found = ask(poller.poll, 0)
    return found[0][1] if found else 0


def wait_for(wanted: Iterable[tuple[int, int]], milliseconds: float | None) -> None:
    """Until one of the host's descriptors has one of its events, or the time is over.

    Nobody waits longer than 24 days.
    """
    poller = select.poll()
    for fd, events in wanted:
        poller.register(fd, events)
    ask(poller.poll, None if milliseconds is None else min(milliseconds, _LONGEST))
