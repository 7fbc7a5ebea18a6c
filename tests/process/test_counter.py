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

from emu.errors import BudgetSpent, GuestExited, GuestFault, InternalError
from emu.process import cpu, cpuid
from emu.process.counter import Counter, MachineCounter, PythonCounter
from emu.process.process import Process

_LONG = "f:\n" + "inc rax\n" * 1300 + "ret"


@pytest.fixture(params=["in line", "called", "Python"])
def counter(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> type[Counter]:
    """Which counter the processes of this test have."""
    if request.param == "Python":
        monkeypatch.setattr(platform, "machine", lambda: "aarch64")
        return PythonCounter
    if platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip("no x86-64 host")
    if request.param == "called":
        monkeypatch.setattr(cpu, "exit_check", lambda _: None)
    return MachineCounter


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
def test_all_counters_agree(source: str) -> None:
    expected = _instructions(source)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cpu, "exit_check", lambda _: None)
        assert _instructions(source) == expected
        patch.setattr(platform, "machine", lambda: "aarch64")
        assert _instructions(source) == expected


@given(programs.returning, st.integers(0, 3000))
@settings(max_examples=20)
def test_all_counters_stop_at_the_same_instruction(source: str, budget: int) -> None:
    expected = _stopped(source, budget)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cpu, "exit_check", lambda _: None)
        assert _stopped(source, budget) == expected
        patch.setattr(platform, "machine", lambda: "aarch64")
        assert _stopped(source, budget) == expected


def _stopped(source: str, budget: int) -> tuple[int, int]:
    """Instructions, and the next one's address where the budget did not suffice."""
    with Process(guests.image(source), budget=budget) as process:
        try:
            return process.call("f").instructions, 0
        except BudgetSpent as spent:
            return spent.scene.instructions, spent.scene.address


# By hand


def test_blocks_count_in_line_from_the_first_time_on() -> None:
    """Unicorn's code is what inline.s expects; another Unicorn may be slower, but not wrong."""
    if platform.machine() != "x86_64":
        pytest.skip("no x86-64 host")
    source = "f: mov ecx, 100\n.Lturn: nop\ndec ecx\njnz .Lturn\nret"
    with Process(guests.image(source)) as process, Process(guests.image(source)) as other:
        for each in (process, other):
            assert each.call("f").instructions == 302
            assert isinstance(each.cpu.counter, MachineCounter)
            assert each.cpu.counter.inlined == 5  # the way in and out, f, .Lturn, ret


def test_a_system_call_that_stops_the_cpu_is_the_last_instruction(counter: type[Counter]) -> None:
    source = "f: call g\nnop\nret\ng: nop\nmov eax, 60\nsyscall\nnop\nret"
    with Process(guests.image(source)) as process, pytest.raises(GuestExited) as caught:
        process.call("f")
    assert caught.value.scene.instructions == 4


def test_what_fails_in_a_callback_ends_the_run_before_the_next_block(
    counter: type[Counter], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The block has been entered before, and touches no memory."""

    def fails(leaf: int, _: int) -> None:
        if leaf == cpuid.FEATURES:
            raise KeyboardInterrupt

    monkeypatch.setattr(cpuid, "answer", fails)
    source = "f: mov esi, 3\n.Lturn: mov eax, esi\ncpuid\ninc esi\nand esi, 7\njmp .Lturn"
    with Process(guests.image(source), budget=1_000_000) as process:
        with pytest.raises(KeyboardInterrupt):
            process.call("f")
        assert process.cpu.get("rsi") == 2
        assert process.cpu.instructions() <= 1 + 8 * 5


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


def test_blocks_are_forgotten_where_there_are_many_and_counted_all_the_same(
    counter: type[Counter], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = "\n".join(f"inc rax\njmp .Lstep{number}\n.Lstep{number}:" for number in range(200))
    source = f"f:\nmov rcx, 100\nxor eax, eax\n.Lagain:\n{steps}\ndec rcx\njnz .Lagain\nret"
    expected = _instructions(source)
    monkeypatch.setattr("emu.process.cpu.SLICE", 1000)
    monkeypatch.setattr("emu.process.cpu._MANY_BLOCKS", 100)
    with Process(guests.image(source)) as process:
        forget, kept = process.cpu.counter.forget, []

        def forgets() -> None:
            kept.append(process.cpu.counter.known)
            forget()
            kept.append(process.cpu.counter.known)

        process.cpu.counter.forget = forgets  # type: ignore[method-assign]
        call = process.call("f")
        assert (call.result, call.instructions) == (20_000, expected)
        assert len(kept) > 20
        assert min(kept[::2]) > 100
        assert set(kept[1::2]) == {0}
