"""Functions for strings, judged where they are entered: machine code against bytes one by one."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emu.process import host_code
from emu.process.engine import Engine
from emu.process.residues import REGISTERS
from emu.process.shadow import Shadow, State
from emu.process.shadow_probe import FRAME, Judged, MachineShadowProbe, Shape
from emu.process.windows import Windows
from syscalls.abi import PAGE

pytestmark = pytest.mark.skipif(not host_code.runs_here(), reason="needs an x86-64")

BASE, END = 0x7000_0000, 0x7000_0000 + 2 * PAGE
"""Two pages are watched, and none beside them."""
STACK, BACK = 0x7FFF_0000_1000, 0x40_1234
FUNCTION = 0x40_5670
CALLBACK = ctypes.CFUNCTYPE(
    None, ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint32, ctypes.c_void_p
)
READABLE = (State.WRITTEN, State.FOREIGN)
REGISTER = {name: number for number, name in enumerate(REGISTERS)}


@dataclass
class Entry:
    """A function is entered, as often as one likes."""

    shadow: Shadow
    memory: Windows
    probe: MachineShadowProbe
    registers: ctypes.Array[ctypes.c_uint64]

    def __post_init__(self) -> None:
        self.told: list[int] = []
        self._callback = CALLBACK(lambda _, address, __, ___: self.told.append(address))
        screened = self.probe.screen(ctypes.cast(self._callback, ctypes.c_void_p).value or 0)
        assert screened is not None
        self._routine, self._word = CALLBACK(screened[0]), screened[1]
        self.memory.write(STACK, BACK.to_bytes(8, "little"))
        self.shadow.see(self.memory.at(BASE))
        self.shadow.see_stack(self.memory.at(STACK))

    def tells(
        self, shape: Shape, *arguments: int, rsp: int = STACK, function: int = FUNCTION
    ) -> bool:
        """Whether that is news."""
        self.probe.let_read(function, shape)
        return self.enters(function, *arguments, rsp=rsp)

    def enters(self, function: int, *arguments: int, rsp: int = STACK) -> bool:
        for name, value in zip(("rdi", "rsi", "rdx", "rsp"), (*arguments, rsp), strict=True):
            self.registers[REGISTER[name]] = value
        self.told.clear()
        self._routine(None, function, 1, self._word)
        assert self.told in ([], [function])
        return bool(self.told)


@pytest.fixture
def entry() -> Iterator[Entry]:
    yield from entered()


def entered() -> Iterator[Entry]:
    shadow, memory, engine = Shadow(), Windows(), Engine()
    registers = (ctypes.c_uint64 * (len(REGISTERS) + 1))()
    probe = MachineShadowProbe(
        engine, shadow, lambda writes, address, size: None, ctypes.addressof(registers)
    )
    shadow.watch(BASE, END)
    yield Entry(shadow, memory, probe, registers)
    probe.close()
    engine.close()
    shadow.close()
    memory.close()


STRINGS = Shape.STRING_1 | Shape.STRING_2
SHAPES = [
    Shape.STRING_1,
    Shape.STRING_2,
    STRINGS,
    Shape.RANGE_1,
    Shape.RANGE_2 | Shape.COPIES,
    Shape.RANGE_1 | Shape.RANGE_2,
]
EDGES = [BASE - 3, BASE, BASE + 40, BASE + PAGE - 9, BASE + PAGE - 2, BASE + PAGE, END - 6, END + 1]
PLACES = st.builds(lambda edge, more: edge + more, st.sampled_from(EDGES), st.integers(0, 6))
STATES = st.sampled_from([*READABLE, *READABLE, State.UNWRITTEN, State.UNADDRESSABLE])


@st.composite
def heaps(draw: st.DrawFn) -> list[tuple[int, int, State]]:
    """[start, end) in a state: one after the other, and all of it at first."""
    pages = [(BASE, BASE + PAGE, draw(STATES)), (BASE + PAGE, END, draw(STATES))]
    parts = draw(st.lists(st.tuples(PLACES, st.integers(1, 20), STATES), max_size=6))
    clipped = [(max(BASE, at), min(END, at + size), state) for at, size, state in parts]
    return pages + [part for part in clipped if part[0] < part[1]]


def states_of(shadow: Shadow, at: int) -> State:
    return State(shadow.bits(at, 1))


def may_read(entry: Entry, shape: Shape, arguments: tuple[int, int, int]) -> bool:
    """The same, byte by byte. Where nobody watches the first byte, nothing is looked at."""
    strings = [(arguments[0], Shape.STRING_1), (arguments[1], Shape.STRING_2)]
    ranges = [(arguments[0], Shape.RANGE_1), (arguments[1], Shape.RANGE_2)]
    copied = (*READABLE, State.UNWRITTEN) if shape & Shape.COPIES else READABLE
    return all(_string(entry, at) for at, bit in strings if shape & bit) and all(
        states_of(entry.shadow, place) in copied
        for at, bit in ranges
        if shape & bit and entry.shadow.watches(at)
        for place in range(at, at + arguments[2])
    )


def _string(entry: Entry, at: int) -> bool:
    if not entry.shadow.watches(at):
        return True
    while entry.shadow.watches(at) and states_of(entry.shadow, at) in READABLE:
        if entry.memory.read(at, 1) == b"\0":
            return True
        at += 1
    return False


@given(
    heaps(),
    st.sets(PLACES, max_size=4),
    st.sampled_from(SHAPES),
    st.tuples(PLACES, PLACES, st.integers(0, 40) | st.sampled_from([PAGE, PAGE + 7, 2 * PAGE])),
)
@settings(max_examples=400, deadline=None)
def test_what_is_let_pass_is_what_may_be_read(
    heap: list[tuple[int, int, State]],
    ends: set[int],
    shape: Shape,
    arguments: tuple[int, int, int],
) -> None:
    for entry in entered():
        entry.memory.write(BASE, b"x" * (END - BASE))
        for end in ends:
            entry.memory.write(end, b"\0")
        for start, stop, state in heap:
            entry.shadow.set(start, stop, state)
        passes = may_read(entry, shape, arguments)
        assert entry.tells(shape, *arguments) is not passes
        first, second = arguments[0], arguments[1]
        used = shape & (Shape.STRING_1 | Shape.RANGE_1), shape & (Shape.STRING_2 | Shape.RANGE_2)
        looked = any(
            bits and entry.shadow.watches(at)
            for bits, at in zip(used, (first, second), strict=True)
        )
        judged = Judged(STACK, BACK, FUNCTION) if looked and passes else Judged()
        assert entry.probe.judged == judged


def test_a_function_that_is_not_in_the_table_is_told(entry: Entry) -> None:
    """Also where another one stood at its place in the table."""
    written = BASE + 8
    entry.shadow.set(BASE, END, State.WRITTEN)
    assert entry.enters(FUNCTION, written, 0, 0)
    assert not entry.tells(Shape.STRING_1, written, 0, 0)
    assert entry.enters(FUNCTION + (1 << 20), written, 0, 0)


def test_all_is_told_within_the_allocator(entry: Entry) -> None:
    entry.shadow.set(BASE, END, State.WRITTEN)
    entry.probe.inside = True
    assert entry.tells(Shape.STRING_1, BASE, 0, 0)
    entry.probe.inside = False
    assert not entry.tells(Shape.STRING_1, BASE, 0, 0)


def test_what_lies_in_memory_that_is_not_seen_is_told(entry: Entry) -> None:
    entry.shadow.set(BASE, END, State.WRITTEN)
    assert not entry.tells(STRINGS, BASE, BASE, 0)
    assert entry.tells(STRINGS, BASE, BASE, 0, rsp=STACK - (1 << 33))
    entry.shadow.see(entry.memory.at(STACK))
    assert entry.tells(STRINGS, BASE, BASE, 0)


def test_what_a_judged_function_calls_is_not_looked_at(entry: Entry) -> None:
    """As long as its return address stands where it was, and it may have come that far."""
    inner = FUNCTION + 0x100
    bad = BASE, 0, 0  # nothing there may be read
    entry.probe.judged = Judged(STACK, BACK, FUNCTION)
    assert not entry.tells(Shape.STRING_1, *bad, function=inner, rsp=STACK - 64)
    assert not entry.tells(Shape.STRING_1, *bad, function=inner, rsp=STACK)  # a jump
    assert entry.tells(Shape.STRING_1, *bad, function=FUNCTION, rsp=STACK)  # called once more
    assert entry.tells(Shape.STRING_1, *bad, function=inner, rsp=STACK - FRAME - 8)
    assert entry.tells(Shape.STRING_1, *bad, function=inner, rsp=STACK + 8)
    entry.memory.write(STACK, (BACK + 1).to_bytes(8, "little"))
    assert entry.tells(Shape.STRING_1, *bad, function=inner, rsp=STACK - 64)


def test_too_many_bytes_are_told(entry: Entry) -> None:
    entry.shadow.set(BASE, END, State.WRITTEN)
    assert not entry.tells(Shape.RANGE_1, BASE, 0, 64 << 20)
    assert entry.tells(Shape.RANGE_1, BASE, 0, (64 << 20) + 1)
