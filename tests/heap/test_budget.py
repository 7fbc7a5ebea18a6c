"""Budgets: exact at the boundary, in both directions, and readable where they are exceeded."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from emu import Heap
from emu.errors import EmuError, GuestFault, OverBudget
from emu.trace.budget import Budget
from emu.trace.costs import costs

COUNTERS = ("instructions", "accesses", "lines", "pages", "faults", "syscalls")


@pytest.fixture
def blocks(heap: Heap) -> list[int]:
    return [heap.malloc(24) for _ in range(20)]


def _some_calls(heap: Heap, blocks: list[int]) -> None:
    heap.free(heap.malloc(10))
    heap.realloc(blocks[3], 200_000)


def _spent(**limits: int) -> dict[str, int]:
    """What the same calls cost in another heap."""
    with Heap() as heap:
        blocks = [heap.malloc(24) for _ in range(20)]
        with heap.budget(**limits) as budget:
            _some_calls(heap, blocks)
        return budget.spent


@pytest.fixture(scope="module")
def spent() -> dict[str, int]:
    return _spent(accesses=1_000_000)


@pytest.mark.parametrize("counter", COUNTERS)
def test_what_is_allowed_may_be_spent_and_no_more(
    heap: Heap, blocks: list[int], spent: dict[str, int], counter: str
) -> None:
    before = heap.snapshot()
    assert spent[counter] > 0
    with heap.budget(**{counter: spent[counter]}):
        _some_calls(heap, blocks)
    heap.restore(before)
    with (
        pytest.raises(
            OverBudget, match=f"^{spent[counter]} {counter[:5]}[a-z]*, where {spent[counter] - 1}"
        ),
        heap.budget(**{counter: spent[counter] - 1}),
    ):
        _some_calls(heap, blocks)


def test_a_budget_counts_what_a_trace_counts(heap: Heap, blocks: list[int]) -> None:
    with heap.budget(accesses=10**6) as budget, heap.budget(instructions=10**6) as within:
        _some_calls(heap, blocks)
    with Heap() as other:
        others = [other.malloc(24) for _ in range(20)]
        with other.trace(accesses=True) as recorder:
            _some_calls(other, others)
    found = costs(recorder.trace)
    assert budget.spent["instructions"] == sum(cost.instructions for cost in found)
    assert budget.spent["accesses"] == sum((c.reads or 0) + (c.writes or 0) for c in found)
    assert budget.spent["lines"] == sum(cost.lines or 0 for cost in found)
    assert within.spent == budget.spent
    assert [call.counts["instructions"] for call in budget.calls] == [
        call.instructions for call in heap.calls[-3:]
    ]


def test_each_call_may_spend_as_much(heap: Heap, blocks: list[int]) -> None:
    first = _measured(lambda: heap.malloc(24), heap.budget())
    with heap.budget(instructions=first["instructions"] + 20, each=True):
        heap.malloc(24)  # twelve more, for the block more

    def two_calls() -> None:
        heap.free(blocks[0])
        heap.malloc(3000)

    error = _exceeded(two_calls, heap.budget(instructions=first["instructions"], each=True))
    assert str(error).startswith("#24 os_malloc(3000): ")
    assert "os_free" not in str(error)


def _exceeded(calls: Callable[[], object], budget: Budget) -> OverBudget:
    with pytest.raises(OverBudget) as caught, budget:
        calls()
    return caught.value


def _measured(calls: Callable[[], object], budget: Budget) -> dict[str, int]:
    with budget:
        calls()
    return budget.spent


def test_the_message_tells_counts_calls_and_lines(heap: Heap, blocks: list[int]) -> None:
    with pytest.raises(OverBudget) as caught, heap.budget(instructions=100, syscalls=0):
        _some_calls(heap, blocks)
    error = caught.value
    headline, *rows = str(error).splitlines()
    assert headline == (
        f"{error.spent['instructions']} instructions, where 100 are allowed and "
        "1 syscall, where 0 are allowed, by 3 calls"
    )
    assert rows[0] == "  instructions by call"
    assert [row.split()[1] for row in rows[1:4]] == ["#21", "#23", "#22"]
    assert rows[1].endswith("os_malloc(10)")
    assert rows[2].endswith("os_realloc(heap+0xc8, 200000)")
    assert rows[4] == "  instructions by line"
    assert "find_best        asm/osmem/search.s" in rows[5]
    assert len(rows) == 10


def test_lines_are_the_same_with_and_without_a_recorder(heap: Heap, blocks: list[int]) -> None:
    before = heap.snapshot()
    messages = []
    for limits in ({"instructions": 1}, {"instructions": 1, "accesses": 10**6}):
        with pytest.raises(OverBudget) as caught, heap.budget(**limits):
            _some_calls(heap, blocks)
        messages.append(str(caught.value))
        heap.restore(before)
    assert messages[0] == messages[1]


def test_telling_lines_leaves_the_heap_as_it_was(heap: Heap, blocks: list[int]) -> None:
    with pytest.raises(OverBudget), heap.budget(instructions=1):
        p = heap.malloc(100)
    heap.fill(p, 0x55)
    assert heap.memory[p : p + 100] == b"\x55" * 100
    assert len(heap.calls) == 21
    assert heap.malloc(100) != p
    assert not heap.check()


def test_lines_are_not_told_where_they_cannot_be_known(heap: Heap) -> None:
    p = heap.malloc(1000)
    heap.malloc(8)

    def calls_and_a_write() -> None:
        heap.memory[p - 32 : p - 24] = (200).to_bytes(8, "little")  # its size
        heap.free(p)
        heap.malloc(300)

    error = _exceeded(calls_and_a_write, heap.budget(instructions=1))
    assert str(error).splitlines()[-1].startswith("  by line: not known")


def test_it_is_a_failure_of_a_test_and_an_error_of_ours() -> None:
    assert issubclass(OverBudget, AssertionError)
    assert issubclass(OverBudget, EmuError)


# Within each other


def test_budgets_lie_within_each_other(heap: Heap, blocks: list[int]) -> None:
    first, second = heap.budget(instructions=600), heap.budget(lines=100)

    def both() -> None:
        _measured(lambda: heap.malloc(10), first)
        _measured(lambda: heap.malloc(10), second)

    error = _exceeded(both, heap.budget(instructions=400, accesses=10**6))
    assert "by 2 calls" in str(error)
    assert first.spent["instructions"] + 12 == second.spent["instructions"]


def test_a_cheap_budget_holds_a_dear_one(heap: Heap, blocks: list[int]) -> None:
    inner = heap.budget(accesses=10**6)

    def three() -> None:
        heap.malloc(10)
        _measured(lambda: heap.malloc(10), inner)
        heap.malloc(10)

    assert "by 3 calls" in str(_exceeded(three, heap.budget(instructions=800)))
    assert [call.index for call in inner.calls] == [22]


def test_a_budget_of_accesses_within_a_trace_needs_them_there(heap: Heap) -> None:
    with heap.trace(), pytest.raises(ValueError, match="lines within a trace without accesses"):
        heap.budget(lines=3).__enter__()
    with heap.trace(accesses=True) as recorder, heap.budget(lines=100) as budget:
        heap.malloc(10)
    assert budget.spent["lines"] == costs(recorder.trace)[0].lines


# What happens within


def test_what_the_program_writes_between_calls_is_not_spent(heap: Heap) -> None:
    p = heap.malloc(5000)
    with heap.budget(instructions=0, accesses=0, faults=0) as budget:
        heap.fill(p, 1)
    assert budget.spent["instructions"] == 0


@pytest.mark.parametrize("limits", [{"instructions": 1}, {"lines": 1}])
def test_a_death_within_goes_on(heap: Heap, limits: dict[str, int]) -> None:
    with pytest.raises(GuestFault), heap.budget(**limits):
        heap.free(0x10)


def test_an_error_of_the_test_goes_on(heap: Heap) -> None:
    def fail() -> None:
        heap.malloc(10)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), heap.budget(instructions=1):
        fail()


def test_a_budget_of_nothing_measures(heap: Heap) -> None:
    with heap.budget() as budget:
        pass
    assert (budget.spent, budget.calls) == ({}, ())
