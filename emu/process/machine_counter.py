"""The counter as machine code: asm/probe/count.s has its layout and meaning."""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Callable

from emu.errors import InternalError
from emu.process import host_code
from emu.process.cpu_state import flag_beside
from emu.process.exit_check import ExitCheck
from emu.process.journal import Journal
from emu.process.slots import LAYOUT, SLOT_SIZE, Slots

_LEFT, _LAST, _SPENT, _UNEVEN, _STOP, _FLAG, _CHECK = (
    LAYOUT[name] // 8 for name in "LEFT LAST SPENT UNEVEN STOP FLAG CHECK".split()
)
_ENGINE, _SLOW, _INLINED, _AT, _END, _BESIDE, _FIRST = (
    LAYOUT[name] // 8 for name in "ENGINE SLOW INLINED AT END BESIDE FIRST".split()
)
"""Words of the header."""
_RECORD = LAYOUT["RECORD_SIZE"]
RECORDED_SLICE = 1 << 19
"""Instructions, and so at most blocks, of a run. What is recorded stays in the cache."""


class MachineCounter:
    """Counts, and records where a journal is given."""

    def __init__(self, stop: int, exit_check: ExitCheck | None) -> None:
        self._slots = Slots()
        self._header = self._slots.header
        self._header[_STOP] = stop
        self._exit_check = exit_check
        self._counted = self._given = 0
        self.limit = 0
        self._addresses: dict[int, int] = {}
        self._journal: Journal | None = None
        self.before_drain: Callable[[], None] | None = None
        self._ring: _Ring | None = None
        self._last, self._drained = 0, 0
        self._user_data = ctypes.c_uint64()
        self._call("count_block", "first_entry", "leave_block")
        self.user: int | None = self._slots.address

    def _call(self, plain: str, in_line: str, slow: str) -> None:
        """What is called before a block; it may replace the call where it knows Unicorn's own."""
        header, check, beside = self._header, self._exit_check, flag_beside()
        if check is None or beside is None or not in_line:
            self.callback = ctypes.c_void_p(host_code.address_of("count", plain))
            return
        header[_ENGINE], header[_CHECK], header[_FLAG] = check
        header[_BESIDE] = beside
        header[_SLOW] = host_code.address_of("count", slow)
        self.callback = ctypes.c_void_p(host_code.address_of("count", in_line))

    @property
    def inlined(self) -> int:
        """How many blocks count in line."""
        return self._header[_INLINED]

    @property
    def count(self) -> int:
        return self._counted + self._given - self._header[_LEFT]

    @property
    def block(self) -> int:
        return self._addresses.get(self._last_place(), 0)

    @property
    def length(self) -> int:
        place = self._last_place()
        return self._slots.length_at(place) if place in self._addresses else 0

    def _last_place(self) -> int:
        """Of the slot of the last block entered; 0 for none."""
        if self._ring is None:
            return self._place(_LAST)
        return self._last_recorded() or self._last

    def _last_recorded(self) -> int:
        """The same of the blocks in the ring."""
        if self._ring is None or not len(self._ring):
            return 0
        return self._place(_FIRST) + self._ring.last * SLOT_SIZE

    def _place(self, word: int) -> int:
        slot = self._header[word]
        return slot - self._slots.base if slot else 0

    @property
    def spent(self) -> bool:
        place = self._place(_SPENT)
        if place and place not in self._addresses:
            raise unannounced()
        return bool(place)

    @property
    def held_back(self) -> int:
        place = self._place(_SPENT)
        return self._slots.length_at(place) if place else 0

    @property
    def full(self) -> bool:
        place = self._place(_SPENT)
        return bool(place) and self._slots.length_at(place) <= self._header[_LEFT]

    @property
    def uneven(self) -> int | None:
        return self._addresses.get(self._place(_UNEVEN))

    def bind(self, user_data: ctypes.c_uint64) -> None:
        self._user_data = user_data

    def arm(self, limit: int) -> None:
        if self._ring is not None and self._ring.filled:
            self.drain()
        self._counted = self.count
        if self._ring is not None:
            limit = min(limit, self._counted + RECORDED_SLICE)
        self.limit = limit
        self._header[_LEFT] = self._given = max(0, limit - self._counted)
        self._header[_SPENT] = self._header[_UNEVEN] = 0

    def learn(self, address: int, size: int, instructions: int) -> None:
        place = self._slots.learn(instructions)
        self._addresses[place] = address
        self._user_data.value = self._slots.address
        if self._journal is not None:
            self._journal.learned(self._number(place), address, size, instructions)

    @property
    def known(self) -> int:
        return len(self._addresses)

    def forget(self) -> None:
        self._header[_LAST] = self._header[_SPENT] = self._header[_UNEVEN] = 0
        self.drain()
        self._last = 0
        self._slots.forget(reuse=self._journal is None)
        self._addresses.clear()
        self._user_data.value = self._slots.address

    def take_back(self, instructions: int) -> None:
        self._header[_LEFT] += instructions
        if self._journal is not None and instructions:
            self.drain()
            self._journal.cut(instructions)

    def go_to(self, count: int) -> None:
        self._counted, self._given, self._header[_LEFT] = count, 0, 0

    def add(self, address: int, size: int) -> None:
        self._header[_LEFT] -= 1
        if self._ring is not None:
            place = self._slots.place
            self.learn(address, size, 1)
            self._ring.append(self._number(place))

    def _number(self, place: int) -> int:
        """Which slot it is of those that may be recorded."""
        return (place - self._place(_FIRST)) // SLOT_SIZE

    def record(self, journal: Journal | None, *, in_line: bool = True) -> None:
        self.drain()
        self.before_drain = None
        self._journal = journal
        if journal is None:
            self._ring = None
            self._call("count_block", "first_entry", "leave_block")
            return
        self._ring = _Ring(self._header)
        self._last, self._drained = 0, 0
        self._header[_FIRST] = self._slots.address
        self._call("record_block", "first_record" if in_line else "", "leave_recorded")

    @property
    def recording(self) -> bool:
        return self._ring is not None

    @property
    def entered(self) -> int:
        return self._drained + (len(self._ring) if self._ring is not None else 0)

    def drain(self) -> None:
        if self._ring is None or self._journal is None:
            return
        if self.before_drain:
            self.before_drain()
        self._last = self._last_recorded() or self._last
        self._drained += len(self._ring)
        self._journal.entered(self._ring.take())

    @property
    def ring(self) -> tuple[int, int, int]:
        """Where the ring begins, and the addresses of AT and END."""
        start = self._ring.start if self._ring is not None else 0
        return start, self._slots.base + 8 * _AT, self._slots.base + 8 * _END

    def close(self) -> None:
        self._slots.forget(reuse=True)
        self._addresses.clear()


