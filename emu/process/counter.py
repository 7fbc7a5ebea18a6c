"""Instructions counted exactly, and the budget enforced, block by block.

Unicorn says of each newly translated block how many instructions it has; before each run of a
block, the counter adds that number. On an x86-64 host it is machine code of ours
(asm/probe/count.s), which soon stands in Unicorn's own code (inline.s), so that counting costs
next to nothing; elsewhere, a Python callback.

`rep` counts once for every repetition, and once more where it finds rcx at zero: Unicorn's way.
A real CPU, single-stepped, does not take that last step, unless it is the only one.
"""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Callable
from typing import Any, Protocol

from emu.process import host_code
from emu.process.disassembly import mnemonics
from emu.process.exit_check import ExitCheck
from emu.process.journal import Journal
from emu.process.machine_counter import MachineCounter, unannounced
from emu.process.slots import UNKNOWN

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
    def spent(self) -> bool:
        """Whether the limit has stopped the engine since `arm`."""

    @property
    def held_back(self) -> int:
        """Instructions of the block that the limit kept from being entered; 0 for none."""

    @property
    def full(self) -> bool:
        """Whether it was not the limit that has stopped the engine, but what is recorded."""

    @property
    def uneven(self) -> int | None:
        """The block that was not entered, since an access of it would not have been aligned."""

    def bind(self, user_data: ctypes.c_uint64) -> None:
        """Where the engine keeps the word that it will pass for the next block it translates."""

    def arm(self, limit: int) -> None:
        """A new limit."""

    def learn(self, address: int, size: int, instructions: int) -> None:
        """The block that was translated last, and how many instructions it has."""

    @property
    def known(self) -> int:
        """How many blocks it keeps, also those that are translated anew and will not come again."""

    def forget(self) -> None:
        """No code is translated any more: what is known of blocks is good for nothing."""

    def take_back(self, instructions: int) -> None:
        """So many of the last block were counted and did not run."""

    def add(self, address: int, size: int) -> None:
        """An instruction that the kernel has run in the CPU's stead."""

    def record(self, journal: Journal | None, *, in_line: bool = True) -> None:
        """From now on a journal is told of all blocks, or nobody is.

        `callback` is another one then, and all code must be forgotten. What was recorded reaches
        the journal at `drain`, and when there is much of it. in_line: as fast as can be.
        """

    @property
    def recording(self) -> bool:
        """Whether a journal is told."""

    @property
    def entered(self) -> int:
        """How many blocks were entered since recording began."""

    before_drain: Callable[[], None] | None
    """Called before what was recorded reaches the journal. None from `record` on."""

    def drain(self) -> None:
        """What was recorded reaches the journal now."""

    def go_to(self, count: int) -> None:
        """Counts on from there."""

    def close(self) -> None:
        """Gives its memory back."""


MOST_IN_BLOCK = 512
"""Instructions."""
LONGEST_BLOCK = MOST_IN_BLOCK * 15
"""Bytes."""


def take_back_rest(counter: Counter, rip: int, read_code: Callable[[int, int], bytes]) -> None:
    """After a stop within the last block: what was counted of it and did not run is taken back."""
    if counter.block <= rip <= counter.block + LONGEST_BLOCK:
        code = read_code(counter.block, rip - counter.block)
        ran = len(mnemonics(code, counter.block))
        counter.take_back(max(0, counter.length - ran))


def make_counter(engine_library: Any, exit_check: ExitCheck | None) -> Counter:
    """The fastest counter that this host can run."""
    stop = ctypes.cast(engine_library.uc_emu_stop, ctypes.c_void_p).value or 0
    if host_code.runs_here():
        return MachineCounter(stop, exit_check)
    return PythonCounter(engine_library.uc_emu_stop)


class PythonCounter:
    """The same in Python: some fifteen times slower, on any host."""

    def __init__(self, stop: Any) -> None:
        self._stop = stop
        self._known: dict[tuple[int, int], int] = {}
        self.callback = _BLOCK_CALLBACK(self._enter)
        self.user: int | None = None
        self.count = self.limit = self.block = self.length = 0
        self._spent = self._lost = False
        self.held_back = 0
        self.full = False
        self.uneven: int | None = None
        self._journal: Journal | None = None
        self.before_drain: Callable[[], None] | None = None
        self._entered, self._drained = array("I"), 0
        self._numbers: dict[tuple[int, int], int] = {}
        self._numbered = 0

    @property
    def spent(self) -> bool:
        if self._lost:
            raise unannounced()
        return self._spent

    def bind(self, user_data: ctypes.c_uint64) -> None:
        """It knows blocks by their address and size."""

    def arm(self, limit: int) -> None:
        self.drain()
        self.limit, self._spent, self.held_back = limit, False, 0

    def learn(self, address: int, size: int, instructions: int) -> None:
        self._known[address, size] = instructions
        if self._journal is not None:
            self._numbers[address, size] = self._numbered
            self._journal.learned(self._numbered, address, size, instructions)
            self._numbered += 1

    @property
    def known(self) -> int:
        return len(self._known)

    def forget(self) -> None:
        self._known.clear()

    def take_back(self, instructions: int) -> None:
        self.count -= instructions
        if self._journal is not None and instructions:
            self.drain()
            self._journal.cut(instructions)

    def add(self, address: int, size: int) -> None:
        self.count += 1
        if self._journal is not None:
            self._entered.append(self._numbered)
            self.learn(address, size, 1)

    def record(self, journal: Journal | None, *, in_line: bool = True) -> None:
        self.drain()
        self.before_drain = None
        self._journal = journal
        self._drained = self._numbered = 0

    @property
    def recording(self) -> bool:
        return self._journal is not None

    @property
    def entered(self) -> int:
        return self._drained + len(self._entered)

    def drain(self) -> None:
        if self._journal is not None:
            if self.before_drain:
                self.before_drain()
            self._drained += len(self._entered)
            self._journal.entered(memoryview(self._entered))
            self._entered = array("I")

    def go_to(self, count: int) -> None:
        self.count = count

    def close(self) -> None:
        self._known.clear()

    def _enter(self, engine: int, address: int, size: int, _: int) -> None:
        instructions = self._known.get((address, size), UNKNOWN)
        if self.count + instructions > self.limit:
            self.held_back = instructions
            self._spent, self._lost = True, (address, size) not in self._known
            self._stop(engine)
        else:
            self.length = instructions
            self.count += instructions
            self.block = address
            if self._journal is not None:
                self._entered.append(self._numbers[address, size])
