"""Following a path (path_resolution(7)), component by component, within the root."""

from __future__ import annotations

from dataclasses import dataclass

from syscalls.abi import ELOOP, ENOENT, ENOTDIR, EXDEV, Errno
from syscalls.files.numbers import MOST_LINKS
from syscalls.files.place import Place

_DOTS = (b"", b".", b"..")


@dataclass(frozen=True, slots=True)
class Last:
    """Where a path ends: a name in a folder, of which nobody knows yet whether it is there.

    name: may be "." or ".."; "" where the path is only the root. slash: whether slashes follow.
    """

    parent: Place
    name: bytes
    slash: bool = False

    @property
    def is_name(self) -> bool:
        """Whether it could be made or removed: no dots, not the root."""
        return self.name not in _DOTS


@dataclass(frozen=True, slots=True)
class Rules:
    """What openat2(2) may restrict. in_root: where one starts is the root, also for "..".

    beneath: leaving where one starts is EXDEV, and so is entering another filesystem with
    one_device.
    """

    links: bool = True
    magic_links: bool = True
    beneath: bool = False
    in_root: bool = False
    one_device: bool = False


_ALL = Rules()


class Walk:
    """One resolution: it counts the links that it follows. ELOOP beyond 40."""

    def __init__(self, root: Place, rules: Rules = _ALL) -> None:
        self._root = root
        self._rules = rules
        self._links = self._from_root = 0
        self._start = root

    def begin(self, start: Place) -> Walk:
        """With rules, where it starts matters."""
        self._start = start
        if self._rules.in_root:
            self._root = start
        return self

    def locate(self, start: Place, path: bytes, *, follow: bool = True) -> Place:
        """What is there. follow: what a link leads to, if it is one; with a slash in any case."""
        last, found = self.last(start, path, follow=follow)
        if found is None:
            raise Errno(ENOENT)
        if last.slash and not found.is_folder:
            raise Errno(ENOTDIR)
        return found

    def last(self, start: Place, path: bytes, *, follow: bool) -> tuple[Last, Place | None]:
        """Where a path ends, links followed, and what is there, if anything is."""
        last = self.parent(start, path)
        found = self.look(last)
        while found is not None and found.is_link and (follow or last.slash):
            magic, target = self.read(found)
            if magic is not None:
                return Last(found.parent or found, found.name, last.slash), magic
            slash = last.slash
            last = self.parent(last.parent, target)
            last = Last(last.parent, last.name, last.slash or slash)
            found = self.look(last)
        return last, found

    def parent(self, start: Place, path: bytes) -> Last:
        """Where a path ends, whose last component is not looked at. ENOENT if it is empty."""
        if not path:
            raise Errno(ENOENT)
        if path.startswith(b"/"):
            if self._rules.beneath or (self._rules.one_device and self._links > self._from_root):
                raise Errno(EXDEV)  # where Linux does not know the root yet, it takes it for far
            self._from_root = MOST_LINKS
            start = self._root
        names = [name for name in path.split(b"/") if name]
        place = start
        for name in names[:-1]:
            place = self._enter(place, name)
        if names and not place.is_folder:
            raise Errno(ENOTDIR)
        return Last(place, names[-1] if names else b"", slash=path.endswith(b"/"))

    def look(self, last: Last) -> Place | None:
        """What is at the end of a path; None if nothing is."""
        try:
            return self._step(last.parent, last.name)
        except Errno as error:
            if error.number != ENOENT:
                raise
            return None

    def _enter(self, place: Place, name: bytes) -> Place:
        found = self._step(place, name)
        if not found.is_link:
            return found
        magic, target = self.read(found)
        return magic or self.locate(place, target)

    def _step(self, place: Place, name: bytes) -> Place:
        if not place.is_folder:
            raise Errno(ENOTDIR)
        if name == b"..":
            return self._up(place)
        found = place if name in _DOTS else place.child(name)
        if self._rules.one_device and found.node.identity[0] != place.node.identity[0]:
            raise Errno(EXDEV)
        return found

    def _up(self, place: Place) -> Place:
        if self._rules.beneath and place is self._start:
            raise Errno(EXDEV)
        if place is self._root:
            return place
        return place.parent or place

    def read(self, link: Place) -> tuple[Place | None, bytes]:
        """Where a link of /proc leads, or what another says."""
        self._links += 1
        if self._links > MOST_LINKS or not self._rules.links:
            raise Errno(ELOOP)
        magic = link.node.leads_to()
        if magic is None:
            return None, link.node.target()
        if not self._rules.magic_links:
            raise Errno(ELOOP)
        if self._rules.beneath or self._rules.in_root:
            raise Errno(EXDEV)
        return magic, b""
