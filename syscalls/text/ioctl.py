"""ioctl(2): the request says what the argument is.

Source: asm-generic/ioctls.h, asm-generic/ioctl.h, asm-generic/termbits.h, asm-generic/termios.h,
linux/fs.h. strace knows thousands of requests; here are those that ordinary programs make.
"""

from __future__ import annotations

from syscalls.text.process import int_out, unsigned_out
from syscalls.text.sight import Sight, Text, at, hexadecimal, low, number, signed_decimal
from syscalls.text.terminal import termios
from syscalls.text.words import Names, fields, numbered

_winsize = at(
    "<4H",
    lambda rows, columns, x, y: fields(ws_row=rows, ws_col=columns, ws_xpixel=x, ws_ypixel=y),
)
_FLUSH = numbered("TCIFLUSH TCOFLUSH TCIOFLUSH")
_FLOW = numbered("TCOOFF TCOON TCIOFF TCION")
_DIRECTIONS = ("_IOC_NONE", "_IOC_WRITE", "_IOC_READ", "_IOC_READ|_IOC_WRITE")


def _terminal_word(known: Names) -> Text:
    return lambda value, _: known.get(low(value), f"{number(low(value))} /* TC??? */")


def _nothing(_: int, __: Sight) -> None:
    return None


_REQUESTS: dict[int, tuple[str, Text, bool]] = {
    0x5401: ("TCGETS", termios, True),
    0x5402: ("SNDCTL_TMR_START or TCSETS", termios, False),
    0x5403: ("SNDCTL_TMR_STOP or TCSETSW", termios, False),
    0x5404: ("SNDCTL_TMR_CONTINUE or TCSETSF", termios, False),
    0x5409: ("TCSBRK", signed_decimal, False),
    0x540A: ("TCXONC", _terminal_word(_FLOW), False),
    0x540B: ("TCFLSH", _terminal_word(_FLUSH), False),
    0x540E: ("TIOCSCTTY", signed_decimal, False),
    0x540F: ("TIOCGPGRP", int_out, True),
    0x5410: ("TIOCSPGRP", int_out, False),
    0x5411: ("TIOCOUTQ", int_out, True),
    0x5413: ("TIOCGWINSZ", _winsize, True),
    0x5414: ("TIOCSWINSZ", _winsize, False),
    0x541B: ("FIONREAD", int_out, True),
    0x5421: ("FIONBIO", int_out, False),
    0x5422: ("TIOCNOTTY", _nothing, False),
    0x5425: ("TCSBRKP", signed_decimal, False),
    0x5429: ("TIOCGSID", int_out, True),
    0x5450: ("FIONCLEX", _nothing, False),
    0x5451: ("FIOCLEX", _nothing, False),
    0x5452: ("FIOASYNC", int_out, False),
    0x80045430: ("TIOCGPTN", unsigned_out, True),
    2: ("FIGETBSZ", hexadecimal, False),
    0x40049409: ("BTRFS_IOC_CLONE or FICLONE", signed_decimal, False),
}


def request(value: int, _: Sight) -> str:
    """TCGETS; an unknown one in its four parts."""
    value = low(value)
    if value in _REQUESTS:
        return _REQUESTS[value][0]
    kind, nr, size = value >> 8 & 0xFF, value & 0xFF, value >> 16 & 0x3FFF
    parts = ", ".join(map(number, (kind, nr, size)))
    return f"_IOC({_DIRECTIONS[value >> 30]}, {parts})"


def argument(value: int, sight: Sight) -> str | None:
    _, text, _ = _REQUESTS.get(low(sight.arg(-1)), ("", hexadecimal, False))
    return text(value, sight)


def is_late(sight: Sight) -> bool:
    """Whether the argument is known only after the call."""
    return _REQUESTS.get(low(sight.arg(-1)), ("", hexadecimal, False))[2]
