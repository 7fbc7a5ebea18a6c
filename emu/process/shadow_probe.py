"""Accesses looked at while guest code runs, by the shadow: machine code of ours, or Python.

asm/probe/shadow.s has what is let pass. All else is told, at the access: of a read that it was
made, of a write that it will be.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from enum import IntFlag
from typing import Any, NamedTuple, Protocol

from emu.process import binding, host_code
from emu.process.binding import WRITE, Hook
from emu.process.cpu_state import registers_place
from emu.process.engine import Engine
from emu.process.residues import REGISTERS
from emu.process.shadow import Shadow, State, pattern
from syscalls.abi import PAGE

OnTouch = Callable[[bool, int, int], None]
"""Told whether it writes, the address, and the size in bytes. Nothing may escape from it."""
_LAYOUT = host_code.layout_of("shadow")
_INSIDE, _RETURN, _TELL, _PC, _SCANNERS_AT, _REGISTERS, _ENTERED, _READERS_AT = (
    _LAYOUT[name] // 8
    for name in "INSIDE RETURN TELL PC SCANNERS REGISTERS ENTERED READERS".split()
)
_JUDGED = slice(_LAYOUT["JUDGED_AT"] // 8, _LAYOUT["JUDGED"] // 8 + 1)
_SCANNERS, _READERS = _LAYOUT["SCANNER_MASK"] + 1, _LAYOUT["READER_MASK"] + 1
_WIDEST = _LAYOUT["WIDEST"]
"""Bytes of an access that the machine code judges; and it judges none across two pages."""
_NOWHERE = 1
FRAME = _LAYOUT["FRAME"]
"""Bytes of the stack that a function for strings may take."""


class Shape(IntFlag):
    """What a function reads at most: strings, or as many bytes as its third argument says.

    COPIES: and it may be unwritten.
    """

    STRING_1 = _LAYOUT["STRING_1"]
    STRING_2 = _LAYOUT["STRING_2"]
    RANGE_1 = _LAYOUT["RANGE_1"]
    RANGE_2 = _LAYOUT["RANGE_2"]
    COPIES = _LAYOUT["COPIES"]


class Judged(NamedTuple):
    """A function that was judged when it was entered, by what it was given.

    at: where its return address is; back: what that is. function: its own address; 0 for one that
    was not looked at: it may read anything.
    """

    at: int = 0
    back: int = 0
    function: int = 0


class ShadowProbe(Protocol):
    """Watches an engine until it is closed.

    inside: whether the allocator runs. leaves_at: a place on the stack; who touches the word there
    is told of, whatever it is.
    """

    inside: bool
    leaves_at: int | None
    judged: Judged
    """The last one."""

    def let_scan(self, instruction: int) -> None:
        """An instruction reads strings, and beyond their end: what is no news may not be told."""

    def forget_scanners(self) -> None:
        """There may be other code where instructions were that scan."""

    def let_read(self, function: int, shape: Shape) -> None:
        """A function reads no more than that: where that may be read, its entry is no news."""

    def screen(self, on_entry: int) -> tuple[int, int] | None:
        """A routine that calls another one only where the entry of a function is news.

        on_entry, and what is answered: a callback's address; and the word that it is passed. None
        where all entries are news.
        """

    def close(self) -> None:
        """It watches no more."""


def make_shadow_probe(engine: Engine, shadow: Shadow, on_touch: OnTouch) -> ShadowProbe:
    """The fastest probe that this host can run. All code must be forgotten, also at its close."""
    if host_code.runs_here():
        return MachineShadowProbe(engine, shadow, on_touch, registers_place(engine))
    return PythonShadowProbe(engine, shadow, on_touch)


class _Reader(ctypes.Structure):
    """A function in the table of READERS."""

    _fields_ = (("entry", ctypes.c_uint64), ("shape", ctypes.c_uint64))


class MachineShadowProbe:
    """Layout and meaning of the header: asm/probe/shadow.s."""

    def __init__(
        self, engine: Engine, shadow: Shadow, on_touch: OnTouch, registers: int | None
    ) -> None:
        """registers: the address of the guest's."""
        self._engine, self._shadow, self._tell = engine, shadow, on_touch
        self._header = shadow.header
        self._callback = binding.ACCESS(self._touched)
        self._header[_TELL] = ctypes.cast(self._callback, ctypes.c_void_p).value or 0
        self.inside, self.leaves_at = False, None
        self._scanners = (ctypes.c_uint64 * _SCANNERS)()
        self._readers = (_Reader * _READERS)()
        self._unknown = ctypes.c_uint64(_NOWHERE)
        self._registers = registers
        rip = registers + 8 * len(REGISTERS) if registers is not None else None
        self._header[_PC] = rip or ctypes.addressof(self._unknown)
        self._header[_REGISTERS] = registers or 0
        self._header[_SCANNERS_AT] = ctypes.addressof(self._scanners)
        self._header[_READERS_AT] = ctypes.addressof(self._readers)
        routine = ctypes.c_void_p(host_code.address_of("shadow", "watch_access"))
        self._hook = engine.hook(Hook.ACCESS, routine, user=ctypes.addressof(self._header))

    @property
    def inside(self) -> bool:
        return bool(self._header[_INSIDE])

    @inside.setter
    def inside(self, inside: bool) -> None:
        self._header[_INSIDE] = inside

    @property
    def leaves_at(self) -> int | None:
        place = self._header[_RETURN]
        return None if place == _NOWHERE else place

    @leaves_at.setter
    def leaves_at(self, place: int | None) -> None:
        self._header[_RETURN] = _NOWHERE if place is None else place

    @property
    def judged(self) -> Judged:
        return Judged(*self._header[_JUDGED])

    @judged.setter
    def judged(self, judged: Judged) -> None:
        self._header[_JUDGED] = list(judged)

    def let_scan(self, instruction: int) -> None:
        self._scanners[instruction % _SCANNERS] = instruction

    def forget_scanners(self) -> None:
        ctypes.memset(self._scanners, 0, ctypes.sizeof(self._scanners))

    def let_read(self, function: int, shape: Shape) -> None:
        self._readers[function % _READERS] = _Reader(function, shape)

    def screen(self, on_entry: int) -> tuple[int, int] | None:
        if self._registers is None:
            return None
        self._header[_ENTERED] = on_entry
        routine = host_code.address_of("shadow", "watch_entry")
        return routine, ctypes.addressof(self._header)

    def close(self) -> None:
        self._engine.unhook(self._hook)

    def _touched(self, _: Any, kind: int, address: int, size: int, __: int, ___: Any) -> None:
        writes = kind == WRITE
        judged = size <= _WIDEST and address % PAGE + size <= PAGE
        if judged or not passes(self._shadow, self, address, size, writes=writes):
            self._tell(writes, address, size)


