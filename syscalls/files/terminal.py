"""The host's terminal, where a standard file is one (tty_ioctl(4)).

What a program sets stays set while it runs, and is as before when it has closed the file.
"""

from __future__ import annotations

import fcntl
import os
import termios

from syscalls.abi import ENOTTY, Errno
from syscalls.files.host import ask

_ATTRIBUTES = 36
"""The bytes of the kernel's struct termios."""
_SET = (termios.TCSETS, termios.TCSETSW, termios.TCSETSF)
TCGETS, TIOCGWINSZ, FIONREAD = termios.TCGETS, termios.TIOCGWINSZ, termios.FIONREAD


class Terminal:
    """What may be asked of one, by request."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._before: bytes | None = None

    @staticmethod
    def of(fd: int | None) -> Terminal | None:
        """None where the host's descriptor is no terminal."""
        return Terminal(fd) if fd is not None and os.isatty(fd) else None

    @staticmethod
    def waiting(fd: int) -> int:
        """How many bytes the host has for us."""
        answer: bytes = ask(fcntl.ioctl, fd, FIONREAD, bytes(4))
        return int.from_bytes(answer, "little")

    def control(self, request: int, argument: bytes) -> bytes:
        """The answer's bytes; none for what only sets."""
        if request in (TCGETS, TIOCGWINSZ):
            size = _ATTRIBUTES if request == TCGETS else 8
            answer: bytes = ask(fcntl.ioctl, self._fd, request, bytes(size))
            return answer
        if request in _SET:
            self._before = self._before or self.control(TCGETS, b"")
            ask(fcntl.ioctl, self._fd, request, argument)
            return b""
        raise Errno(ENOTTY)

    def restore(self) -> None:
        """As it was before the program set anything."""
        if self._before is not None:
            ask(fcntl.ioctl, self._fd, termios.TCSETS, self._before)
            self._before = None
