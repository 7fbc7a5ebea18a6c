"""Benches of what a person brings: C, and a shared library, beside what is shipped."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from small_allocators import written

from emu import Heap, run
from emu.bench.bench import bench
from emu.bench.growth import growth
from emu.cli import main
from emu.scenario.patterns import pattern
from emu.trace.costs import costs

COUNTERS = "instructions", "reads", "writes", "lines", "pages", "syscalls"
JEMALLOC = Path("/usr/lib/x86_64-linux-gnu/libjemalloc.so.2")

FIRST_FIT = """
#include <string.h>
#include <unistd.h>

struct block { size_t size; struct block *next; };
static struct block *list;

void *mine_malloc(size_t size)
{
    struct block **at = &list, *found;
    for (; *at; at = &(*at)->next)
        if ((*at)->size >= size) {
            found = *at;
            *at = found->next;
            return found + 1;
        }
    size = (size + 15) & ~15ul;
    found = sbrk(sizeof *found + size);
    if (found == (void *)-1)
        return 0;
    found->size = size;
    return found + 1;
}

void mine_free(void *p)
{
    struct block *one = p;
    if (p) {
        one[-1].next = list;
        list = one - 1;
    }
}

void *mine_realloc(void *p, size_t size)
{
    void *q = mine_malloc(size);
    if (q && p) {
        size_t old = ((struct block *)p)[-1].size;
        memcpy(q, p, old < size ? old : size);
        mine_free(p);
    }
    return q;
}
"""


@pytest.fixture(scope="module")
def first_fit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(FIRST_FIT.replace("mine_", "my_"), tmp_path_factory.mktemp("c"), "fit.c")


def _counts(allocator: Path) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
    """By a bench, and by a trace of the same calls."""
    scenario = pattern("uniform", 40, 2)
    counts = bench(scenario, allocator).counts
    trace = run(scenario, allocator, accesses=True).trace
    assert trace is not None
    return (
        list(zip(*(counts[name].tolist() for name in COUNTERS), strict=True)),
        [tuple(getattr(cost, name) for name in COUNTERS) for cost in costs(trace)],
    )


def test_c_is_counted_as_a_trace_counts_it(first_fit: Path) -> None:
    benched, traced = _counts(first_fit)
    assert benched == traced


def test_a_library_is_counted_as_a_trace_counts_it() -> None:
    """Its code and data are pages of files, which lie elsewhere than in the program."""
    benched, traced = _counts(JEMALLOC)
    assert benched == traced


def test_what_memcpy_does_is_copying(first_fit: Path) -> None:
    done = bench(pattern("realloc-growth", 16), first_fit)
    moves = done.of_kind("realloc")
    rest = done.counts["instructions"][moves] - done.counts["copying"][moves]
    assert (done.counts["copying"][moves] > 0).all()
    assert rest.max() < 200 < done.counts["instructions"][moves].max()
    assert not done.counts["copying"][done.of_kind("free")].any()


def test_a_list_of_holes_has_a_law(first_fit: Path) -> None:
    found = {(one.situation.name, one.kind): one for one in growth(first_fit, largest=200)}
    assert found["holes", "malloc"].law.exact
    assert found["holes", "malloc"].law.order == "n"
    assert found["holes", "free"].law.order == "1"
    assert ("holes", "calloc") not in found


def test_they_stand_side_by_side(first_fit: Path, tmp_path: Path) -> None:
    other = written(FIRST_FIT, tmp_path, "other.c")
    given = [
        "osmem",
        str(other),
        "--prefix",
        "mine_",
        "--cflags",
        "-O0",
        "-p",
        "binary",
        "-n",
        "20",
    ]
    done = CliRunner().invoke(main, ["bench", *map(str, given), "--json"])
    assert done.exit_code == 0, done.output
    osmem, slow = map(json.loads, done.stdout.splitlines())
    assert (osmem["allocator"], slow["allocator"]) == ("osmem", str(other))
    fast = bench(pattern("binary", 20), first_fit).counts["instructions"]
    assert sum(slow["each"]["instructions"]) > 1.5 * int(fast.sum())
    shown = CliRunner().invoke(main, ["bench", *map(str, given), "--summary"]).stdout
    assert "  other.c  " in shown


def test_a_function_that_it_lacks_ends_with_2(first_fit: Path) -> None:
    done = CliRunner().invoke(main, ["bench", str(first_fit), "-p", "hash-table", "-n", "20"])
    assert done.exit_code == 2
    assert done.stderr.startswith(f"emu: {first_fit}: the allocator has no my_calloc\n")


def test_budgets_are_for_all_of_them(first_fit: Path) -> None:
    with Heap(first_fit) as heap:
        with heap.budget(instructions=10**6) as cheap, heap.budget(lines=10**6) as dear:
            heap.free(heap.malloc(100))
        assert cheap.spent["instructions"] == dear.spent["instructions"]
        with pytest.raises(AssertionError, match="my_malloc"), heap.budget(instructions=3):
            heap.malloc(100)
