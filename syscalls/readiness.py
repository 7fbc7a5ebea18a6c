"""Waiting until files are ready: what poll(2) and select(2) have in common.

In a process of its own, only the host's files become ready by themselves. Time that nobody can
shorten passes at once; waiting without end for what cannot happen is a deadlock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from syscalls.abi import EINVAL, Errno
from syscalls.call import Context, Deadlock
from syscalls.files.file import File
from syscalls.files.poller import wait_for

NANOSECONDS = 1_000_000_000
_FOREVER = (1 << 62) - 1
_SIGSET_SIZE = 8


def await_ready(
    context: Context,
    look: Callable[[], int],
    watched: Sequence[tuple[File, int]],
    timeout: int | None,
) -> int:
    """What `look` finds, now or within so many nanoseconds. watched: files, and events to await."""
    found = look()
    if found or timeout == 0:
        return found
    on_host = [(file.host_fd, events) for file, events in watched if file.host_fd is not None]
    while timeout is None and not found:
        if not on_host:
            raise Deadlock("waiting for ever: nothing watched can become ready")
        wait_for(on_host, None)
        found = look()
    if timeout is None:
        return found
    if on_host and context.world.host_time:
        wait_for(on_host, timeout / 1_000_000)
        return look()
    context.clock.sleep(timeout)
    return look()


def nanoseconds(seconds: int, rest: int) -> int:
    """A timeout. EINVAL where it is none."""
    if seconds < 0 or not 0 <= rest < NANOSECONDS:
        raise Errno(EINVAL)
    return min(_FOREVER, seconds * NANOSECONDS + rest)


def check_mask(context: Context, address: int, size: int) -> None:
    """A signal mask to wait with: EINVAL, EFAULT. Nothing waits, so that it is not put on."""
    if not address:
        return
    if size != _SIGSET_SIZE:
        raise Errno(EINVAL)
    context.user.read(address, size)


def left(context: Context, timeout: int | None, since: int) -> int:
    """Of a timeout that began then, by the clock of the process."""
    return max(0, (timeout or 0) - (context.clock.monotonic() - since))
