"""Waiting, in a process that nobody else can wake: time passes, and nothing else happens."""

from __future__ import annotations

from syscalls.call import Context, Deadlock


def wait(context: Context, duration: int | None) -> None:
    """For so many nanoseconds; None is for ever, which is a Deadlock."""
    if duration is None:
        raise Deadlock("the process waits for ever: there is nobody to wake it")
    if duration > 0:
        context.clock.sleep(duration)
