"""Any moment of a scenario is reached again, and is what it was."""

from __future__ import annotations

import random

import pytest

from emu import run
from emu.allocators import find
from emu.debug.past import Past
from emu.debug.target import Reason, Watch
from emu.scenario.load import SHIPPED
from emu.timeline import ScenarioTimeline

SCENARIO = """\
a = malloc 1000
b = malloc 24
fill a 0x55
free a
c = malloc 600
c = realloc c 200000
free c
"""


@pytest.fixture
def scenario(tmp_path):
    path = tmp_path / "past.heap"
    path.write_text(SCENARIO)
    return path


@pytest.fixture
def timeline(scenario):
    with ScenarioTimeline(scenario) as made:
        yield made


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.heap")), ids=lambda path: path.stem)
def test_at_each_moment_stands_the_instruction_that_ran_then(path):
    addresses = run(path, trace=True).trace.addresses().tolist()
    with ScenarioTimeline(path) as timeline:
        assert timeline.end == len(addresses)
        for moment in random.Random(1).sample(range(timeline.end), min(60, timeline.end)):
            timeline.go_to(moment)
            assert timeline.machine.cpu.get("rip") == addresses[moment]
            assert timeline.machine.cpu.counter.count == moment


def test_a_moment_is_the_same_every_time(timeline):
    seen = {}
    for moment in random.Random(2).choices(range(timeline.end + 1), k=200):
        timeline.go_to(moment)
        start = timeline.heap.start
        state = timeline.machine.cpu.state(), timeline.machine.memory.read(start, 4096)
        assert seen.setdefault(moment, state) == state


def test_the_history_has_an_end(timeline):
    with pytest.raises(ValueError, match="is no moment"):
        timeline.go_to(timeline.end + 1)


def test_steps_forward_and_back_cancel_each_other(timeline):
    target = Past(timeline, ("", b""))
    before = [target.registers()]
    for _ in range(300):
        assert target.step().reason is Reason.STEPPED
        before.append(target.registers())
    for registers in reversed(before[:-1]):
        assert target.step_back().reason is Reason.STEPPED
        assert target.registers() == registers
    assert target.step_back().reason is Reason.BEGIN


def test_a_watchpoint_stops_at_the_same_writes_in_both_directions(timeline):
    target = Past(timeline, ("", b""))
    place = timeline.heap.start
    target.watches = {Watch(place, 8, "write")}
    forward, values = [], []
    while target.resume().reason is Reason.WATCHPOINT:
        forward.append(timeline.now)
        values.append(int.from_bytes(target.read(place, 8), "little"))
    assert values[0] == 131040
    assert 1000 in values
    backward = []
    while target.resume_back().reason is Reason.WATCHPOINT:
        backward.append(timeline.now + 1)
    assert backward[::-1] == forward
    assert timeline.now == 0


def test_a_breakpoint_stops_before_its_instruction_in_both_directions(timeline):
    image = find("osmem")
    target = Past(timeline, ("", b""))
    place = image.symbols["os_malloc"]
    target.breakpoints = {place}
    forward = []
    while target.resume().reason is Reason.BREAKPOINT:
        assert target.registers()["rip"] == place
        forward.append(timeline.now)
    assert len(forward) == 3, "the second and third call, and realloc's own"
    backward = []
    while target.resume_back().reason is Reason.BREAKPOINT:
        backward.append(timeline.now)
    assert backward[::-1] == [0, *forward]


def test_long_calls_get_snapshots_on_the_way_and_stay_the_same(scenario, monkeypatch):
    def stops(timeline):
        target = Past(timeline, ("", b""))
        target.watches = {Watch(timeline.heap.start, 8, "write")}
        timeline.go_to(timeline.end)
        found = []
        while target.resume_back().reason is Reason.WATCHPOINT:
            found.append(timeline.now)
        for moment in range(0, timeline.end, 37):
            timeline.go_to(moment)
            found.append((moment, timeline.machine.cpu.state(), timeline.where(moment)))
        return found

    with ScenarioTimeline(scenario) as timeline:
        expected = stops(timeline)
        calls = len(timeline._counts)
    monkeypatch.setattr("emu.timeline.STRIDE", 30)
    with ScenarioTimeline(scenario) as timeline:
        assert stops(timeline) == expected
        assert len(timeline._counts) > calls + 5


def test_what_has_happened_cannot_be_changed(timeline):
    target = Past(timeline, ("", b""))
    assert not target.write(timeline.heap.start, b"x")
    with pytest.raises(ValueError, match="cannot be changed"):
        target.set_register("rax", 1)


def test_no_more_is_recorded_than_is_looked_for(scenario):
    with ScenarioTimeline(scenario) as timeline:
        recorded = []
        trace = timeline.trace
        timeline.trace = lambda piece, **what: recorded.append(piece) or trace(piece, **what)
        target = Past(timeline, ("", b""))
        target.watches = {Watch(timeline.heap.start, 8, "write")}
        assert target.step().reason is Reason.STEPPED
        assert recorded == [timeline.piece_at(0)]
        assert target.resume().reason is Reason.WATCHPOINT
        assert set(recorded) == {timeline.piece_at(0)}


def test_an_interrupt_ends_a_search_between_two_pieces(timeline):
    target = Past(timeline, ("", b""))
    target.breakpoints = {0x1234}
    recorded = []
    trace = timeline.trace

    def interrupting(piece, **what):
        recorded.append(piece)
        target.interrupt()
        return trace(piece, **what)

    timeline.trace = interrupting
    assert target.resume().reason is Reason.INTERRUPTED
    assert len(recorded) == 1
    assert timeline.now == 0
    timeline.trace = trace
    assert target.resume().reason is Reason.END
