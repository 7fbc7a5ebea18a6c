"""Growth: laws foretell what calls cost where nobody had counted."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_allocators import BUMP, written

from emu.bench.bench import bench
from emu.bench.growth import Growth, growth, sizes
from emu.errors import InputError
from emu.scenario.load import from_text

PROBES = {
    "malloc": "p = malloc 100",
    "calloc": "p = calloc 25 4",
    "realloc": "p = realloc b{middle} 100",
    "free": "free b{middle}",
}


@pytest.fixture(scope="module")
def osmem() -> tuple[Growth, ...]:
    return growth("osmem", largest=500)


def _at(n: int, kind: str, *, holes: bool) -> int:
    """The instructions of a call behind n blocks, by a bench."""
    count = n * (1 + holes)
    made = [f"b{i} = malloc 24" for i in range(count)]
    freed = [f"free b{i}" for i in range(0, count, 2)] if holes else []
    probe = PROBES[kind].format(middle=count // 2 | 1)
    text = "\n".join([*made, *freed, probe, ""])
    counts = bench(from_text(text, "x.heap"), accesses=False).counts
    return int(counts["instructions"][-1])


def test_osmem_has_exact_laws(osmem: tuple[Growth, ...]) -> None:
    assert len(osmem) == 8
    assert all(one.law.exact for one in osmem)
    orders = {one.kind: one.law.order for one in osmem}
    assert orders == {"malloc": "n", "calloc": "n", "realloc": "n", "free": "1"}


@pytest.mark.parametrize("n", [137, 2600])
def test_laws_foretell_what_a_bench_counts(osmem: tuple[Growth, ...], n: int) -> None:
    """2600 blocks of 24 bytes are more than osmem has at first: what it gets later is as dear."""
    for one in osmem:
        if n < 1000 or (one.kind == "malloc" and not one.situation.holes):
            counted = _at(n, one.kind, holes=one.situation.holes)
            assert counted == one.law.at(n), one.call


def test_what_costs_the_same_always_is_constant(tmp_path: Path) -> None:
    found = growth(written(BUMP, tmp_path), largest=200)
    assert {one.kind: str(one.law) for one in found} == {
        "malloc": "12", "calloc": "14", "realloc": "14", "free": "1",
    }  # fmt: skip


def test_the_sizes_go_by_1_2_5() -> None:
    assert sizes(100) == [10, 20, 50, 100]
    assert sizes(700) == [10, 20, 50, 100, 200, 500, 700]


def test_few_blocks_tell_no_law() -> None:
    with pytest.raises(InputError, match="growth to 99 blocks"):
        growth("osmem", largest=99)
