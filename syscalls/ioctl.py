"""ioctl(2): what every file knows (ioctl_fio), and the terminal (tty_ioctl(4)); else ENOTTY."""

from __future__ import annotations

import struct
import termios

from syscalls.abi import ENOTTY, Errno
from syscalls.context import Context
from syscalls.files.file import File
from syscalls.files.numbers import S_IFDIR, S_IFLNK, S_IFREG, Open
from syscalls.identity import PID, PPID

_FIONCLEX, _FIOCLEX, _FIONBIO, _FIOASYNC, _FIOQSIZE, _FIONREAD = (
    0x5450, 0x5451, 0x5421, 0x5452, 0x5460, 0x541B,
)  # fmt: skip
_TIOCGPGRP, _TIOCSPGRP, _TIOCGSID = 0x540F, 0x5410, 0x5429
_SETS_ATTRIBUTES = (termios.TCSETS, termios.TCSETSW, termios.TCSETSF)
_ATTRIBUTES = 36
_INT, _WORD, _LONG = struct.Struct("<i"), struct.Struct("<I"), struct.Struct("<q")


def ioctl(context: Context, fd: int, request: int, argument: int) -> int:
    file = context.files.at(fd)
    request &= 0xFFFF_FFFF
    if request in (_FIOCLEX, _FIONCLEX):
        context.files.set_close_on_exec(fd, request == _FIOCLEX)
    elif request in (_FIONBIO, _FIOASYNC):
        flag = Open.NONBLOCK if request == _FIONBIO else Open.ASYNC
        on = context.user.unpack(_INT, argument)[0]
        file.set_flags(file.flags | flag if on else file.flags & ~flag)
    elif request == _FIOQSIZE:
        context.user.pack(_LONG, argument, _size(file))
    elif request == _FIONREAD:
        context.user.pack(_WORD, argument, file.waiting() & 0xFFFF_FFFF)
    else:
        _control(context, file, request, argument)
    return 0


def _size(file: File) -> int:
    """FIOQSIZE: what it takes on the disk."""
    stat = file.stat()
    if stat.kind not in (S_IFREG, S_IFDIR, S_IFLNK):
        raise Errno(ENOTTY)
    return stat.blocks * 512


def _control(context: Context, file: File, request: int, argument: int) -> None:
    """What only a terminal knows."""
    if request in (_TIOCGPGRP, _TIOCSPGRP, _TIOCGSID):
        file.control(termios.TIOCGWINSZ, b"")  # ENOTTY where it is none
        if request != _TIOCSPGRP:
            context.user.pack(_INT, argument, PID if request == _TIOCGPGRP else PPID)
        return
    given = context.user.read(argument, _ATTRIBUTES) if request in _SETS_ATTRIBUTES else b""
    answer = file.control(request, given)
    if answer:
        context.user.write(argument, answer)
