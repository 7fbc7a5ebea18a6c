"""An image of objects: all that can be reached from one of them, and what each remembers.

The state of a kernel is in some hundred objects that know each other: files, places, signals,
timers, methods and small functions that are bound to them. An image lists them, each with what was
in it: its attributes, or the items of a list, a dictionary, a set. So it can be put back, into the
very same objects, and whoever knows one of them sees it as it was; or be made again, as new
objects that know each other and none of the old ones.

What is in an object is found, not listed: who adds an attribute need not tell anybody. What cannot
be copied (a file of the host's, a thread) is CannotKeep. A class may say more of itself:

    lasting: ClassVar = ("tracer", ...)     attributes that stay as they are
    kept() -> Any, put_back(kept)           what it remembers besides its attributes; or CannotKeep
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from enum import Enum
from functools import cache
from pathlib import PurePath
from random import Random
from struct import Struct
from types import BuiltinFunctionType, CellType, FunctionType, MethodType
from typing import Any
from weakref import WeakValueDictionary

from syscalls.cannot_keep import CannotKeep
from syscalls.files.host import Handle

_PLAIN = (
    int, float, str, bytes, type(None), type(...), type(NotImplemented), range, type, Enum,
    PurePath, Struct, BuiltinFunctionType, Handle,
)  # fmt: skip
"""What never changes, and knows nobody. A handle stays open as long as an image knows it."""


@cache
def _is_plain(kind: type) -> bool:
    return issubclass(kind, _PLAIN)


_CONTAINERS: dict[type, tuple[Callable[[Any], Any], Callable[[Any, Any], None]]] = {}
"""By type: a copy of what is in it, and putting that back."""


def _refill(container: Any, items: Any) -> None:
    container.clear()
    container.update(items)


def _extend(container: Any, items: Any) -> None:
    container.clear()
    container.extend(items)


for _type in (dict, set):
    _CONTAINERS[_type] = (_type, _refill)
_CONTAINERS[WeakValueDictionary] = (dict, _refill)
_CONTAINERS[list] = (list, _extend)
_CONTAINERS[deque] = (list, _extend)
_CONTAINERS[bytearray] = (bytes, _extend)
_CONTAINERS[Random] = (Random.getstate, Random.setstate)


class Image:
    """Of `root`, and of all that can be reached from it. outside: what is not looked into."""

    def __init__(self, root: Any, outside: Iterable[Any] = ()) -> None:
        self.contents: list[tuple[Any, Any, Any]] = []
        """(object, what was in it, what it kept besides)."""
        self._read(root, {id(one) for one in outside})

    def put_back(self) -> None:
        """Every object is as it was."""
        for one, inside, besides in self.contents:
            _fill(one, inside)
            if besides is not None:
                one.put_back(besides)

    def _read(self, root: Any, seen: set[int]) -> None:
        found = [root]
        while found:
            one = found.pop()
            kind: Any = type(one)
            if id(one) in seen or _is_plain(kind):
                continue
            seen.add(id(one))
            leads = _leads(one)
            if leads is not None:
                found += leads
                continue
            inside = _inside(one)
            self.contents.append((one, inside, _besides(one)))
            found += _known(inside)


def made_again(root: Any, instead: Iterable[tuple[Any, Any]] = ()) -> Any:
    """A new root, with new objects for all that it knows. instead: (old, new) of those that exist.

    What lasts is the same in both.
    """
    return _Again(instead).of(root)


def _inside(one: Any) -> Any:
    """What an object remembers: a copy of its items, or its attributes by name."""
    kind: Any = type(one)
    container = _CONTAINERS.get(kind)
    if container is not None:
        return container[0](one)
    if not _made_of_python(kind):
        raise CannotKeep(f"a {kind.__name__} cannot be copied")
    inside = {slot: getattr(one, slot) for slot in _slots(kind) if hasattr(one, slot)}
    inside |= getattr(one, "__dict__", {})
    for name in getattr(kind, "lasting", ()):
        inside.pop(name, None)
    return inside


def _besides(one: Any) -> Any:
    return one.kept() if hasattr(type(one), "kept") else None


def _fill(one: Any, inside: Any) -> None:
    container = _CONTAINERS.get(type(one))
    if container is not None:
        container[1](one, inside)
        return
    for name in _inside(one).keys() - inside.keys():
        object.__delattr__(one, name)
    for name, value in inside.items():
        object.__setattr__(one, name, value)


def _known(inside: Any) -> Iterable[Any]:
    """The objects that contents lead to."""
    if isinstance(inside, dict):
        return [*inside.keys(), *inside.values()]
    return () if isinstance(inside, bytes) else inside


def _leads(one: Any) -> Iterable[Any] | None:
    """What never changes may know somebody who does: whom. None for what may change."""
    if isinstance(one, tuple | frozenset):
        return one
    if isinstance(one, MethodType):
        return (one.__self__,)
    if isinstance(one, FunctionType):
        return [cell.cell_contents for cell in one.__closure__ or ()]
    return None


@cache
def _made_of_python(kind: type) -> bool:
    """Whether all that its objects remember is in attributes."""
    words = len(_slots(kind)) + (kind.__dictoffset__ > 0) + (kind.__weakrefoffset__ > 0)
    return kind.__itemsize__ == 0 and kind.__basicsize__ == object.__basicsize__ + 8 * words


@cache
def _slots(kind: type) -> tuple[str, ...]:
    found = (getattr(base, "__dict__", {}).get("__slots__", ()) for base in kind.__mro__)
    names = [name for some in found for name in ((some,) if isinstance(some, str) else some)]
    return tuple(name for name in names if name not in ("__dict__", "__weakref__"))


class _Again:
    """New objects for old ones, each once."""

    def __init__(self, instead: Iterable[tuple[Any, Any]]) -> None:
        self._old = [old for old, _ in instead]
        self._new = {id(old): new for old, new in instead}

    def of(self, one: Any) -> Any:
        """The new object, complete when the outermost call returns."""
        if id(one) in self._new:
            return self._new[id(one)]
        kind: Any = type(one)
        if _is_plain(kind):
            return one
        if isinstance(one, tuple):
            return _tuple(one, list(map(self.of, one)))
        if isinstance(one, frozenset):
            return frozenset(map(self.of, one))
        if isinstance(one, MethodType):
            return MethodType(one.__func__, self.of(one.__self__))
        return self._function(one) if isinstance(one, FunctionType) else self._twin(one)

    def _keep(self, one: Any, new: Any) -> Any:
        self._old.append(one)  # as long as it lives, its id is nobody else's
        self._new[id(one)] = new
        return new

    def _twin(self, one: Any) -> Any:
        inside = _inside(one)
        _besides(one)  # CannotKeep, perhaps; nothing that is made twice keeps any more
        kind = type(one)
        new = self._keep(one, kind() if kind in _CONTAINERS else object.__new__(kind))
        for name in getattr(kind, "lasting", ()):
            object.__setattr__(new, name, getattr(one, name))
        _fill(new, self._contents(inside, one))
        return new

    def _contents(self, inside: Any, one: Any) -> Any:
        if isinstance(inside, dict):
            return {self.of(key): self.of(value) for key, value in inside.items()}
        if isinstance(one, Random | bytearray):
            return inside
        return [self.of(item) for item in inside]

    def _function(self, one: FunctionType) -> FunctionType:
        """A function that is bound to objects is bound to the new ones."""
        if not one.__closure__:
            return one
        cells = tuple(CellType() for _ in one.__closure__)
        new = FunctionType(one.__code__, one.__globals__, one.__name__, one.__defaults__, cells)
        new.__kwdefaults__ = one.__kwdefaults__
        self._keep(one, new)
        for cell, old in zip(cells, one.__closure__, strict=True):
            cell.cell_contents = self.of(old.cell_contents)
        return new


def _tuple(one: tuple[Any, ...], items: list[Any]) -> tuple[Any, ...]:
    return one._make(items) if hasattr(one, "_make") else tuple(items)
