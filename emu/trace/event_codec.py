"""Events as plain values that JSON can hold, and back."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from emu.process import event as events
from emu.process.event import Event
from syscalls import SystemCall

_KIND = "kind"
_KINDS: dict[str, type] = {
    **{name: kind for name, kind in vars(events).items() if isinstance(kind, type)},
    SystemCall.__name__: SystemCall,
}


def encoded(value: Any) -> Any:
    """An event, or a part of one: {"kind": its class, its fields}; bytes in hexadecimal."""
    if is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in fields(value)]
        return {_KIND: type(value).__name__, **{n: encoded(getattr(value, n)) for n in names}}
    if isinstance(value, SystemCall):
        parts = value._asdict().items()
        return {_KIND: SystemCall.__name__, **{name: encoded(part) for name, part in parts}}
    if isinstance(value, tuple):
        return [encoded(part) for part in value]
    return value.hex() if isinstance(value, bytes) else value


def decoded(value: Any) -> Event:
    """An event again. ValueError where it is none."""
    found = _decoded(value, Event)
    assert isinstance(found, Event)
    return found


def _decoded(value: Any, wanted: Any) -> Any:
    """A value of the type that a field's annotation names."""
    if get_origin(wanted) in (Union, UnionType):
        return _one_of(value, get_args(wanted))
    if get_origin(wanted) is tuple and isinstance(value, list):
        return tuple(_decoded(part, get_args(wanted)[0]) for part in value)
    if wanted is bytes and isinstance(value, str):
        return bytes.fromhex(value)
    if isinstance(value, dict):
        return _made(value, wanted)
    if wanted not in (int, str, NoneType) or type(value) is not wanted:
        raise ValueError(f"{value!r:.40} is no {getattr(wanted, '__name__', wanted)}")
    return value


def _one_of(value: Any, kinds: tuple[Any, ...]) -> Any:
    for kind in kinds:
        try:
            return _decoded(value, kind)
        except ValueError:
            continue
    raise ValueError(f"{value!r:.40} is nothing that may stand here")


def _made(value: dict[str, Any], wanted: Any) -> Any:
    parts = dict(value)
    name = str(parts.pop(_KIND, None))
    kind = _KINDS.get(name)
    if kind is None or not isinstance(wanted, type) or not issubclass(kind, wanted):
        raise ValueError(f"`{name:.40}` is no kind of event")
    hints = _hints(name)
    if parts.keys() != hints.keys():
        raise ValueError(f"{name} has {', '.join(hints)}")
    return kind(**{part: _decoded(parts[part], hints[part]) for part in hints})


@cache
def _hints(name: str) -> dict[str, Any]:
    found = get_type_hints(_KINDS[name])
    return {name: hint for name, hint in found.items() if not name.startswith("_")}
