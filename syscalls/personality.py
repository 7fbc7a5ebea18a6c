"""personality(2): remembered, and without effect: addresses are never randomized here."""

from __future__ import annotations

from syscalls.context import Context

_ASK = 0xFFFF_FFFF


def personality(context: Context, persona: int) -> int:
    """The persona before."""
    old = context.task.personality
    if persona & _ASK != _ASK:
        context.task.personality = persona & _ASK
    return old
