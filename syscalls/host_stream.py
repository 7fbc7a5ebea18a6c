"""A standard file of ours that is handed to the process: read and written as it comes."""

from __future__ import annotations

import os
from typing import ClassVar

from syscalls.abi import EAGAIN, Errno
from syscalls.cannot_keep import CannotKeep
from syscalls.files.host import ask
from syscalls.files.numbers import POLLIN, POLLOUT
from syscalls.files.poller import wait_for
from syscalls.world import Stream


class HostStream:
    """A descriptor of the host's, which stays open. Waits where it must, even if it need not."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    @property
    def host_fd(self) -> int | None:
        return self._fd

    def kept(self) -> None:
        """CannotKeep: what is read is gone. Replayed can be kept."""
        raise CannotKeep("what was read from the host, or written to it, cannot be taken back")

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


class Replayed:
    """A stream of the host's for a process that goes back. To the guest it is a pipe.

    It then reads the same once more, and passes on only what is more than was passed on before.
    """

    host_fd = None
    lasting: ClassVar = ("_stream", "_heard", "_passed")

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._heard = bytearray()
        self._passed = 0
        self._read = self._written = 0

    def read(self, size: int) -> bytes:
        if self._read == len(self._heard):
            self._heard += self._stream.read(size)
        part = bytes(self._heard[self._read : self._read + size])
        self._read += len(part)
        return part

    def write(self, data: bytes) -> int:
        known = min(max(0, self._passed - self._written), len(data))
        taken = known
        if known < len(data):
            taken += self._stream.write(data[known:])
        self._written += taken
        self._passed = max(self._passed, self._written)
        return taken
