"""Patterns: the same everywhere, sound, and each what its name says."""

from __future__ import annotations

import hashlib

import pytest

from emu import run
from emu.errors import ScenarioError
from emu.scenario import operations as op
from emu.scenario.load import from_text
from emu.scenario.patterns import PATTERNS, Chance, about, as_heap, as_rep, pattern

DIGESTS = {
    "pairwise": "0f747338876581d2",
    "binary": "0df984ca6e3fe83b",
    "realloc-growth": "1a6de8eee097adca",
    "uniform": "c6aa1cb495ac5d2f",
    "power-law": "afb13f567f1779b7",
    "needle": "1ec9062218a645e7",
    "hash-table": "bc47d0485200658e",
}
"""Of the text of 200 blocks by seed 7: what any machine and any Python must print."""


def _operations(name: str, n: int, seed: int = 0) -> list[op.Operation]:
    return [statement.operation for statement in pattern(name, n, seed).statements]


def _sizes(operations: list[op.Operation]) -> list[int]:
    return [one.size for one in operations if isinstance(one, op.Malloc | op.Realloc)]


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_is_the_same_everywhere(name: str) -> None:
    text = as_heap(pattern(name, 200, 7))
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == DIGESTS[name]


@pytest.mark.parametrize("name", PATTERNS)
def test_another_seed_gives_other_calls(name: str) -> None:
    assert _operations(name, 50, 0) == _operations(name, 50, 0)
    assert len({str(_operations(name, 50, seed)) for seed in range(5)}) > 1


@pytest.mark.parametrize("n", [1, 2, 7, 300])
@pytest.mark.parametrize("name", PATTERNS)
def test_every_block_is_given_back_once(name: str, n: int) -> None:
    held: set[str] = set()
    for one in _operations(name, n):
        match one:
            case op.Malloc(block, size):
                assert block not in held
                assert size > 0
                held.add(block)
            case op.Calloc(block):
                assert block not in held
                held.add(block)
            case op.Realloc(block, source, size):
                assert block == source
                assert block in held
                assert size > 0
            case op.Free(block):
                assert block is not None
                held.remove(block)
            case _:
                pytest.fail(f"{one} is no call")
    assert not held


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_has_about_as_many_blocks_as_asked(name: str) -> None:
    operations = _operations(name, 600)
    made = sum(isinstance(one, op.Malloc | op.Calloc) for one in operations)
    assert 0.8 * 600 <= made <= 1.3 * 600
    assert len(operations) <= 4 * 600


@pytest.mark.parametrize("name", PATTERNS)
def test_its_text_says_the_same(name: str) -> None:
    scenario = pattern(name, 40, 2)
    read = from_text(as_heap(scenario), "x.heap")
    assert [one.operation for one in read.statements] == _operations(name, 40, 2)
    assert [one.text for one in read.statements] == [one.text for one in scenario.statements]
    assert read.about.endswith(about(name))


@pytest.mark.parametrize("name", [name for name in PATTERNS if name != "hash-table"])
def test_a_trace_of_the_malloc_lab_says_the_same(name: str) -> None:
    text = as_rep(pattern(name, 40, 2))
    read = from_text(text, "x.rep")
    assert [one.operation for one in read.statements] == _operations(name, 40, 2)
    _, ids, operations, _ = map(int, text.split()[:4])
    assert operations == len(read.statements)
    assert ids == len({line.split()[1] for line in text.splitlines()[4:]})


def test_a_trace_of_the_malloc_lab_has_no_calloc() -> None:
    with pytest.raises(ScenarioError, match="has no calloc"):
        as_rep(pattern("hash-table", 10))


def test_wrong_names_and_sizes_are_refused() -> None:
    with pytest.raises(ScenarioError, match="no pattern `nadel`\nexpected: pairwise, binary"):
        pattern("nadel")
    for n in (0, -1, 1_000_001):
        with pytest.raises(ScenarioError, match=r"expected: 1 to 1000000 blocks"):
            pattern("needle", n)


# Each what its name says


def test_a_pair_makes_room_for_its_sum() -> None:
    operations = _operations("pairwise", 30)
    mallocs = [one.size for one in operations if isinstance(one, op.Malloc)]
    assert set(mallocs) == {mallocs[0], 2 * mallocs[0]}
    assert mallocs.count(mallocs[0]) == 2 * mallocs.count(2 * mallocs[0])


def test_no_hole_of_binary_serves_the_second_half() -> None:
    sizes = [one.size for one in _operations("binary", 30) if isinstance(one, op.Malloc)]
    holes, asked = set(sizes[1:20:2]), set(sizes[20:])
    assert max(holes) < min(asked)


def test_a_growing_buffer_never_fits_where_it_is() -> None:
    """Nor into all that it left behind, together with its neighbours' headers."""
    left = 0
    for one in _operations("realloc-growth", 8):
        if isinstance(one, op.Realloc):
            assert one.size > left
            left += one.size


def test_a_growing_buffer_moves_every_time() -> None:
    calls = [step.call for step in run(pattern("realloc-growth", 24)).steps if step.call]
    moved = [call.result != call.args[0] for call in calls if call.kind == "realloc"]
    assert moved == [True] * 24


def test_uniform_sizes_are_uniform() -> None:
    sizes = _sizes(_operations("uniform", 4000))
    assert min(sizes) >= 1
    assert max(sizes) <= 4096
    for quarter in range(4):
        share = sum(quarter * 1024 < size <= (quarter + 1) * 1024 for size in sizes) / len(sizes)
        assert share == pytest.approx(0.25, abs=0.03)


def test_twice_the_size_is_half_as_likely() -> None:
    sizes = _sizes(_operations("power-law", 8000))
    assert min(sizes) >= 16
    assert max(sizes) < 256 * 1024
    counts = [sum(16 << p <= size < 32 << p for size in sizes) for p in range(5)]
    for larger, smaller in zip(counts[1:], counts, strict=False):
        assert larger / smaller == pytest.approx(0.5, abs=0.08)


def test_a_needle_fits_into_one_hole_only() -> None:
    operations = _operations("needle", 100)
    holes = [one.size for one in operations[:50:2] if isinstance(one, op.Malloc)]
    asked = [one.size for one in operations[75:] if isinstance(one, op.Malloc)]
    assert len(asked) == 50
    assert sorted(holes)[-1] >= max(asked)
    assert sorted(holes)[-2] < min(asked)


def test_a_hash_table_doubles_across_128_kib() -> None:
    tables = [one for one in _operations("hash-table", 1000) if isinstance(one, op.Calloc)]
    assert [one.count * one.size for one in tables] == [512 << power for power in range(9)]


# Chance


def test_chance_is_within_its_bounds_and_reaches_them() -> None:
    chance = Chance(3)
    assert {chance.below(3) for _ in range(100)} == {0, 1, 2}
    assert {chance.between(5, 7) for _ in range(100)} == {5, 6, 7}
    assert sorted(chance.shuffled(list(range(50)))) == list(range(50))
    things = list(range(10))
    assert sorted(chance.taken(things) for _ in range(10)) == list(range(10))
    assert not things
