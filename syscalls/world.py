"""What of the host a process may see and use: nothing, unless a person handed it over."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from syscalls.cannot_keep import CannotKeep


class Stream(Protocol):
    """A standard file of the process: a file of the host, or a buffer."""

    def read(self, size: int) -> bytes:
        """At most `size` bytes, b"" at the end; waits where it must."""

    def write(self, data: bytes) -> int:
        """How many bytes were taken."""

    @property
    def host_fd(self) -> int | None:
        """The host's file descriptor, where there is one: to ask whether it is a terminal."""


class Capture:
    """A stream in memory. Of what is written, the first `most` bytes are kept."""

    host_fd = None

    def __init__(self, given: bytes = b"", most: int = 1 << 20) -> None:
        self._given, self._most = given, most
        self.written = bytearray()

    def read(self, size: int) -> bytes:
        part, self._given = self._given[:size], self._given[size:]
        return part

    @property
    def spent(self) -> bool:
        """Whether all that was given has been read."""
        return not self._given

    def write(self, data: bytes) -> int:
        self.written += data[: max(0, self._most - len(self.written))]
        return len(data)


@dataclass(frozen=True)
class World:
    """root: the folder of the host that is the guest's "/", read-only; None for no files at all.

    writable: a folder of the host under root in which the guest may also write. folder: the
    guest's working directory. seed: of everything random. host_time: the host's clocks instead of
    the count of instructions. most_output, in bytes, and most_files, open at once, are limits.
    """

    root: Path | None = None
    writable: Path | None = None
    folder: str = "/"
    stdin: Stream = field(default_factory=Capture)
    stdout: Stream = field(default_factory=Capture)
    stderr: Stream = field(default_factory=Capture)
    seed: int = 0
    host_time: bool = False
    most_files: int = 1024
    most_output: int = 1 << 30

    def kept(self) -> None:
        """CannotKeep where the guest may write to files of the host's."""
        if self.writable is not None:
            raise CannotKeep("what is written to files of the host's cannot be undone")
