"""Instructions are counted exactly: against an engine with a hook, and against a real CPU."""

from __future__ import annotations

import platform
import shutil
from pathlib import Path

import guests
import programs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emu.errors import BudgetSpent, GuestFault, InternalError
from emu.process.counter import Counter, MachineCounter, PythonCounter
from emu.process.process import Process

_LONG = "f:\n" + "inc rax\n" * 1300 + "ret"


@pytest.fixture(params=[MachineCounter, PythonCounter], ids=["machine code", "Python"])
def counter(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> type[Counter]:
    """Which counter the processes of this test have."""
    kind: type[Counter] = request.param
    if kind is PythonCounter:
        monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    elif platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip("no x86-64 host")
    return kind


def _instructions(source: str) -> int:
    with Process(guests.image(source)) as process:
        return process.call("f").instructions


def _fault(source: str) -> tuple[int, int]:
    """How many instructions ran, and where the next stands."""
    with Process(guests.image(source)) as process, pytest.raises(GuestFault) as caught:
        process.call("f")
    return caught.value.scene.instructions, caught.value.scene.address


# Against an instruction hook on a plain engine


def test_each_host_has_its_counter(counter: type[Counter]) -> None:
    with Process(guests.image("f: ret")) as process:
        assert type(process.cpu.counter) is counter


@given(programs.returning)
@settings(max_examples=40)
def test_a_call_counts_as_an_instruction_hook_counts(source: str) -> None:
    assert _instructions(source) == len(programs.trace(source))


@given(programs.faulting)
@settings(max_examples=40)
def test_a_fault_counts_what_ran_before_it(source: str) -> None:
    """A jump to nowhere has run; its target has not."""
    begun = programs.trace(source)
    ran, address = _fault(source)
    assert address == begun[-1]
    assert ran == len(begun) - (not source.count("jmp r11"))


@given(programs.returning, st.integers(0, 3000))
@settings(max_examples=40)
def test_a_budget_stops_before_the_block_that_would_pass_it(source: str, budget: int) -> None:
    begun = programs.trace(source)
    with Process(guests.image(source), budget=budget) as process:
        if len(begun) <= budget:
            assert process.call("f").instructions == len(begun)
            return
        with pytest.raises(BudgetSpent) as caught:
            process.call("f")
        ran = caught.value.scene.instructions
        assert budget - 512 < ran <= budget
        assert begun[ran] == caught.value.scene.address


@given(programs.returning)
@settings(max_examples=20)
def test_both_counters_agree(source: str) -> None:
    expected = _instructions(source)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(platform, "machine", lambda: "aarch64")
        assert _instructions(source) == expected


# By hand


def test_a_function_of_two_instructions_counts_two(counter: type[Counter]) -> None:
    assert _instructions("f: nop\nret") == 2


def test_every_call_counts_the_same(counter: type[Counter]) -> None:
    with Process(guests.image("f: call g\nret\ng: nop\nret")) as process:
        assert [process.call("f").instructions for _ in range(4)] == [4] * 4
        assert process.call("g").instructions == 2


def test_the_way_in_and_out_counts_nothing_even_translated_anew(counter: type[Counter]) -> None:
    with Process(guests.image("f: ret")) as process:
        for _ in range(3):
            assert process.call("f").instructions == 1
            process.cpu.forget_code(process._enter_at, process._leave + 1)


def test_blocks_longer_than_the_translator_takes_are_counted_whole(counter: type[Counter]) -> None:
    assert _instructions(_LONG) == 1301


@pytest.mark.parametrize(("times", "counted"), [(0, 1), (1, 2), (2, 3), (100, 101)])
@pytest.mark.parametrize("instruction", ["rep movsb", "rep stosq"])
def test_a_rep_counts_its_repetitions_and_the_look_that_finds_none_left(
    counter: type[Counter], instruction: str, times: int, counted: int
) -> None:
    body = programs.repeated(instruction, times)
    alone = _instructions(f"f: {body}\nret\n.data\nbuffer: .zero 800")
    assert alone == 4 + counted + 1


@pytest.mark.parametrize("fault", programs.FAULTS)
def test_a_fault_in_the_middle_of_a_block(counter: type[Counter], fault: str) -> None:
    source = f"f: nop\n{fault}\n.data\nbuffer: .zero 512"
    begun = programs.trace(source)
    assert _fault(source) == (len(begun) - ("jmp" not in fault), begun[-1])


def test_more_blocks_than_a_page_of_slots_holds(counter: type[Counter]) -> None:
    """5 000 blocks, and a page has 4 096."""
    source = "f:\n" + "".join(f"jmp .Lnext{i}\n.Lnext{i}:\n" for i in range(5000)) + "ret"
    with Process(guests.image(source)) as process:
        assert [process.call("f").instructions for _ in range(2)] == [5001, 5001]


def test_a_block_that_nobody_announced_is_our_own_bug(counter: type[Counter]) -> None:
    with Process(guests.image("f: ret")) as process:
        process.cpu.counter.learn = lambda *_: None  # type: ignore[method-assign]
        with pytest.raises(InternalError, match="whose length nobody told"):
            process.call("f")


def test_the_budget_is_kept_across_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emu.process.cpu.SLICE", 1000)
    loop = "f: mov ecx, 50000\n.Lturn: nop\ndec ecx\njnz .Lturn\nret"
    assert _instructions(loop) == 150_002
    with Process(guests.image(loop), budget=100_001) as process:
        with pytest.raises(BudgetSpent) as caught:
            process.call("f")
        assert caught.value.scene.instructions == 100_000


# Against the machine's own CPU


@pytest.fixture(scope="module")
def tracer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if platform.machine() != "x86_64" or not all(map(shutil.which, ("gcc", "as", "ld"))):
        pytest.skip("no x86-64 host with gcc")
    return programs.build_tracer(tmp_path_factory.mktemp("native"))


@given(data=st.data())
@settings(max_examples=15)
def test_a_real_cpu_takes_as_many_steps(tracer: Path, data: st.DataObject) -> None:
    source = data.draw(programs.without_rep)
    assert _instructions(source) == programs.steps(tracer, source)


@pytest.mark.parametrize("times", [0, 1, 2, 40])
def test_a_real_cpu_steps_once_for_each_repetition_and_looks_no_more(
    tracer: Path, times: int
) -> None:
    source = f"f: {programs.repeated('rep movsb', times)}\nret\n.data\nbuffer: .zero 512\n"
    assert programs.steps(tracer, source) == 4 + max(1, times) + 1
    assert _instructions(source) == 4 + times + 1 + 1
