"""The replay loop: as many calls made one by one, and safe from what they do."""

from __future__ import annotations

import random

import guests
import pytest
from guests import Load

from emu import allocators
from emu.errors import BudgetSpent, GuestExited, GuestFault
from emu.process.process import LAID, Process
from emu.process.replay import Planned, Replayed, replay

OSMEM = allocators.find("osmem")
MALLOC, CALLOC, REALLOC, FREE = (OSMEM.symbols[name] for name in allocators.ENTRY_POINTS)


def _random_table(seed: int, count: int) -> list[Planned]:
    """Calls of all four functions; what is freed may be given out again, or be null."""
    rng = random.Random(seed)
    table: list[Planned] = []
    held: list[int] = []
    for number in range(count):
        kind = rng.randrange(6) if len(held) > 5 else rng.randrange(2)
        size = rng.choice((0, 1, rng.randrange(400), rng.randrange(5000), 140_000))
        if kind == 0:
            table.append(Planned(MALLOC, size))
        elif kind == 1:
            table.append(Planned(CALLOC, 3, size))
        elif kind in {2, 3}:
            table.append(Planned(REALLOC, second=size, of=held.pop(rng.randrange(len(held)))))
        else:
            table.append(Planned(FREE, of=held.pop(rng.randrange(len(held)))))
        if kind < 4:
            held.append(number)
    return table


def _one_by_one(process: Process, table: list[Planned]) -> tuple[list[int], int]:
    """Results and instructions of the same calls, each made from here."""
    results: list[int] = []
    instructions = 0
    for call in table:
        first = call.first if call.of is None else results[call.of]
        arguments = (first,) if call.second is None else (first, call.second)
        returned = process.call(call.function, *arguments)
        results.append(returned.result)
        instructions += returned.instructions
    return results, instructions


def _mapped(process: Process) -> list[tuple[int, int, str]]:
    return [(r.start, r.end, str(r.rights)) for r in process.kernel.space.regions]


@pytest.mark.parametrize("seed", range(3))
def test_a_replay_does_what_its_calls_do_one_by_one(seed: int) -> None:
    table = _random_table(seed, 400)
    with Process(OSMEM) as one, Process(OSMEM) as other:
        replayed = replay(one, table)
        results, instructions = _one_by_one(other, table)
        gives = [number for number, call in enumerate(table) if call.function != FREE]
        assert [int(replayed.results[n]) for n in gives] == [results[n] for n in gives]
        assert replayed.returned.instructions == instructions
        assert replayed.complete
        assert not replayed.returned.violations
        assert list(replayed.returned.syscalls) == other.kernel.calls
        assert _mapped(one) == _mapped(other)
        space = one.kernel.space
        size = space.brk - space.heap_start
        heaps = [process.memory.read(space.heap_start, size) for process in (one, other)]
        assert heaps[0] == heaps[1]


def test_a_replay_goes_on_where_another_ended() -> None:
    table = _random_table(7, 60)
    with Process(OSMEM) as one, Process(OSMEM) as other:
        _one_by_one(one, table)
        _one_by_one(one, table)
        replay(other, table)
        replay(other, table)
        assert one.kernel.calls == other.kernel.calls
        assert one.cpu.counter.count == other.cpu.counter.count


def test_an_empty_table_calls_nothing() -> None:
    with Process(OSMEM) as process:
        replayed = replay(process, [])
    assert (replayed.results.tolist(), replayed.returned.instructions) == ([], 0)
    assert replayed.complete


def test_arguments_are_words_of_64_bits(load: Load) -> None:
    process = load("f: lea rax, [rdi + rsi]\nret")
    f = process.image.symbols["f"]
    table = [Planned(f, 2**64 - 1, 3), Planned(f, -1, -1), Planned(f, second=5, of=0)]
    assert replay(process, table).results.tolist() == [2, 2**64 - 2, 7]


# What the code under test may do


def _replayed(load: Load, source: str, calls: int = 3, **options: object) -> Replayed:
    process = load(source, **options)
    return replay(process, [Planned(process.image.symbols["f"], n) for n in range(calls)])


def test_the_loop_needs_no_register_of_the_code_that_it_calls(load: Load) -> None:
    names = "rax rbx rcx rdx rsi rdi rbp r8 r9 r10 r11 r12 r13 r14 r15".split()
    spoiled = "\n".join(f"mov {name}, -1" for name in names)
    replayed = _replayed(load, f"f: {spoiled}\nlea rax, [rip + f]\nstd\nret")
    assert replayed.complete
    found = {violation.what for violation in replayed.returned.violations}
    assert found == {"rbx", "rbp", "r12", "r13", "r14", "r15", "DF"}


def test_a_replay_ends_behind_a_call_that_lost_the_stack(load: Load) -> None:
    source = """
        f:      mov     eax, 7
                cmp     edi, 1
                je      .Lodd
                ret
        .Lodd:  pop     rcx
                push    rcx
                push    rcx
                ret
    """
    replayed = _replayed(load, source)
    assert not replayed.complete
    assert replayed.results.tolist() == [7, 7]


def test_the_kernel_knows_nothing_of_the_loop_and_its_table(load: Load) -> None:
    source = guests.SYS + "f: mov rax, [rdi]\nret"
    process = load(source)
    sys = process.image.symbols["sys"]
    before = _mapped(process)
    table = [Planned(sys, number, LAID) for number in (11, 12)]  # munmap, brk
    replayed = replay(process, table)
    assert _mapped(process) == before
    assert [call.name for call in replayed.returned.syscalls] == ["munmap", "brk"]
    assert replayed.returned.syscalls[0].errno == "EINVAL"
    assert replayed.complete


def test_the_loop_cannot_be_written_to(load: Load) -> None:
    process = load("f: mov [rdi], rdi\nret")
    with pytest.raises(GuestFault) as caught:
        replay(process, [Planned(process.image.symbols["f"], LAID)])
    assert (caught.value.address, caught.value.access) == (LAID, "write")


# Dying


def test_a_death_says_which_call_died(load: Load) -> None:
    source = "f: lea rax, [rdi + 0x10]\nmov rcx, [rdi]\nret\n.data\nn: .quad 5"
    process = load(source)
    f, n = process.image.symbols["f"], process.image.symbols["n"]
    with pytest.raises(GuestFault) as caught:
        replay(process, [Planned(f, n), Planned(f, second=3, of=0), Planned(f, 0)])
    assert caught.value.scene.running == "f(0), call 3 of the replay"


def test_the_budget_is_that_of_a_call_and_not_of_all(load: Load) -> None:
    loop = "f: mov ecx, 400\n.Lturn: dec ecx\njnz .Lturn\nret"
    assert _replayed(load, loop, 50, budget=1000).returned.instructions == 50 * 802
    with pytest.raises(BudgetSpent, match="no return within 1000") as caught:
        _replayed(load, "f: cmp edi, 2\nje f\nret", budget=1000)
    assert caught.value.scene.running == "f(2), call 3 of the replay"


def test_the_exit_of_the_process_ends_a_replay(load: Load) -> None:
    process = load(guests.SYS)
    with pytest.raises(GuestExited) as caught:
        replay(process, [Planned(process.image.symbols["sys"], 231, 3)])
    assert caught.value.status == 3
