"""Any moment of a real program is reached again, timers and signals and all."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from compiled import ENVIRONMENT, SOURCES, compiled

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