class PythonShadowProbe:
    """The same in Python: some hundred times slower, on any host."""

    def __init__(self, engine: Engine, shadow: Shadow, on_touch: OnTouch) -> None:
        self._engine, self._shadow, self._tell = engine, shadow, on_touch
        self.inside = False
        self.leaves_at: int | None = None
        self.judged = Judged()
        self._callback = binding.ACCESS(self._touched)
        self._hook = engine.hook(Hook.ACCESS, self._callback)

    def let_scan(self, instruction: int) -> None:
        """All is told."""

    def forget_scanners(self) -> None:
        """There are none."""

    def let_read(self, function: int, shape: Shape) -> None:
        """All is told."""

    def screen(self, on_entry: int) -> tuple[int, int] | None:
        return None

    def close(self) -> None:
        self._engine.unhook(self._hook)

    def _touched(self, _: Any, kind: int, address: int, size: int, __: int, ___: Any) -> None:
        writes = kind == WRITE
        if address == self.leaves_at or not passes(
            self._shadow, self, address, size, writes=writes
        ):
            self._tell(writes, address, size)


def passes(shadow: Shadow, probe: ShadowProbe, address: int, size: int, *, writes: bool) -> bool:
    """Whether there is nothing to tell of an access. What the program writes is written then."""
    bits, low = shadow.bits(address, size), pattern(size, State.UNWRITTEN)
    if probe.inside:
        return not bits & low
    if not writes:
        return bits >> 1 & low == low
    if (bits | bits >> 1) & low != low:
        return False
    shadow.written(address, size)
    return True


def told(on_touch: OnTouch, fail: Callable[[BaseException], None]) -> OnTouch:
    """The same, but what is raised there is kept: the engine would lose it."""

    def guarded(writes: bool, address: int, size: int) -> None:
        try:
            on_touch(writes, address, size)
        except BaseException as error:  # noqa: BLE001 - kept, and raised by run
            fail(error)

    return guarded
