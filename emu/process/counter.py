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
from collections.abc import Callable
from typing import Any, Protocol

from emu.errors import InternalError
from emu.process import host_code
from emu.process.disassembly import mnemonics
from emu.process.exit_check import ExitCheck

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


_LAYOUT = host_code.layout_of("count")
_LEFT, _LAST, _SPENT, _UNEVEN, _STOP, _FLAG, _CHECK, _ENGINE, _SLOW, _INLINED = (
    _LAYOUT[name] // 8
    for name in "LEFT LAST SPENT UNEVEN STOP FLAG CHECK ENGINE SLOW INLINED".split()
)
"""Words of the header."""
_SLOT_SIZE = _LAYOUT["SLOT_SIZE"]
_SLOT, _LENGTH, _COUNTER = (_LAYOUT[name] // 8 for name in "SLOT_SIZE LENGTH COUNTER".split())
_SLOTS = 1 << 12
"""In a page of slots; the pages stay where they are, since translated code knows the address."""
_UNKNOWN = 1 << 62
"""The length of a block that was not learned: more than any limit allows."""


class MachineCounter:
    """Layout and meaning of the header and the slots: asm/probe/count.s."""

    def __init__(self, stop: int, exit_check: ExitCheck | None) -> None:
        self._header = (ctypes.c_int64 * (_INLINED + 1))()
        self._header[_STOP] = stop
        self._counted = self._given = 0
        self.limit = 0
        self._pages: list[Any] = []
        self._addresses: dict[int, int] = {}
        self._free = 0
        self._next_slot()
        self._user_data = ctypes.c_uint64()
        self.callback = ctypes.c_void_p(self._routine(exit_check))
        self.user: int | None = self._slot

    @property
    def inlined(self) -> int:
        """How many blocks count in line."""
        return self._header[_INLINED]

    def _routine(self, exit_check: ExitCheck | None) -> int:
        """What is called before a block; it may replace the call where it knows Unicorn's own."""
        if exit_check is None:
            return host_code.address_of("count", "count_block")
        header = self._header
        header[_ENGINE], header[_CHECK], header[_FLAG] = exit_check
        header[_SLOW] = host_code.address_of("count", "leave_block")
        return host_code.address_of("count", "first_entry")

    @property
    def count(self) -> int:
        return self._counted + self._given - self._header[_LEFT]

    @property
    def block(self) -> int:
        return self._addresses.get(self._header[_LAST], 0)

    @property
    def length(self) -> int:
        last = self._header[_LAST]
        return ctypes.c_int64.from_address(last + 8 * _LENGTH).value if last else 0

    @property
    def spent(self) -> bool:
        slot = self._header[_SPENT]
        if slot and slot not in self._addresses:
            raise _unannounced()
        return bool(slot)

    @property
    def uneven(self) -> int | None:
        return self._addresses.get(self._header[_UNEVEN])

    def bind(self, user_data: ctypes.c_uint64) -> None:
        self._user_data = user_data

    def arm(self, limit: int) -> None:
        self._counted = self.count
        self.limit = limit
        self._header[_LEFT] = self._given = max(0, limit - self._counted)
        self._header[_SPENT] = self._header[_UNEVEN] = 0

    def learn(self, address: int, size: int, instructions: int) -> None:
        self._page[self._place + _LENGTH] = instructions
        self._addresses[self._slot] = address
        self._next_slot()
        self._user_data.value = self._slot

    @property
    def known(self) -> int:
        return len(self._addresses)

    def forget(self) -> None:
        self._header[_LAST] = self._header[_SPENT] = self._header[_UNEVEN] = 0
        del self._pages[:-1]  # the slot of the next block is in the last
        self._addresses.clear()

    def take_back(self, instructions: int) -> None:
        self._header[_LEFT] += instructions

    def go_to(self, count: int) -> None:
        self._counted, self._given, self._header[_LEFT] = count, 0, 0

    def close(self) -> None:
        self._pages.clear()
        self._addresses.clear()

    def _next_slot(self) -> None:
        if self._free == 0:
            self._page = (ctypes.c_int64 * (_SLOT * _SLOTS))()
            self._pages.append(self._page)
            self._free = _SLOTS
        self._place = _SLOT * (_SLOTS - self._free)
        self._free -= 1
        self._page[self._place + _LENGTH] = _UNKNOWN
        self._page[self._place + _COUNTER] = ctypes.addressof(self._header)
        self._slot = ctypes.addressof(self._page) + 8 * self._place


class PythonCounter:
    """The same in Python: some fifteen times slower, on any host."""

    def __init__(self, stop: Any) -> None:
        self._stop = stop
        self._known: dict[tuple[int, int], int] = {}
        self.callback = _BLOCK_CALLBACK(self._enter)
        self.user: int | None = None
        self.count = self.limit = self.block = self.length = 0
        self._spent = self._lost = False
        self.uneven: int | None = None

    @property
    def spent(self) -> bool:
        if self._lost:
            raise _unannounced()
        return self._spent

    def bind(self, user_data: ctypes.c_uint64) -> None:
        """It knows blocks by their address and size."""

    def arm(self, limit: int) -> None:
        self.limit, self._spent = limit, False

    def learn(self, address: int, size: int, instructions: int) -> None:
        self._known[address, size] = instructions

    @property
    def known(self) -> int:
        return len(self._known)

    def forget(self) -> None:
        self._known.clear()

    def take_back(self, instructions: int) -> None:
        self.count -= instructions

    def go_to(self, count: int) -> None:
        self.count = count

    def close(self) -> None:
        self._known.clear()

    def _enter(self, engine: int, address: int, size: int, _: int) -> None:
        instructions = self._known.get((address, size), _UNKNOWN)
        if self.count + instructions > self.limit:
            self._spent, self._lost = True, (address, size) not in self._known
            self._stop(engine)
        else:
            self.length = instructions
            self.count += instructions
            self.block = address


def _unannounced() -> InternalError:
    return InternalError("a block was entered whose length nobody told the counter")
