"""fcntl(2): what its argument and its answer mean depends on the command.

Source: asm-generic/fcntl.h, linux/fcntl.h.
"""

from __future__ import annotations

from syscalls.signal_numbers import signal_name
from syscalls.text.files import WHENCE_NAMES, open_words
from syscalls.text.sight import Sight, Text, at, hexadecimal, low, number, signed_decimal
from syscalls.text.signals import signal
from syscalls.text.words import bits, choice, fields, flag_words, names, numbered, one_of

COMMANDS = numbered(
    "DUPFD GETFD SETFD GETFL SETFL GETLK SETLK SETLKW SETOWN GETOWN SETSIG GETSIG - - - SETOWN_EX"
    " GETOWN_EX GETOWNER_UIDS", "F_"
) | names("F_OFD_GETLK 36 F_OFD_SETLK 37 F_OFD_SETLKW 38") | numbered(
    "SETLEASE GETLEASE NOTIFY - - CANCELLK DUPFD_CLOEXEC SETPIPE_SZ GETPIPE_SZ ADD_SEALS"
    " GET_SEALS", "F_", 1024
)  # fmt: skip
_LOCKS = names("F_RDLCK 0 F_WRLCK 1 F_UNLCK 2 F_EXLCK 4 F_SHLCK 8")
_SEALS = bits("SEAL SHRINK GROW WRITE FUTURE_WRITE", "F_SEAL_")
_NOTIFY = bits("ACCESS MODIFY CREATE DELETE RENAME ATTRIB", "DN_") | {1 << 31: "DN_MULTISHOT"}
_OWNERS = numbered("F_OWNER_TID F_OWNER_PID F_OWNER_PGRP")
_FD = bits("FD_CLOEXEC")
GETFD, GETFL, GETSIG, GETLEASE, GET_SEALS = 1, 3, 11, 1025, 1034
_SILENT = {GETFD, GETFL, 9, GETSIG, GETLEASE, 1032, GET_SEALS}
_OUT = {5, 16, 36}
"""Commands whose structure is known only after the call."""

command = choice(COMMANDS, "F")


def _lock(kind: int, whence: int, start: int, length: int, pid: int | None = None) -> str:
    shown: dict[str, object] = {
        "l_type": one_of(kind, _LOCKS, "F"),
        "l_whence": one_of(whence, WHENCE_NAMES, "SEEK"),
        "l_start": start,
        "l_len": length,
    }
    return fields(**shown) if pid is None else fields(**shown, l_pid=pid)


def _owner(kind: int, pid: int) -> str:
    return fields(type=one_of(kind, _OWNERS, "F_OWNER"), pid=pid)


_ARGUMENTS: dict[int, Text] = {
    0: signed_decimal, 1030: signed_decimal, 8: signed_decimal, 1031: signed_decimal,
    2: lambda value, _: flag_words(value, _FD, "FD"),
    4: lambda value, _: open_words(low(value)),
    5: at("<HH4xqqi4x", _lock), 36: at("<HH4xqqi4x", _lock),
    **dict.fromkeys((6, 7, 37, 38), at("<HH4xqq8x", _lock)),
    10: signal,
    15: at("<Ii", _owner), 16: at("<Ii", _owner),
    1024: choice(_LOCKS, "F"),
    1026: lambda value, _: flag_words(value, _NOTIFY, "DN"),
    1033: lambda value, _: flag_words(value, _SEALS, "F_SEAL"),
}  # fmt: skip


def argument(value: int, sight: Sight) -> str | None:
    """None for the commands that take none."""
    asked = low(sight.arg(-1))
    if asked in _SILENT:
        return None
    return _ARGUMENTS.get(asked, hexadecimal)(value, sight)


def is_late(sight: Sight) -> bool:
    """Whether the argument is known only after the call."""
    return low(sight.arg(-1)) in _OUT


def answer(value: int, sight: Sight) -> str | None:
    """What the answer of a command means, where it is more than a number."""
    asked, result = low(value), sight.result or 0
    if asked == GETFL:
        return f"{number(result)} (flags {open_words(result)})"
    if asked == GETFD and result:
        return f"{number(result)} (flags {flag_words(result, _FD, 'FD').split(' ')[0]})"
    if asked == GET_SEALS and result:
        return f"{number(result)} (seals {flag_words(result, _SEALS, 'F_SEAL')})"
    if asked == GETLEASE:
        return f"{number(result)} ({_LOCKS[result]})" if result in _LOCKS else number(result)
    if asked == GETSIG and result:
        return f"{result} ({signal_name(result)})"
    return None
