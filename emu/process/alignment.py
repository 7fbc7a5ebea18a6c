"""Accesses that must be aligned: `movaps` and its kin raise #GP on an odd address.

Unicorn lets them pass. So the instructions that mind are found when a block is translated, the
block is translated again with a hook on those instructions, and the hook, machine code of ours
(asm/probe/align.s), looks at the address. Code without such instructions is untouched.
"""

from __future__ import annotations

import ctypes
from typing import Any, Protocol

from emu.process import binding, host_code
from emu.process.screening import Aligned

_LAYOUT = host_code.layout_of("align")
_BROKEN, _STOP, _READ, _TABLE, _MASK, _VALUE = (
    _LAYOUT[name] // 8 for name in "BROKEN STOP READ TABLE MASK VALUE".split()
)
"""Words of the header."""
_FIELDS = tuple(
    _LAYOUT[name] // 8 for name in "ADDRESS DISPLACEMENT BASE INDEX SHIFT SEGMENT".split()
)
_SLOT = _LAYOUT["SLOT_SIZE"] // 8
_FIRST_SLOTS = 256
_WORD = (1 << 64) - 1
_ALIGNMENT = 16


def numbers_of(access: Aligned) -> tuple[int, ...]:
    """The fields of a slot: address, displacement, base, index, shift, segment."""
    operand = access.operand
    return (
        access.address,
        operand.displacement & _WORD,
        _register(operand.base),
        _register(operand.index),
        operand.scale.bit_length() - 1,
        _register(f"{operand.segment}_base" if operand.segment in ("fs", "gs") else ""),
    )


def _register(name: str) -> int:
    """Unicorn's number of a register; 0 for none."""
    return binding.register_number(name) if name else 0


class Alignment(Protocol):
    """callback and user: what Unicorn calls before an instruction that minds."""

    callback: Any
    user: int | None

    @property
    def broken(self) -> bool:
        """Whether an access was not aligned since `forget`."""

    def forget(self) -> None:
        """A new run begins."""

    def learn(self, access: Aligned) -> None:
        """An instruction that minds."""


def make_alignment(engine_library: Any) -> Alignment:
    """The fastest check that this host can run."""
    if host_code.runs_here():
        return MachineAlignment(engine_library)
    return PythonAlignment(engine_library)


class MachineAlignment:
    """Layout and meaning of the header and the slots: asm/probe/align.s."""

    def __init__(self, library: Any) -> None:
        self._header = (ctypes.c_uint64 * (_VALUE + 1))()
        self._header[_STOP] = ctypes.cast(library.uc_emu_stop, ctypes.c_void_p).value or 0
        self._header[_READ] = ctypes.cast(library.uc_reg_read, ctypes.c_void_p).value or 0
        self._known: dict[int, tuple[int, ...]] = {}
        self._build_table(_FIRST_SLOTS)
        self.callback = ctypes.c_void_p(host_code.address_of("align", "check_alignment"))
        self.user: int | None = ctypes.addressof(self._header)

    @property
    def broken(self) -> bool:
        return bool(self._header[_BROKEN])

    def forget(self) -> None:
        self._header[_BROKEN] = 0

    def learn(self, access: Aligned) -> None:
        self._known[access.address] = fields = numbers_of(access)
        if 2 * len(self._known) > self._slots:
            self._build_table(4 * self._slots)
        else:
            self._store(fields)

    def _build_table(self, slots: int) -> None:
        self._slots = slots
        self._table = (ctypes.c_uint64 * (_SLOT * slots))()
        self._header[_TABLE] = ctypes.addressof(self._table)
        self._header[_MASK] = slots - 1
        for fields in self._known.values():
            self._store(fields)

    def _store(self, fields: tuple[int, ...]) -> None:
        table, mask = self._table, self._slots - 1
        address = fields[0]
        slot = address & mask
        while table[_SLOT * slot] not in (0, address):
            slot = (slot + 1) & mask
        for field, value in zip(_FIELDS, fields, strict=True):
            table[_SLOT * slot + field] = value


class PythonAlignment:
    """The same in Python, on any host."""

    def __init__(self, library: Any) -> None:
        self._library = library
        self._known: dict[int, tuple[int, ...]] = {}
        self.callback = binding.CODE(self._look)
        self.user: int | None = None
        self.broken = False

    def forget(self) -> None:
        self.broken = False

    def learn(self, access: Aligned) -> None:
        self._known[access.address] = numbers_of(access)

    def _look(self, handle: int, address: int, _: int, __: int) -> None:
        fields = self._known.get(address)
        if fields is None:
            return
        _, displacement, base, index, shift, segment = fields
        place = displacement + (self._value(handle, index) << shift)
        place += self._value(handle, base) + self._value(handle, segment)
        if place % _ALIGNMENT:
            self.broken = True
            self._library.uc_emu_stop(ctypes.c_void_p(handle))

    def _value(self, handle: int, number: int) -> int:
        value = ctypes.c_uint64()
        if number:
            self._library.uc_reg_read(ctypes.c_void_p(handle), number, ctypes.byref(value))
        return value.value
