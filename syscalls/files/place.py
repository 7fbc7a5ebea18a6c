"""A place in the tree of names: a node and the way that led to it (Linux: a dentry).

A place knows its parent, so that ".." never asks the host, whatever is moved there meanwhile: it
leads back the way one came, and never above the root. What the guest itself moves, moves here too.
"""

from __future__ import annotations

from weakref import WeakValueDictionary

from syscalls.abi import ENAMETOOLONG, ENOTDIR, EROFS, Errno
from syscalls.files.host_node import HostNode
from syscalls.files.node import Entry, Node
from syscalls.files.numbers import NAME_MAX, S_IFDIR, S_IFLNK


class Place:
    """A name, where it stands and what it stands for.

    writable: whether the guest may change what is there and below; None for as its parent.
    listing: what it held when getdents64 last began to read it, and when it was changed before.
    """

    __slots__ = (
        "__weakref__",
        "_known",
        "listing",
        "name",
        "node",
        "parent",
        "removed",
        "writable",
    )

    def __init__(
        self, parent: Place | None, name: bytes, node: Node, writable: bool | None = None
    ) -> None:
        self.parent = parent
        self.name = name
        self.node = node
        self.writable = writable
        self.removed = False
        self.listing: tuple[int, list[Entry]] | None = None
        self._known: WeakValueDictionary[bytes, Place] | None = None

    @property
    def _children(self) -> WeakValueDictionary[bytes, Place]:
        """The places below that somebody holds; most places never have any."""
        if self._known is None:
            self._known = WeakValueDictionary()
        return self._known

    @property
    def is_folder(self) -> bool:
        return self.node.kind == S_IFDIR

    @property
    def is_link(self) -> bool:
        return self.node.kind == S_IFLNK

    @property
    def spelled(self) -> bytes:
        """The path from the root, as /proc/self/fd tells it."""
        return self._path + b" (deleted)" * self.removed

    @property
    def _path(self) -> bytes:
        names = []
        place = self
        while place.parent is not None:
            names.append(place.name)
            place = place.parent
        return place.name or b"/" + b"/".join(reversed(names))

    def child(self, name: bytes) -> Place:
        """One step down; ENOTDIR, ENAMETOOLONG, ENOENT."""
        if not self.is_folder:
            raise Errno(ENOTDIR)
        if len(name) > NAME_MAX:
            raise Errno(ENAMETOOLONG)
        node = self.node.child(name)
        known = self._children.get(name)
        if known is not None and known.node.identity == node.identity:
            return known
        place = self._children[name] = Place(self, name, node)
        return place

    @property
    def domain(self) -> Place:
        """The place whose word on what may be changed holds here (Linux: the mount)."""
        place = self
        while place.writable is None and place.parent is not None:
            place = place.parent
        return place

    def changeable(self) -> HostNode:
        """The node, where the guest may change it, and is about to. EROFS."""
        self.listing = None
        if not self.domain.writable or not isinstance(self.node, HostNode):
            raise Errno(EROFS)
        return self.node

    def alterable(self) -> Node:
        """As `changeable`, for what may also be told of a file without a name, such as a pipe."""
        return self.changeable() if self.node.lies_somewhere else self.node

    # What the guest did to names

    def forget(self, name: bytes) -> None:
        """A name was removed, or replaced."""
        gone = self._children.pop(name, None)
        if gone is not None:
            gone.removed = True

    def adopt(self, name: bytes, old_parent: Place, old_name: bytes) -> None:
        """What was `old_name` there is `name` here; what was here is gone."""
        moved = old_parent._children.pop(old_name, None)
        self.forget(name)
        if moved is not None:
            moved.parent, moved.name = self, name
            self._children[name] = moved

    def exchange(self, name: bytes, other_parent: Place, other_name: bytes) -> None:
        """Two names change their places."""
        mine = self._children.pop(name, None)
        other_parent_moved = other_parent._children.pop(other_name, None)
        for moved, parent, its_name in (
            (mine, other_parent, other_name),
            (other_parent_moved, self, name),
        ):
            if moved is not None:
                moved.parent, moved.name = parent, its_name
                parent._children[its_name] = moved
