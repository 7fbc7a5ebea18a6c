"""Versions of memory: what pages and frames had when somebody asked for it to be remembered.

Memory itself is always the newest. A version knows only what is not as it was at the version
behind it, on the way to the memory of now:

    oldest {page: what it had} --> {...} --> current {...} --> memory

Taking one adds a link at the right. While there is one, what changes for the first time since is
caught into the current one. Going back to one walks the way from the right, each step putting back
what was caught; and where a version that is passed is still needed, the same step catches for it
what is put away, so that the way now leads to the left (Baker's rerooting). So versions make a
tree, all ways of which lead to memory; any of them costs what is different, and no more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from emu.errors import InternalError
from emu.process.pages import NOTHING, Had, Pages

Caught = dict[int, Had]


class _Node:
    """caught: what is not as at `behind`. before: the nodes that lead here. held: by how many."""

    __slots__ = ("before", "behind", "caught", "frames", "held")

    def __init__(self, frames: tuple[int, tuple[int, ...], int]) -> None:
        self.caught: Caught = {}
        self.frames = frames
        self.behind: _Node | None = None
        self.before: list[_Node] = []
        self.held = 0

    @property
    def needed(self) -> bool:
        return bool(self.held or self.before)


class Version:
    """Somebody's hold on a version: it is forgotten when nobody has one."""

    __slots__ = ("_drop", "node")

    def __init__(self, node: _Node, drop: Callable[[_Node], None]) -> None:
        self.node, self._drop = node, drop
        node.held += 1

    def __del__(self) -> None:
        self._drop(self.node)


class Versions:
    """changed(places): told of pages and frames that will be given back other bytes."""

    def __init__(self, pages: Pages, changed: Callable[[Collection[int]], None]) -> None:
        self._pages, self._changed = pages, changed
        self._current: _Node | None = None
        self._moving = False
        self._dropped: list[_Node] = []
        self._likely: set[int] = set()
        """Pages that were written to lately."""
        self.caught: Caught | None = None
        """What has changed since the current version; None where there is no version."""

    def close(self) -> None:
        """All versions are forgotten; who holds one holds nothing."""
        for node in self._all():
            node.caught = {}
            node.before, node.behind = [], None
        self._current = self.caught = None

    def __len__(self) -> int:
        """How many pages and frames are remembered, in all versions."""
        return sum(len(node.caught) for node in self._all())

    def _all(self) -> list[_Node]:
        found = [self._current] if self._current else []
        for node in found:
            found += node.before
        return found

    # Changes

    def catch(self, place: int) -> None:
        """A page, or the frame there, is about to change."""
        caught = self.caught
        if caught is not None and place not in caught:
            self._keep(place, self._pages.has(place))

    def catch_all(self, places: Iterable[int]) -> None:
        if self.caught is not None:
            for place in places:
                self.catch(place)

    def catch_new(self, frame: int) -> None:
        """A frame that nobody needed is about to be used."""
        self._keep(frame, NOTHING)

    def _keep(self, place: int, had: Had) -> None:
        if self.caught is not None:  # a version may be dropped at any time
            self.caught.setdefault(place, had)

    def withheld(self, place: int, rights: str, *, writing: bool) -> str:
        """What the CPU may do until it asks again: it asks before it writes for the first time."""
        if self.caught is None or "w" not in rights or place in self.caught:
            return rights
        if writing or place in self._likely:  # then it need not ask twice
            self.catch(place)
            return rights
        return rights.replace("w", "")

    # Taking one, and going back

    def take(self) -> Version:
        """The memory of now. Rights that were given to the CPU before are its no more."""
        self._moving = True
        node = self._current
        if node is None or node.caught:
            self._likely = set(node.caught) if node else set()
            node = _Node(self._pages.frames.saved())
            if self._current is not None:
                _lead(self._current, node)
            self._become(node)
        version = Version(node, self._drop)
        self._moving = False
        self._sweep()
        return version

    def go_to(self, version: Version) -> None:
        """Memory is as it was."""
        self._moving = True
        way = _way(version.node)
        if way[-1] is not self._current:
            raise InternalError("a version that does not lead to memory")
        left: _Node | None = None
        while way:
            left = self._step(way.pop(), left)
        self._pages.frames.put_back(version.node.frames)
        self._become(version.node)
        self._moving = False
        self._sweep()

    def put_bytes_back(self, version: Version) -> bool:
        """Memory is as it was, if since then no more than bytes of pages have changed.

        False where more has, and nothing is done. Rights are as they are: what was caught stays
        caught, so that the CPU need not ask before it writes there again.
        """
        node = version.node
        if node is not self._current or node.frames != self._pages.frames.saved():
            return False
        caught = node.caught
        if not all(map(self._pages.has_bytes, caught, caught.values())):
            return False
        self._changed(caught.keys())
        self._pages.refill(caught)
        return True

    def _step(self, node: _Node, left: _Node | None) -> _Node:
        """Memory is as at `left`, and shall be as at `node`, which leads there."""
        caught, node.caught = node.caught, {}
        self._likely = set(caught)
        if left is None:
            self._put_back(caught)
            return node
        node.behind = None
        left.before.remove(node)
        if left.needed:
            left.caught = {place: self._pages.has(place) for place in caught}
            _lead(left, node)
        self._put_back(caught)
        return node

    def _put_back(self, caught: Caught) -> None:
        self._changed(caught.keys())
        self._pages.give(caught)

    def _become(self, node: _Node) -> None:
        self._current, self.caught = node, node.caught

    # Forgetting

    def _drop(self, node: _Node) -> None:
        """Nobody has this hold any more."""
        self._dropped.append(node)
        if not self._moving:
            self._sweep()

    def _sweep(self) -> None:
        while self._dropped:
            node = self._dropped.pop()
            node.held -= 1
            self._forget(node)

    def _forget(self, node: _Node) -> None:
        """Forgets it, if it is not needed, or lets the one node before it know all that it knew."""
        if node.held or len(node.before) > 1:
            return
        behind = node.behind
        if node.before:
            before = node.before.pop()
            before.caught = {**node.caught, **before.caught}
            before.behind = None
            if behind is None:
                self._become(before)
            else:
                behind.before.remove(node)
                _lead(before, behind)
        elif behind is not None:
            behind.before.remove(node)
            self._forget(behind)
        elif node is self._current:
            self._current = self.caught = None


def _lead(node: _Node, behind: _Node) -> None:
    node.behind = behind
    behind.before.append(node)


def _way(node: _Node) -> list[_Node]:
    """From a node to the one that memory is nearest to."""
    way = [node]
    while (behind := way[-1].behind) is not None:
        way.append(behind)
    return way
