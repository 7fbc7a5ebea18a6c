"""The heap of an allocator in assembly begins where a person wants it, and nothing else changes."""

from __future__ import annotations

import pytest
from brought import HERE
from click.testing import CliRunner

from asm.source import PACKAGE
from emu import Heap, run
from emu.allocators import SHIPPED, Choice
from emu.cli import main
from emu.errors import AllocatorError
from emu.scenario.load import load, shipped

HIGH = 0x5556_0000_0000
LOWEST, HIGHEST = 0x12000, 0x7FFF_F7FF_E000
"""Of osmem, whose image takes two pages."""


@pytest.mark.parametrize("allocator", SHIPPED)
def test_the_heap_begins_there_and_the_image_lies_right_below(allocator):
    with Heap(allocator, heap_start=HIGH) as heap:
        assert heap.malloc(24) == HIGH + 32
        assert heap.place(HIGH + 32) == "heap+0x20"
        assert HIGH - 4096 < heap.image.end <= HIGH
        assert heap.check() == []


def test_a_choice_says_it_too_and_what_heap_is_told_goes_before():
    choice = Choice("osmem", heap_start=HIGH)
    for heap, start in ((Heap(choice), HIGH), (Heap(choice, heap_start=HIGHEST), HIGHEST)):
        with heap:
            assert heap.process.heap_start == start


@pytest.mark.parametrize("allocator", SHIPPED)
@pytest.mark.parametrize("start", [LOWEST + 0x10000, (1 << 32) - 0x1000, HIGH])
@pytest.mark.parametrize("path", shipped(), ids=lambda path: path.stem)
def test_every_scenario_ends_as_it_does_below(path, start, allocator):
    usual, moved = (run(load(path), Choice(allocator, heap_start=one)) for one in (None, start))
    assert moved.outcome == usual.outcome
    assert [finding.rule for finding in moved.findings] == [one.rule for one in usual.findings]
    assert [step.result for step in moved.steps] == [step.result for step in usual.steps]
    assert [_cost(step) for step in moved.steps] == [_cost(step) for step in usual.steps]
    assert moved.heap_start == start


def _cost(step):
    return step.call and (step.call.instructions, len(step.call.syscalls))


def test_a_changed_source_is_assembled_again_wherever_it_lies(tmp_path):
    for path in (PACKAGE / "osmem").glob("*.s"):
        (tmp_path / path.name).write_text(path.read_text())
    with Heap(tmp_path / "osmem.s", heap_start=HIGH) as heap:
        assert heap.malloc(24)
    layout = tmp_path / "layout.s"
    layout.write_text(layout.read_text().replace("META,          32", "META,          48"))
    with Heap(tmp_path / "osmem.s", heap_start=HIGH) as heap:
        assert heap.malloc(24) == HIGH + 48


# What is refused


@pytest.mark.parametrize(
    ("start", "what"),
    [
        (HIGH + 1, "a heap begins on a page"),
        (0, "its image cannot lie there"),
        (LOWEST - 0x1000, "its image cannot lie there"),
        (HIGHEST + 0x1000, "its image cannot lie there"),
        (1 << 63, "its image cannot lie there"),
        (1 << 70, "its image cannot lie there"),
    ],
)
def test_a_place_where_no_heap_can_be_is_refused(start, what):
    with pytest.raises(AllocatorError, match=what) as refused:
        Heap("osmem", heap_start=start)
    assert f"from {LOWEST:#x} to {HIGHEST:#x}" in str(refused.value)
    assert str(refused.value).startswith(f"--heap-start {start:#x}: ")


@pytest.mark.parametrize("start", [LOWEST, HIGHEST])
def test_the_first_and_the_last_place_are_heaps(start):
    with Heap("osmem", heap_start=start) as heap:
        assert heap.malloc(24) == start + 32


def test_what_is_no_assembly_lies_where_it_lies():
    with pytest.raises(AllocatorError, match="this is no assembly"):
        Heap(HERE / "list.c", heap_start=HIGH)


# At the command line


def emu(*arguments: object):
    return CliRunner().invoke(main, [*map(str, arguments)])


@pytest.mark.parametrize(
    ("allocator", "start"),
    [("osmem", "0x1234"), ("osmem", "0"), ("osmem", "1G1"), ("osmem", "-4096"), ("osmem", "8T"),
     ("osmem", 2**64), (HERE / "list.c", HIGH), ("", HIGH)],
)  # fmt: skip
@pytest.mark.parametrize("command", ["run", "trace", "debug"])
def test_wrong_places_are_told_without_a_traceback(command, allocator, start, tmp_path):
    scenario = tmp_path / "one.heap"
    scenario.write_text("a = malloc 24\n")
    done = emu(command, scenario, "--allocator", allocator, f"--heap-start={start}")
    assert done.exit_code == 2
    assert isinstance(done.exception, SystemExit)


def test_commands_show_the_heap_where_it_was_wanted(tmp_path):
    scenario = tmp_path / "one.heap"
    scenario.write_text("a = malloc 24\nexpect a == 0x555600000020\n")
    assert emu("run", scenario, "--heap-start", hex(HIGH)).exit_code == 0
    assert emu("run", scenario).exit_code == 1
    assert "0x5555ffffe000 <out_of_memory>" in emu("listing", "--heap-start", hex(HIGH)).output
