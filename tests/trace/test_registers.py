"""Registers before each instruction: against a hook in Python, and against what programs push."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).parent.parent / "process"))

import accessing
import guests
import programs
from witness import Witness

from emu import Heap
from emu.errors import GuestDied
from emu.process import machine_counter, step_probe
from emu.process.machine_counter import MachineCounter
from emu.process.process import Process
from emu.process.step_probe import RECORDED, MachineStepProbe, PythonStepProbe
from emu.trace.recorder import Recorder
from emu.trace.trace import REGISTERS, Trace


def _recorded(source: str, *, accesses: bool = False) -> Trace:
    with Process(guests.image(source)) as process:
        recorder = Recorder(process, registers=True, accesses=accesses)
        try:
            with recorder:
                process.call("f")
        except GuestDied:
            pass
        return recorder.trace


def _witnessed(source: str) -> np.ndarray:
    with Process(guests.image(source)) as process:
        witness = Witness(process)
        witness.call("f")
    rows = [tuple(before[name] for name in RECORDED) for before in witness.registers]
    return np.array(rows, REGISTERS)


@contextmanager
def _elsewhere() -> Iterator[None]:
    """On a host that does not run our machine code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(platform, "machine", lambda: "aarch64")
        yield


_any_program = st.one_of(
    programs.returning, programs.faulting, accessing.returning, accessing.faulting
)


def test_each_host_has_its_probe() -> None:
    if platform.machine() != "x86_64":
        pytest.skip("no x86-64 host")
    image = guests.image("f: ret")
    with Process(image) as process, Recorder(process, registers=True):
        assert type(process.cpu.probes.steps) is MachineStepProbe
    with _elsewhere(), Process(image) as process, Recorder(process, registers=True):
        assert type(process.cpu.probes.steps) is PythonStepProbe


@given(_any_program, st.booleans())
@settings(max_examples=60, deadline=None)
def test_each_row_is_what_a_hook_in_python_reads(source: str, accesses: bool) -> None:
    expected = _witnessed(source)
    trace = _recorded(source, accesses=accesses)
    assert np.array_equal(trace.recorded_registers, expected)
    assert np.array_equal(trace.addresses(), expected["rip"])


@given(programs.returning)
@settings(max_examples=20, deadline=None)
def test_each_instruction_of_a_plain_engine_has_a_row(source: str) -> None:
    registers = _recorded(source).recorded_registers
    assert registers["rip"].tolist() == programs.trace(source)


@given(_any_program)
@settings(max_examples=30, deadline=None)
def test_on_other_hosts_the_rows_are_the_same(source: str) -> None:
    expected = _recorded(source)
    with _elsewhere():
        found = _recorded(source)
    assert np.array_equal(found.recorded_registers, expected.recorded_registers)
    assert found.registers_after == expected.registers_after


