"""Open folders: their entries, in the order of their names; and files opened with O_PATH."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from syscalls.abi import EINVAL, EISDIR, ENOENT, ENXIO, Errno
from syscalls.files.file import File
from syscalls.files.node import Entry
from syscalls.files.numbers import (
    MOST_OFFSET,
    S_IFDIR,
    SEEK_CUR,
    SEEK_DATA,
    SEEK_END,
    SEEK_HOLE,
    Open,
)
from syscalls.files.stat import Stat

if TYPE_CHECKING:
    from syscalls.files.place import Place


class FolderFile(File):
    """Where it stands is a count of entries, and the last name that was told.

    So a name that stays is told once, whatever comes and goes meanwhile.
    """

    seekable = True

    def __init__(self, place: Place, flags: int) -> None:
        super().__init__(flags)
        self.place: Place = place
        self._position = 0
        self._last: bytes | None = None

    def stat(self) -> Stat:
        return self.place.node.stat()

    def read(self, size: int) -> bytes:
        """Linux looks first whether an offset can reach so far."""
        raise Errno(EINVAL if self._position + size > MOST_OFFSET else EISDIR)

    def read_at(self, size: int, offset: int) -> bytes:
        raise Errno(EISDIR)

    def exhausted(self, _: int | None) -> bool:
        raise Errno(EISDIR)

    def sync(self) -> None:
        """As for a file."""

    def seek(self, offset: int, whence: int) -> int:
        """As in a folder of ext4, whose end is as far away as can be."""
        if whence in (SEEK_DATA, SEEK_HOLE) and not 0 <= offset < MOST_OFFSET:
            raise Errno(ENXIO)
        before = {SEEK_CUR: self._position, SEEK_END: MOST_OFFSET}.get(whence, 0)
        wanted = MOST_OFFSET if whence == SEEK_HOLE else offset + before
        if not 0 <= wanted <= MOST_OFFSET:
            raise Errno(EINVAL)
        if wanted != self._position:
            self._position, self._last = wanted, None
        return wanted

    def entries(self) -> list[Entry]:
        """ENOENT where the folder was removed."""
        if self.place.removed:
            raise Errno(ENOENT)
        listing = self._listing()
        if self._last is None:
            return listing[self._position :]
        after = bisect_right(listing, self._last, lo=2, key=lambda entry: entry.name)
        return listing[after:]

    def told(self, entries: list[Entry]) -> None:
        """It stands behind these, the first of `entries()`."""
        self._position += len(entries)
        if entries and self._position > 2:
            self._last = entries[-1].name

    @property
    def position(self) -> int:
        return self._position

    def _listing(self) -> list[Entry]:
        """One for all who read this folder; for who begins, made anew if that has changed."""
        known, changed = self.place.listing, self.place.node.stat().mtime
        if known is None or (self._position == 0 and (not changed or known[0] != changed)):
            known = self.place.listing = (changed, self._list())
        return known[1]

    def _list(self) -> list[Entry]:
        above = self.place.parent or self.place
        dots = ((b".", self.place), (b"..", above))
        both = [Entry(name, place.node.identity[1], S_IFDIR) for name, place in dots]
        return both + self.place.node.entries()


class PathFile(File):
    """open(2), O_PATH: it names a place in the tree, and opens nothing."""

    path_only = True

    def __init__(self, place: Place, flags: int) -> None:
        super().__init__(flags & (Open.PATH | Open.DIRECTORY | Open.NOFOLLOW))
        self.place: Place = place
        self.readable = self.writable = False

    def stat(self) -> Stat:
        return self.place.node.stat()
