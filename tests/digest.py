"""All that a process, or any other object, remembers, spelled out: two states are equal or not.

Nothing of what makes snapshots is used here. It looks into every object that it meets, so that it
sees an attribute that is new, and that a snapshot may have forgotten.
"""

from __future__ import annotations

import ctypes
from collections import deque
from enum import Enum
from pathlib import PurePath
from random import Random
from types import BuiltinFunctionType, FunctionType, MethodType
from weakref import WeakValueDictionary

from emu.process.cpu import Cpu
from emu.process.frames import FRAMES
from emu.process.mmu import Mmu
from emu.process.registers import GENERAL, STATE
from syscalls.abi import PAGE
from syscalls.files.host import Handle, Handles

PLAIN = (int, float, str, bytes, type(None), type, Enum, PurePath, Handle, Handles,
         BuiltinFunctionType)  # fmt: skip
CACHES = {"_rest", "_known", "_harness", "image", "tracer", "objects"}
"""Attributes that nobody can see the value of, or that never change."""


class Digest:
    """Spells one object; what was met before is only named."""

    def __init__(self) -> None:
        self._names: dict[int, int] = {}
        self._held: list[object] = []

    def of(self, one: object) -> object:
        if isinstance(one, PLAIN):
            return one if not isinstance(one, Handle | Handles) else type(one).__name__
        if id(one) in self._names:
            return f"#{self._names[id(one)]}"
        if not _is_value(one):
            self._names[id(one)] = len(self._names)
            self._held.append(one)
        return type(one).__name__, self._inside(one)

    def _inside(self, one: object) -> object:
        if isinstance(one, Mmu):
            return memory(one)
        if isinstance(one, Cpu):
            return registers(one)
        if isinstance(one, dict | WeakValueDictionary):
            return [(self.of(key), self.of(value)) for key, value in one.items()]
        if isinstance(one, list | tuple | deque):
            return [self.of(item) for item in one]
        if isinstance(one, set | frozenset):
            return sorted(map(repr, map(self.of, one)))
        if isinstance(one, bytearray):
            return bytes(one)
        if isinstance(one, Random):
            return one.getstate()
        if isinstance(one, MethodType):
            return one.__name__, self.of(one.__self__)
        if isinstance(one, FunctionType):
            cells = [self.of(cell.cell_contents) for cell in one.__closure__ or ()]
            return one.__qualname__, cells
        return [(name, self.of(value)) for name, value in sorted(_attributes(one).items())]


def _is_value(one: object) -> bool:
    """Whether it does not matter which one of several equal ones it is."""
    parameters = getattr(type(one), "__dataclass_params__", None)
    return isinstance(one, tuple | frozenset) or bool(parameters and parameters.frozen)


def _attributes(one: object) -> dict[str, object]:
    found = dict(getattr(one, "__dict__", {}))
    for base in type(one).__mro__:
        slots = base.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if hasattr(one, name):
                found[name] = getattr(one, name)
    return {name: value for name, value in found.items() if name not in CACHES}


def digest(one: object) -> str:
    """A text that is the same for equal states."""
    return repr(Digest().of(one))


def memory(mmu: Mmu) -> object:
    """What each page has, and each frame."""
    pages = mmu.pages
    used, free, following = pages.frames.saved()
    frames = [frame for frame in range(FRAMES, following, PAGE) if frame not in free]
    assert used == len(frames)
    return (
        [(page, mmu.read(page, PAGE)) for page in sorted(pages.written)],
        sorted(pages.zeros), sorted(pages.shown.items()),
        [(frame, mmu.frame_bytes(frame)) for frame in frames], free,
    )  # fmt: skip


def registers(cpu: Cpu) -> object:
    """Everything that a program can see of the CPU, and how much it ran."""
    whole = "fs_base gs_base cs ss ds es fs gs mxcsr fpcw fpsw fptag".split()
    named = {name: cpu.get(name) for name in GENERAL + whole}
    wide = {name: _wide(cpu, name) for name in [*STATE, *(f"st{n}" for n in range(8))]}
    return named, wide, cpu.counter.count, cpu.fault, cpu.interrupt


def _wide(cpu: Cpu, name: str) -> bytes:
    from emu.process.binding import library, register_number

    room = ctypes.create_string_buffer(16)
    assert library.uc_reg_read(cpu._engine._handle, register_number(name), room) == 0
    return room.raw