@given(_any_program, st.booleans())
@settings(max_examples=30, deadline=None)
def test_with_little_room_nothing_is_lost(source: str, accesses: bool) -> None:
    expected = _recorded(source, accesses=accesses)
    for room, slice_ in ((1, 600), (7, 1 << 19), (1 << 14, 513)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(step_probe, "_ROOM", room)
            patch.setattr(machine_counter, "RECORDED_SLICE", slice_)
            found = _recorded(source, accesses=accesses)
        assert np.array_equal(found.recorded_registers, expected.recorded_registers)


@given(programs.returning)
@settings(max_examples=20, deadline=None)
def test_registers_leave_the_other_records_as_they_were(source: str) -> None:
    with Process(guests.image(source)) as process:
        with Recorder(process, accesses=True) as recorder:
            process.call("f")
        expected = recorder.trace
    found = _recorded(source, accesses=True)
    assert np.array_equal(found.addresses(), expected.addresses())
    assert np.array_equal(found.moments, expected.moments)
    for column in ("address", "value", "size", "write"):
        assert np.array_equal(found.recorded_accesses[column], expected.recorded_accesses[column])


# The flags, which Unicorn does not keep as such

_number = st.sampled_from((0, 1, 0x7F, 0x80, 0x7FFF_FFFF, -1, -2, 12345))
_flagging = st.one_of(
    st.builds(
        "{} {}, {}".format,
        st.sampled_from("add sub adc sbb and or xor cmp test".split()),
        st.sampled_from(("rax", "ecx", "dx", "al")),
        _number.map(lambda number: number if number in range(-2, 128) else 99),
    ),
    st.builds("mov rax, {}".format, _number),
    st.builds("{} rcx, rax".format, st.sampled_from("add sub imul bt xadd cmpxchg bsf".split())),
    st.builds("{} edx".format, st.sampled_from("inc dec neg not mul".split())),
    st.builds(
        "{} rax, {}".format, st.sampled_from("shl shr sar rol rcr".split()), st.integers(0, 9)
    ),
    st.sampled_from("clc stc cmc std cld sahf".split()),
    st.just("popcnt rcx, rax"),
    st.just("ucomisd xmm0, xmm1"),
)


@given(st.lists(_flagging, min_size=1, max_size=30))
@settings(max_examples=60, deadline=None)
def test_the_flags_are_those_that_the_program_itself_would_push(lines: list[str]) -> None:
    """The same lines with and without a push of the flags before each."""
    pushed = "\n".join(f"pushfq\npop r8\n{line}" for line in lines)
    looking = _recorded(f"f: {pushed}\ncld\nret", accesses=True)
    flags = looking.recorded_accesses["value"][:-1:2]
    assert len(flags) == len(lines)
    alone = _recorded("f: " + "\n".join(lines) + "\ncld\nret").recorded_registers["rflags"]
    assert alone[: len(lines)].tolist() == flags.tolist()


# By hand


def test_an_instruction_that_the_kernel_runs_has_its_row() -> None:
    """rdtsc, in the middle of a block and at the head of another."""
    source = "f: mov eax, 7\nrdtsc\nrdtsc\nmov ecx, eax\njmp .Lon\n.Lon: rdtsc\nret"
    for probed in (_recorded(source), _recorded(source, accesses=True)):
        registers = probed.recorded_registers
        assert np.array_equal(registers["rip"], probed.addresses())
        assert len(registers) == 7
        assert registers["rax"][1] == 7
        assert registers["rax"][3] == registers["rcx"][4]


def test_a_system_call_stands_between_what_it_was_asked_and_its_answer() -> None:
    registers = _recorded("f: mov eax, 999\nsyscall\nnop\nret").recorded_registers
    assert registers["rax"].tolist()[1:3] == [999, (1 << 64) - 38]
    assert registers["rcx"][2] == registers["rip"][2]
    assert registers["r11"][2] == registers["rflags"][1]


def test_what_the_registers_are_in_the_end_is_kept_too() -> None:
    after = _recorded("f: mov eax, 5\nret").registers_after
    assert after is not None
    assert after["rax"] == 5
    died = _recorded("f: mov eax, 5\nxor ecx, ecx\nmov eax, [rcx]\nret")
    assert died.registers_after is not None
    assert len(died) == 2
    assert died.registers_after["rip"] == died.addresses()[1] + 2


def test_a_heap_records_registers_when_it_is_asked_to() -> None:
    with Heap("osmem") as heap:
        with heap.trace(registers=True) as recorder:
            payloads = [heap.malloc(24) for _ in range(3)]
        trace = recorder.trace
        results = [trace.recorded_registers["rax"][call.last - 1] for call in trace.calls]
        assert results == payloads
        with heap.trace() as recorder:
            heap.malloc(1)
        assert recorder.trace.registers is None
        with pytest.raises(ValueError, match="registers were not recorded"):
            _ = recorder.trace.recorded_registers


def test_after_recording_blocks_count_in_line_again() -> None:
    if platform.machine() != "x86_64":
        pytest.skip("no x86-64 host")
    with Process(guests.image("f: mov ecx, 9\n.Lturn: dec ecx\njnz .Lturn\nret")) as process:
        counter = process.cpu.counter
        assert isinstance(counter, MachineCounter)
        process.call("f")
        inlined = counter.inlined
        with Recorder(process, registers=True) as recorder:
            process.call("f")
            assert counter.inlined == inlined
        rows = len(recorder.trace.recorded_registers)
        process.call("f")
        assert counter.inlined == 2 * inlined
        assert len(recorder.trace.recorded_registers) == rows == 1 + 9 * 2 + 1
