"""Any moment of a real program is reached again, timers and signals and all."""

from __future__ import annotations

import subprocess
from pathlib import Path
from random import Random

import pytest
from compiled import ENVIRONMENT, SOURCES, compiled

from emu.debug.past import Past
from emu.debug.target import Reason, Watch
from emu.launch import launch
from emu.timeline import ProgramTimeline
from emu.trace.recorder import Recorder
from syscalls.world import Capture, World


def _program(path):
    streams = {"stdin": Capture(b"one\ntwo\n"), "stdout": Capture(), "stderr": Capture()}
    return launch(
        str(path), [str(SOURCES / "library.c"), "37", "two words", ""],
        environment=ENVIRONMENT, world=World(root=Path("/"), **streams),
    )  # fmt: skip


@pytest.mark.parametrize("name", ["signals", "faults", "probes"])
def test_at_each_moment_stands_the_instruction_that_ran_then(name, tmp_path, monkeypatch):
    monkeypatch.setattr("emu.timeline.STRIDE", 20_000)
    path = compiled(name, "glibc, static", tmp_path)
    with _program(path) as program:
        with Recorder(program) as recorder:
            program.play()
        addresses = recorder.trace.addresses()
    with ProgramTimeline(_program(path)) as timeline:
        assert timeline.end == len(addresses)
        for moment in Random(name).sample(range(timeline.end), 150):
            timeline.go_to(moment)
            assert timeline.machine.cpu.counter.count == moment
            assert timeline.machine.cpu.get("rip") == addresses[moment]


STEPS = """
.intel_syntax noprefix
.globl _start, number, buffer
_start: lea rdi, [rip + buffer]
mov ecx, 5
mov al, 0x41
rep stosb
add qword ptr [rip + number], 7
mov eax, 39
syscall
mov eax, 60
xor edi, edi
syscall
.data
buffer: .zero 8
number: .quad 0
"""


@pytest.fixture
def stepping(tmp_path):
    (tmp_path / "steps.s").write_text(STEPS)
    built = tmp_path / "steps"
    options = ["-nostdlib", "-static", "-o", built, tmp_path / "steps.s"]
    subprocess.run(["gcc", *options], check=True)
    with ProgramTimeline(_program(built)) as timeline:
        yield Past(timeline, timeline.machine.file), timeline


def test_a_step_is_one_instruction_over_rep_and_system_calls_too(stepping):
    target, timeline = stepping
    counts, written = [], []
    while target.step().reason is Reason.STEPPED:
        counts.append(timeline.now)
        written.append(target.registers()["rcx"])
    assert counts == list(range(1, timeline.end + 1))
    assert timeline.end == 3 + 6 + 1 + 2 + 3
    assert written[1:9] == [5, 5, 4, 3, 2, 1, 0, 0]


def test_what_reads_and_writes_at_once_is_done_once(stepping):
    target, timeline = stepping
    word = timeline.machine.sources.address_of("number")
    for kind, stops in (("write", 1), ("read", 1), ("access", 1)):
        timeline.go_to(0)
        target.watches = {Watch(word, 8, kind)}
        hits = 0
        while target.resume().reason is Reason.WATCHPOINT:
            hits += 1
            assert target.read(word, 8) == (7).to_bytes(8, "little")
        assert hits == stops
        while target.resume_back().reason is Reason.WATCHPOINT:
            hits -= 1
            assert target.read(word, 8) == bytes(8)
        assert hits == 0
