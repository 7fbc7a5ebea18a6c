"""A standard file of ours that is handed to the process: read and written as it comes."""

from __future__ import annotations

import os

from syscalls.abi import EAGAIN, Errno
from syscalls.files.host import ask
from syscalls.files.numbers import POLLIN, POLLOUT
from syscalls.files.poller import wait_for


class HostStream:
    """A descriptor of the host's, which stays open. Waits where it must, even if it need not."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    @property
    def host_fd(self) -> int | None:
        return self._fd

    def read(self, size: int) -> bytes:
        while True:
            try:
                return ask(os.read, self._fd, size)
            except Errno as error:
                self._wait(error, POLLIN)

    def write(self, data: bytes) -> int:
        while True:
            try:
                return ask(os.write, self._fd, data)
            except Errno as error:
                self._wait(error, POLLOUT)

    def _wait(self, error: Errno, event: int) -> None:
        """Somebody set the descriptor to O_NONBLOCK; anything else is an answer."""
        if error.number != EAGAIN:
            raise error
        wait_for([(self._fd, event)], None)
