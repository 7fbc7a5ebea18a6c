"""eventfd(2): a counter of 64 bits as a file."""

from __future__ import annotations

from syscalls.abi import EINVAL, Errno
from syscalls.files.file import File, WouldWait
from syscalls.files.numbers import POLLERR, READABLE_NOW, WRITABLE_NOW, Open
from syscalls.files.stat import Stat

_WORD = 8
_MOST = (1 << 64) - 2
_DEVICE = 15


class EventFile(File):
    """semaphore: a read takes 1, and not all."""

    at_once = True

    def __init__(self, count: int, flags: int, *, semaphore: bool) -> None:
        super().__init__(flags | Open.RDWR)
        self._count, self._semaphore = count, semaphore

    @property
    def name(self) -> bytes:
        return b"anon_inode:[eventfd]"

    def stat(self) -> Stat:
        return Stat(0o600, 1, _DEVICE)

    def read(self, size: int) -> bytes:
        if size < _WORD:
            raise Errno(EINVAL)
        if not self._count:
            raise WouldWait
        taken = 1 if self._semaphore else self._count
        self._count -= taken
        return taken.to_bytes(_WORD, "little")

    def exhausted(self, _: int | None) -> bool:
        """What cannot be stored is lost, as on Linux."""
        self.read(_WORD)
        return False

    def seek(self, offset: int, whence: int) -> int:
        """It stands nowhere."""
        return 0

    def write(self, data: bytes) -> int:
        if len(data) < _WORD:
            raise Errno(EINVAL)
        more = int.from_bytes(data[:_WORD], "little")
        if more > _MOST:
            raise Errno(EINVAL)
        if self._count + more > _MOST:
            raise WouldWait
        self._count += more
        return _WORD

    def ready(self) -> int:
        readable = READABLE_NOW & ~0x40 if self._count else 0
        writable = WRITABLE_NOW & ~0x100 if self._count < _MOST else 0
        return readable | writable | (POLLERR if self._count > _MOST else 0)
