"""Shadow memory against a table of bytes; the probe in machine code against the one in Python."""

from __future__ import annotations

from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asm.assembler import assemble
from asm.image import Image
from emu.process import host_code
from emu.process.process import Process
from emu.process.shadow import Shadow, State
from syscalls.abi import PAGE

BASE = 0x7000_0000
SPAN = 3 * PAGE
STATES = list(State)
PLACES = st.integers(0, SPAN).map(lambda at: at if at % 3 else at & -PAGE)


class Plain:
    """The same, a byte at a time."""

    def __init__(self) -> None:
        self.states = [State.FOREIGN] * SPAN
        self.watched: set[int] = set()

    def watch(self, start: int, end: int) -> None:
        if start < end:
            self.watched |= set(range(start // PAGE, -(-end // PAGE)))
        self.set(start, end, State.UNADDRESSABLE)

    def unwatch(self, start: int, end: int) -> None:
        self.set(start, end, State.FOREIGN)
        self.watched -= set(range(-(-start // PAGE), end // PAGE))

    def set(self, start: int, end: int, state: State) -> None:
        for at in range(start, end):
            if at // PAGE in self.watched:
                self.states[at] = state

    def written(self, start: int, end: int) -> None:
        for at in range(start, end):
            if self.states[at] is State.UNWRITTEN:
                self.states[at] = State.WRITTEN


def bits_of(states: list[State]) -> int:
    return sum(state << 2 * number for number, state in enumerate(states))


def changed(data: st.DataObject, shadow: Shadow, plain: Plain) -> None:
    """One change, to both."""
    start, end = sorted((data.draw(PLACES), data.draw(PLACES)))
    match data.draw(st.sampled_from(["watch", "unwatch", "set", "written", "copy"])):
        case "watch":
            shadow.watch(BASE + start, BASE + end)
            plain.watch(start, end)
        case "unwatch":
            shadow.unwatch(BASE + start, BASE + end)
            plain.unwatch(start, end)
        case "written":
            shadow.written(BASE + start, end - start)
            plain.written(start, end)
        case "set" if all(at // PAGE in plain.watched for at in range(start, end)):
            state = data.draw(st.sampled_from(STATES))
            shadow.set(BASE + start, BASE + end, state)
            plain.set(start, end, state)
        case "copy" if start in plain.watched and end - start < PAGE:
            count = min(end - start, PAGE - start % PAGE)
            shadow.put(BASE + start, count, shadow.bits(BASE, count))
            plain.states[start : start + count] = plain.states[:count]


@given(st.data())
@settings(max_examples=25, deadline=None)
def test_states_are_those_of_a_table_of_bytes(data: st.DataObject) -> None:
    shadow, plain = Shadow(), Plain()
    kept = []
    for _ in range(data.draw(st.integers(1, 8))):
        changed(data, shadow, plain)
        assert shadow.bits(BASE, SPAN) == bits_of(plain.states)
        kept.append((shadow.saved(), bits_of(plain.states), shadow.areas))
    for saved, bits, areas in data.draw(st.permutations(kept)):
        shadow.put_back(saved)
        assert (shadow.bits(BASE, SPAN), shadow.areas) == (bits, areas)
    shadow.close()


def test_a_whole_page_in_one_state_takes_no_memory_and_gives_back_what_it_had() -> None:
    shadow = Shadow()
    shadow.watch(BASE, BASE + (1 << 34))
    shadow.set(BASE, BASE + (1 << 32), State.UNWRITTEN)
    spare = shadow.header[3]
    for _ in range(3):
        shadow.set(BASE + 1, BASE + 2, State.WRITTEN)
        assert shadow.header[3] == spare + 1
        shadow.set(BASE, BASE + PAGE, State.UNWRITTEN)
        assert shadow.header[3] == spare
    shadow.close()


def test_what_is_foreign_at_the_edges_is_told() -> None:
    shadow = Shadow()
    shadow.watch(BASE + 100, BASE + 2 * PAGE - 7)
    shadow.set(BASE + 100, BASE + 200, State.WRITTEN)
    assert shadow.foreign() == [(BASE, BASE + 100), (BASE + 2 * PAGE - 7, BASE + 2 * PAGE)]
    shadow.close()


# The probes

PROGRAM = """
        .text
        .globl  f
f:      mov     rcx, rsi                # a table of accesses: address, size, writes
.Lnext: test    rcx, rcx
        jz      .Lall
        mov     rax, [rdi]
        mov     rdx, [rdi + 8]
        jmp     .Lby_size
.Lback: add     rdi, 16
        dec     rcx
        jmp     .Lnext
.Lby_size:
        cmp     edx, 1
        je      .Lread1
        cmp     edx, 2
        je      .Lread2
        cmp     edx, 4
        je      .Lread4
        cmp     edx, 8
        je      .Lread8
        cmp     edx, 16
        je      .Lread16
        cmp     edx, 17
        je      .Lwrite1
        cmp     edx, 18
        je      .Lwrite2
        cmp     edx, 20
        je      .Lwrite4
        cmp     edx, 24
        je      .Lwrite8
        movups  [rax], xmm0
        jmp     .Lback
.Lread1:
        mov     r8b, [rax]
        jmp     .Lback
.Lread2:
        mov     r8w, [rax]
        jmp     .Lback
.Lread4:
        mov     r8d, [rax]
        jmp     .Lback
.Lread8:
read8:  mov     r8, [rax]
        jmp     .Lback
.Lread16:
        movups  xmm1, [rax]
        jmp     .Lback
.Lwrite1:
        mov     [rax], r8b
        jmp     .Lback
.Lwrite2:
        mov     [rax], r8w
        jmp     .Lback
.Lwrite4:
        mov     [rax], r8d
        jmp     .Lback
.Lwrite8:
        mov     [rax], r8
        jmp     .Lback
.Lall:  ret

        .data
table:  .zero   4096
data:   .zero   12288
"""
SIZES = (1, 2, 4, 8, 16)
Access = tuple[int, int, bool]
"""Offset, size, whether it writes."""
Touch = tuple[bool, int, int]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    path = tmp_path_factory.mktemp("accesses") / "accesses.s"
    path.write_text(f"        .intel_syntax noprefix\n{PROGRAM}")
    return assemble(path)


def looked_at(
    image: Image,
    states: list[tuple[int, int, State]],
    accesses: list[Access],
    *,
    by_machine: bool,
    inside: bool,
) -> tuple[list[Touch], int]:
    """What the probe told of, and the states afterwards."""
    table, data = image.symbols["table"], image.symbols["data"]
    told: list[Touch] = []
    with patch.object(host_code, "runs_here", return_value=by_machine), Process(image) as process:
        shadow = Shadow()
        shadow.watch(data + PAGE, data + 3 * PAGE)
        for at, count, state in states:
            shadow.set(data + PAGE + at, data + PAGE + at + count, state)
        words = [word for at, size, writes in accesses for word in (data + at, size + 16 * writes)]
        process.memory.write(table, b"".join(word.to_bytes(8, "little") for word in words))
        probe = process.cpu.look(
            shadow, lambda writes, address, size: told.append((writes, address - data, size))
        )
        assert type(probe).__name__.startswith("Machine" if by_machine else "Python")
        probe.inside = inside
        process.call("f", table, len(accesses))
        process.cpu.look_away(probe)
        bits = shadow.bits(data, 3 * PAGE)
        shadow.close()
    return told, bits


def told_plainly(
    states: list[tuple[int, int, State]], accesses: list[Access], *, inside: bool
) -> tuple[list[Touch], int]:
    """The same, a byte at a time."""
    all_ = [State.FOREIGN] * PAGE + [State.UNADDRESSABLE] * 2 * PAGE
    for at, count, state in states:
        all_[PAGE + at : PAGE + at + count] = [state] * count
    told = []
    for at, size, writes in parts(accesses):
        found = all_[at : at + size]
        if inside:
            passes = not {State.UNWRITTEN, State.WRITTEN} & set(found)
        elif writes:
            passes = State.UNADDRESSABLE not in found
            if passes:
                new = [State.WRITTEN if one is State.UNWRITTEN else one for one in found]
                all_[at : at + size] = new
        else:
            passes = not {State.UNWRITTEN, State.UNADDRESSABLE} & set(found)
        if not passes:
            told.append((writes, at, size))
    return told, bits_of(all_)


def parts(accesses: list[Access]) -> list[Access]:
    """The engine tells of 16 bytes as of two times 8."""
    return [
        (at + offset, min(size, 8), writes)
        for at, size, writes in accesses
        for offset in range(0, size, 8)
    ]


STRETCH = st.tuples(st.integers(0, PAGE), st.integers(1, PAGE), st.sampled_from(STATES))
PLACE = st.integers(PAGE - 20, 3 * PAGE - 16) | st.integers(2 * PAGE - 20, 2 * PAGE + 4)
ACCESS = st.tuples(PLACE, st.sampled_from(SIZES), st.booleans())


@given(st.lists(STRETCH, max_size=6), st.lists(ACCESS, min_size=1, max_size=60), st.booleans())
@settings(max_examples=40, deadline=None)
def test_both_probes_tell_of_what_a_table_of_bytes_tells(
    image: Image, states: list[tuple[int, int, State]], accesses: list[Access], inside: bool
) -> None:
    expected = told_plainly(states, accesses, inside=inside)
    for by_machine in (True, False):
        found = looked_at(image, states, accesses, by_machine=by_machine, inside=inside)
        assert found == expected, by_machine


@pytest.mark.parametrize("by_machine", [True, False])
def test_an_access_from_outside_into_what_is_watched_is_told(
    image: Image, by_machine: bool
) -> None:
    accesses = [(PAGE - 1, size, writes) for size in (1, 2, 4, 8) for writes in (False, True)]
    expected = told_plainly([], accesses, inside=False)
    assert [size for _, _, size in expected[0]] == [2, 2, 4, 4, 8, 8]
    assert looked_at(image, [], accesses, by_machine=by_machine, inside=False) == expected


@pytest.mark.skipif(not host_code.runs_here(), reason="in Python, all is told")
@pytest.mark.parametrize(
    ("text", "first", "readable", "at", "told"),
    [
        (b"abc\0", 0, 4, 0, False),  # the string ends within the block
        (b"abcd", 0, 4, 0, True),  # it does not
        (b"abc\0abcd", 4, 4, 4, True),  # what is 0 is before the block
        (b"abc\0", 0, 4, 4, False),  # wholly behind the block
        (b"abc\0", 0, 4, 60, False),
        (b"abc\0", 0, 4, 72, True),  # too far behind it
        (b"abcd\0\0\0\0", 0, 8, 0, False),  # all of it is the block's
        (b"\0bcd", 0, 4, PAGE - 4, True),  # across two pages
    ],
)
def test_an_instruction_that_scans_may_read_beyond_a_string_that_ends(
    image: Image, text: bytes, first: int, readable: int, at: int, told: bool
) -> None:
    data, heard = image.symbols["data"], []
    with Process(image) as process:
        shadow = Shadow()
        shadow.watch(data, data + 2 * PAGE)
        shadow.set(data + first, data + first + readable, State.UNWRITTEN)
        shadow.see(process.memory.windows.at(data))
        process.memory.write(data, text)
        words = (data + at, 8)
        process.memory.write(
            image.symbols["table"], b"".join(word.to_bytes(8, "little") for word in words)
        )
        probe = process.cpu.look(shadow, lambda *touch: heard.append(touch))
        for scans in (False, True):
            if scans:
                probe.let_scan(image.symbols["read8"])
            process.call("f", image.symbols["table"], 1)
        process.cpu.look_away(probe)
        shadow.close()
    assert len(heard) == 1 + told


def test_who_raises_when_told_is_heard(image: Image) -> None:
    data = image.symbols["data"]
    with Process(image) as process:
        shadow = Shadow()
        shadow.watch(data, data + PAGE)
        words = (data, 8)
        process.memory.write(
            image.symbols["table"], b"".join(word.to_bytes(8, "little") for word in words)
        )

        def raises(*_: object) -> None:
            raise ZeroDivisionError

        probe = process.cpu.look(shadow, raises)
        with pytest.raises(ZeroDivisionError):
            process.call("f", image.symbols["table"], 1)
        process.cpu.look_away(probe)
        shadow.close()