class _Ring:
    """Where records go: room for a slice below END, and for another behind it."""

    def __init__(self, header: ctypes.Array[ctypes.c_int64]) -> None:
        self._header = header
        self._memory = mmap.mmap(-1, 2 * RECORDED_SLICE * _RECORD)
        self._words = memoryview(self._memory).cast("I")
        self.start = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))
        self._empty()

    def _empty(self) -> None:
        self._header[_AT] = self.start
        self._header[_END] = self.start + RECORDED_SLICE * _RECORD

    def __len__(self) -> int:
        return (self._header[_AT] - self.start) // _RECORD

    @property
    def filled(self) -> bool:
        """Whether it must be emptied before another slice runs: a probe may have ended this one."""
        return len(self) > RECORDED_SLICE // 2 or not self._header[_END]

    @property
    def last(self) -> int:
        """The last record."""
        return self._words[len(self) - 1]

    def append(self, number: int) -> None:
        self._words[len(self)] = number
        self._header[_AT] += _RECORD

    def take(self) -> memoryview:
        """All records. The next ones will stand in the same place."""
        taken = self._words[: len(self)]
        self._empty()
        return taken


def unannounced() -> InternalError:
    """The engine entered a block that it had not told of."""
    return InternalError("a block was entered whose length nobody told the counter")
