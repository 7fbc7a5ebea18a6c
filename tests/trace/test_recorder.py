"""What is recorded is what ran: against a hook on every instruction of a plain engine."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings

sys.path.append(str(Path(__file__).parent.parent / "process"))

import guests
import programs

from emu.errors import GuestDied, SnapshotError
from emu.process import cpu
from emu.process.process import Process
from emu.trace.recorder import Recorder
from emu.trace.trace import Trace


def _recorded(source: str, *, accesses: bool = False) -> Trace:
    with Process(guests.image(source)) as process:
        recorder = Recorder(process, accesses=accesses)
        try:
            with recorder:
                process.call("f")
        except GuestDied:
            pass
        return recorder.trace


@pytest.fixture(params=["in line", "called", "Python"])
def probe(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Which probes record."""
    if request.param == "Python":
        monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    if request.param == "called":
        monkeypatch.setattr(cpu, "exit_check", lambda _: None)
    return str(request.param)


@given(programs.returning)
@settings(max_examples=40)
def test_every_instruction_is_in_the_trace(source: str) -> None:
    expected = programs.trace(source)
    for accesses in (False, True):
        trace = _recorded(source, accesses=accesses)
        assert len(trace) == len(expected)
        assert trace.addresses().tolist() == expected


@given(programs.faulting)
@settings(max_examples=40)
def test_what_faults_is_not_in_the_trace(source: str) -> None:
    expected = programs.trace(source)
    if "jmp r11" not in source:
        expected.pop()
    for accesses in (False, True):
        assert _recorded(source, accesses=accesses).addresses().tolist() == expected


def test_the_way_in_makes_no_accesses() -> None:
    accesses = _recorded("f: ret", accesses=True).accesses
    assert accesses is not None
    assert len(accesses) == 1  # of the return, which reads where to


def test_what_is_recorded_does_not_go_back() -> None:
    with Process(guests.image("f: ret")) as process:
        before = process.snapshot()
        with Recorder(process), pytest.raises(SnapshotError, match="is recorded"):
            process.restore(before)
        process.restore(before)
