"""The packets Z and z: breakpoints and watchpoints, set and taken away."""

from __future__ import annotations

from errno import EINVAL

from emu.debug.replies import NUMBER, OK, UNKNOWN, error, numbers, pattern
from emu.debug.target import Kind, Target, Watch

_FORM = pattern(rb"([0-9a-f]),", NUMBER, rb",", NUMBER)
_SOFTWARE, _HARDWARE = 0, 1
_KINDS: dict[int, Kind] = {2: "write", 3: "read", 4: "access"}
_END = 1 << 64


class Breakpoints:
    """What gdb has set. The target knows one kind of breakpoint, gdb two, at one place perhaps."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._places: dict[int, set[int]] = {_SOFTWARE: set(), _HARDWARE: set()}
        self.clear()

    def clear(self) -> None:
        """None is set."""
        for places in self._places.values():
            places.clear()
        self._target.breakpoints = set()
        self._target.watches = set()

    def insert(self, data: bytes) -> bytes:
        """Z type,address,kind."""
        return self._change(data, setting=True)

    def remove(self, data: bytes) -> bytes:
        """z type,address,kind."""
        return self._change(data, setting=False)

    def hardware_at(self, address: int) -> bool:
        """Whether the breakpoint there is one of hardware, and not one of software too."""
        return address not in self._places[_SOFTWARE]

    def _change(self, data: bytes, *, setting: bool) -> bytes:
        type_, address, kind = numbers(_FORM, data)
        if type_ in self._places:
            places = self._places[type_]
            (places.add if setting else places.discard)(address)
            self._target.breakpoints = self._places[_SOFTWARE] | self._places[_HARDWARE]
            return OK
        if type_ not in _KINDS:
            return UNKNOWN
        if not kind or address + kind > _END:
            return error(EINVAL)
        watches = set(self._target.watches)
        watch = Watch(address, kind, _KINDS[type_])
        (watches.add if setting else watches.discard)(watch)
        self._target.watches = watches
        return OK
