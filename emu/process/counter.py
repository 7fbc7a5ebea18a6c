"""Instructions counted exactly, and the budget enforced, block by block.

Unicorn says of each newly translated block how many instructions it has; before each run of a
block, the counter adds that number. On an x86-64 host it is machine code of ours
(asm/probe/count.s), so that counting costs next to nothing; elsewhere, a Python callback.

`rep` counts once for every repetition, and once more where it finds rcx at zero: Unicorn's way.
A real CPU, single-stepped, does not take that last step, unless it is the only one.
"""

from __future__ import annotations

import ctypes
import mmap
import platform
from functools import cache
from typing import Any, Protocol

from asm.assembler import assemble_cached
from asm.layout import numbers
from asm.source import PACKAGE

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
    def before(self) -> int:
        """`count` without the last block."""

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

    def close(self) -> None:
        """Gives its memory back."""


def make_counter(engine_library: Any) -> Counter:
    """The fastest counter that this host can run."""
    stop = ctypes.cast(engine_library.uc_emu_stop, ctypes.c_void_p).value or 0
    if platform.machine() in ("x86_64", "AMD64"):
        return MachineCounter(stop)
    return PythonCounter(engine_library.uc_emu_stop)


_SOURCE = PACKAGE / "probe" / "count.s"
_NUMBERS = numbers(_SOURCE)
_COUNT, _LIMIT, _BLOCK, _STOP, _TABLE, _MASK, _MISSES, _SPENT, _BEFORE = (
    _NUMBERS[name] // 8 for name in "COUNT LIMIT BLOCK STOP TABLE MASK MISSES SPENT BEFORE".split()
)
"""Words of the header."""
_GOLDEN = _NUMBERS["GOLDEN"]
_FIRST_SLOTS = 1 << 10
_WORD = (1 << 64) - 1


@cache
def _probe() -> tuple[mmap.mmap, int]:
    """The machine code in executable memory, and its address; one for all counters."""
    code = assemble_cached(_SOURCE).segments[0].data
    memory = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    memory[: len(code)] = code
    return memory, ctypes.addressof(ctypes.c_char.from_buffer(memory))


class MachineCounter:
    """Layout and meaning of the header and the slots: asm/probe/count.s."""

    def __init__(self, stop: int) -> None:
        self._header = (ctypes.c_uint64 * (_BEFORE + 1))()
        self._header[_STOP] = stop
        self._known: dict[int, int] = {}
        self._build_table(_FIRST_SLOTS)
        self.callback = ctypes.c_void_p(_probe()[1])
        self.user: int | None = ctypes.addressof(self._header)

    @property
    def count(self) -> int:
        return self._header[_COUNT]

    @property
    def limit(self) -> int:
        return self._header[_LIMIT]

    @property
    def block(self) -> int:
        return self._header[_BLOCK]

    @property
    def before(self) -> int:
        return self._header[_BEFORE]

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
        key = (address ^ size << 48) & _WORD
        self._known[key] = instructions
        if 2 * len(self._known) > self._slots:
            self._build_table(4 * self._slots)
        else:
            self._store(key, instructions)

    def close(self) -> None:
        self._known.clear()

    def _build_table(self, slots: int) -> None:
        self._slots = slots
        self._table = (ctypes.c_uint64 * (2 * slots))()
        self._header[_TABLE] = ctypes.addressof(self._table)
        self._header[_MASK] = slots - 1
        for key, instructions in self._known.items():
            self._store(key, instructions)

    def _store(self, key: int, instructions: int) -> None:
        table, mask = self._table, self._slots - 1
        slot = (key * _GOLDEN & _WORD) >> 32 & mask
        while table[2 * slot] not in (0, key):
            slot = (slot + 1) & mask
        table[2 * slot], table[2 * slot + 1] = key, instructions


class PythonCounter:
    """The same in Python: some fifteen times slower, on any host."""

    def __init__(self, stop: Any) -> None:
        self._stop = stop
        self._known: dict[tuple[int, int], int] = {}
        self.callback = _BLOCK_CALLBACK(self._enter)
        self.user: int | None = None
        self.count = self.limit = self.block = self.before = self.misses = 0
        self.spent = False

    def arm(self, limit: int) -> None:
        self.limit, self.spent = limit, False

    def learn(self, address: int, size: int, instructions: int) -> None:
        self._known[address, size] = instructions

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
            self.before = self.count
            self.count += instructions
            self.block = address
