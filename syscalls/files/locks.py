"""flock(2): locks on whole files, which belong to open files."""

from __future__ import annotations

from syscalls.files.file import File, WouldWait


class Locks:
    """Who holds what, by device and inode number."""

    def __init__(self) -> None:
        self._holders: dict[tuple[int, int], dict[File, bool]] = {}

    def lock(self, file: File, *, exclusive: bool) -> None:
        """WouldWait where another open file is in the way; a lock of its own is given up then."""
        holders = self._holders.setdefault(self._key(file), {})
        others = [exclusively for holder, exclusively in holders.items() if holder is not file]
        if others and (exclusive or any(others)):
            self.unlock(file)
            raise WouldWait
        holders[file] = exclusive

    def unlock(self, file: File) -> None:
        """Nothing happens where it holds none."""
        key = self._key(file)
        holders = self._holders.get(key, {})
        holders.pop(file, None)
        if not holders:
            self._holders.pop(key, None)

    def drop(self, file: File) -> None:
        """It was closed, and may not be asked who it is."""
        for key, holders in list(self._holders.items()):
            holders.pop(file, None)
            if not holders:
                del self._holders[key]

    @staticmethod
    def _key(file: File) -> tuple[int, int]:
        stat = file.stat()
        return stat.dev, stat.ino
