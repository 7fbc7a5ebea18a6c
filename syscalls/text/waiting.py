"""wait4(2): how a child ended, where one did. Source: linux/wait.h, bits/waitstatus.h."""

from __future__ import annotations

from syscalls.signal_numbers import signal_name
from syscalls.text.process import rusage
from syscalls.text.sight import Sight, low, pointer

_CONTINUED = 0xFFFF
_STOPPED = 0x7F


def status(value: int, sight: Sight) -> str:
    """Only where a child was there to be waited for."""
    data = sight.read(value, 4) if value and (sight.result or 0) > 0 else None
    return pointer(value) if data is None else f"[{_ended(int.from_bytes(data, 'little'))}]"


def usage(value: int, sight: Sight) -> str:
    """What it has used."""
    return rusage(value, sight) if (sight.result or 0) > 0 else pointer(value)


def _ended(word: int) -> str:
    word = low(word)
    signal, exited = word & 0x7F, word >> 8 & 0xFF
    if word == _CONTINUED:
        return "{WIFCONTINUED(s)}"
    if signal == 0:
        return f"{{WIFEXITED(s) && WEXITSTATUS(s) == {exited}}}"
    if word & 0xFF == _STOPPED:
        return f"{{WIFSTOPPED(s) && WSTOPSIG(s) == {signal_name(exited)}}}"
    if word & 0xFF > _STOPPED and signal == _STOPPED:
        return f"{word:#x}"
    core = " && WCOREDUMP(s)" if word & 0x80 else ""
    return f"{{WIFSIGNALED(s) && WTERMSIG(s) == {signal_name(signal)}{core}}}"
