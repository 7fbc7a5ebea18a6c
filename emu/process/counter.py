"""Instructions counted exactly, and the budget enforced, block by block.

Unicorn says of each newly translated block how many instructions it has; before each run of a
block, the counter adds that number. On an x86-64 host it is machine code of ours
(asm/probe/count.s), so that counting costs next to nothing; elsewhere, a Python callback.

`rep` counts once for every repetition, and once more where it finds rcx at zero: Unicorn's way.
A real CPU, single-stepped, does not take that last step, unless it is the only one.
"""

from __future__ import annotations

import ctypes
from typing import Any, Protocol

from emu.process import host_code

_BLOCK_CALLBACK = ctypes.CFUNCTYPE(
    None, ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint32, ctypes.c_void_p
)


class Counter(Protocol):
    """callback and user: what Unicorn calls before a block."""

    callback: Any
    user: int | None

    @property
    def count(self) -> int:
        """Instructions of all blocks entered so far."""

    @property
    def limit(self) -> int:
        """What `count` may not pass."""

    @property
    def block(self) -> int:
        """Address of the last block entered."""

    @property
    def length(self) -> int:
        """Instructions of the last block entered."""

    @property
    def misses(self) -> int:
        """Blocks that were entered without their length being known: none, unless we are wrong."""

    @property
    def spent(self) -> bool:
        """Whether the limit has stopped the engine since `arm`."""

    def arm(self, limit: int) -> None:
        """A new limit."""

    def learn(self, address: int, size: int, instructions: int) -> None:
        """A block of code and how many instructions it has."""

    def take_back(self, instructions: int) -> None:
        """So many of the last block were counted and did not run."""

    def close(self) -> None:
        """Gives its memory back."""


def make_counter(engine_library: Any) -> Counter:
    """The fastest counter that this host can run."""
    stop = ctypes.cast(engine_library.uc_emu_stop, ctypes.c_void_p).value or 0
    if host_code.runs_here():
        return MachineCounter(stop)
    return PythonCounter(engine_library.uc_emu_stop)


_LAYOUT = host_code.layout_of("count")
_COUNT, _LIMIT, _LAST, _STOP, _TABLE, _MASK, _MISSES, _SPENT = (
    _LAYOUT[name] // 8 for name in "COUNT LIMIT LAST STOP TABLE MASK MISSES SPENT".split()
)
"""Words of the header."""
_SLOT_SIZE = _LAYOUT["SLOT_SIZE"]
_SLOT = _SLOT_SIZE // 8
_LENGTH = _LAYOUT["LENGTH"] // 8
_FIRST_SLOTS = 1 << 10
_ADDRESS = (1 << 48) - 1


class MachineCounter:
    """Layout and meaning of the header and the slots: asm/probe/count.s."""

    def __init__(self, stop: int) -> None:
        self._header = (ctypes.c_uint64 * (_SPENT + 1))()
        self._header[_STOP] = stop
        self._known: dict[int, int] = {}
        self._table: Any = None
        self._build_table(_FIRST_SLOTS)
        self.callback = ctypes.c_void_p(host_code.address_of("count"))
        self.user: int | None = ctypes.addressof(self._header)

    @property
    def count(self) -> int:
        return self._header[_COUNT]

    @property
    def limit(self) -> int:
        return self._header[_LIMIT]

    @property
    def block(self) -> int:
        return self._table[self._last()] & _ADDRESS if self._header[_LAST] else 0

    @property
    def length(self) -> int:
        return self._table[self._last() + _LENGTH] if self._header[_LAST] else 0

    @property
    def misses(self) -> int:
        return self._header[_MISSES]

    @property
    def spent(self) -> bool:
        return bool(self._header[_SPENT])

    def arm(self, limit: int) -> None:
        self._header[_LIMIT] = limit
        self._header[_SPENT] = 0

    def learn(self, address: int, size: int, instructions: int) -> None:
        key = address ^ size << 48
        self._known[key] = instructions
        if 2 * len(self._known) > self._slots:
            self._build_table(4 * self._slots)
        else:
            self._store(key, instructions)

    def take_back(self, instructions: int) -> None:
        self._header[_COUNT] -= instructions

    def close(self) -> None:
        self._known.clear()

    def _last(self) -> int:
        """Where in the table the last block's slot begins."""
        return (self._header[_LAST] - self._header[_TABLE]) // 8

    def _build_table(self, slots: int) -> None:
        last = self._table[self._last()] if self._header[_LAST] else None
        self._slots = slots
        self._table = (ctypes.c_uint64 * (_SLOT * slots))()
        self._header[_TABLE] = ctypes.addressof(self._table)
        self._header[_MASK] = slots - 1
        for key, instructions in self._known.items():
            place = self._store(key, instructions)
            if key == last:
                self._header[_LAST] = self._header[_TABLE] + 8 * place

    def _store(self, key: int, instructions: int) -> int:
        table, mask = self._table, self._slots - 1
        slot = key & mask
        while table[_SLOT * slot] not in (0, key):
            slot = (slot + 1) & mask
        table[_SLOT * slot], table[_SLOT * slot + _LENGTH] = key, instructions
        return _SLOT * slot


class PythonCounter:
    """The same in Python: some fifteen times slower, on any host."""

    def __init__(self, stop: Any) -> None:
        self._stop = stop
        self._known: dict[tuple[int, int], int] = {}
        self.callback = _BLOCK_CALLBACK(self._enter)
        self.user: int | None = None
        self.count = self.limit = self.block = self.length = self.misses = 0
        self.spent = False

    def arm(self, limit: int) -> None:
        self.limit, self.spent = limit, False

    def learn(self, address: int, size: int, instructions: int) -> None:
        self._known[address, size] = instructions

    def take_back(self, instructions: int) -> None:
        self.count -= instructions

    def close(self) -> None:
        self._known.clear()

    def _enter(self, engine: int, address: int, size: int, _: int) -> None:
        instructions = self._known.get((address, size))
        if instructions is None:
            self.misses += 1
        elif self.count + instructions > self.limit:
            self.spent = True
            self._stop(engine)
        else:
            self.length = instructions
            self.count += instructions
            self.block = address
