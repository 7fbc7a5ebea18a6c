"""Waiting until files are ready: what poll(2) and select(2) have in common.

In a process of its own, only the host's files become ready by themselves. Time that nobody can
shorten passes at once; waiting without end for what cannot happen is a deadlock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from syscalls.abi import EINTR, EINVAL, Errno
from syscalls.context import Context
from syscalls.files.file import File
from syscalls.files.poller import wait_for

_SIGSET_SIZE = 8


def await_ready(
    context: Context,
    look: Callable[[], int],
    watched: Sequence[tuple[File, int]],
    timeout: int | None,
) -> int:
    """What `look` finds, now or within so many nanoseconds. watched: files, and events to await."""
    found = look()
    if not found and context.signals.due:
        raise Errno(EINTR)
    if found or timeout == 0:
        return found
    on_host = [(file.host_fd, events) for file, events in watched if file.host_fd is not None]
    if on_host and (timeout is None or context.world.host_time):
        return _await_host(look, on_host, timeout)
    context.timers.wait(timeout, "a file to be ready")
    found = look()
    if not found and context.signals.due:
        raise Errno(EINTR)
    return found


def _await_host(
    look: Callable[[], int], on_host: Sequence[tuple[int, int]], timeout: int | None
) -> int:
    """Without a timeout: until it is so."""
    found = 0
    while not found:
        wait_for(on_host, None if timeout is None else timeout / 1_000_000)
        found = look()
        if timeout is not None:
            break
    return found


@contextmanager
def masked(context: Context, address: int, size: int) -> Iterator[None]:
    """Waits with another signal mask, where there is one: EINVAL, EFAULT.

    A signal that it lets through ends the wait (EINTR), and its handler puts the old mask back;
    otherwise the wait does.
    """
    if not address:
        yield
        return
    if size != _SIGSET_SIZE:
        raise Errno(EINVAL)
    signals = context.signals
    mask = int.from_bytes(context.user.read(address, size), "little")
    signals.saved_mask = signals.blocked
    signals.block(mask)
    try:
        yield
    except Errno as error:
        if error.number != EINTR:
            signals.restore_mask()
        raise
    signals.restore_mask()


def left(context: Context, timeout: int | None, since: int) -> int:
    """Of a timeout that began then, by the clock of the process."""
    return max(0, (timeout or 0) - (context.clock.monotonic() - since))
