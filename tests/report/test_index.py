"""An index in the terminal, in JSON and in the page."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from rich.console import Console

from emu import Heap, run
from emu.report import as_json, html, index, terminal
from emu.run import Run
from emu.scenario.load import from_text, shipped

SCENARIO = """\
a = malloc 24
s = malloc 8
b = malloc 24
t = malloc 8
c = malloc 24
u = malloc 8
free a
free b
free c
free t
"""
SHOWN = """\
index  1 free block in 1 bin   deepest tree 1   3 blocks to be merged
bin             blocks  depth  in order
24                   1      1  heap+0x20
to be merged: heap+0x80 and its free neighbours
to be merged: heap+0xe0 and its free neighbours
to be merged: heap+0xb8 and its free neighbours
"""


@pytest.fixture(scope="module")
def done() -> Run:
    return run(from_text(SCENARIO, "holes.heap"), "indexed")


def shown(lines) -> str:
    out = StringIO()
    console = Console(file=out, width=110, color_system=None, highlight=False)
    for line in lines:
        console.print(line)
    return out.getvalue()


def test_the_terminal_has_a_line_a_bin_and_the_runs_that_wait(done):
    assert shown(index.lines(done.index, done.heap_start)) == SHOWN
    out = StringIO()
    terminal.show(done, Console(file=out, width=110, color_system=None, highlight=False))
    assert SHOWN in out.getvalue()


def test_a_printed_heap_shows_its_index():
    with Heap("indexed") as heap:
        first, _ = heap.malloc(8), heap.malloc(8)
        heap.free(first)
        assert "index  1 free block in 1 bin   deepest tree 1\n" in str(heap)


def test_of_many_bins_the_first_and_the_last_are_shown():
    with Heap("indexed") as heap:
        blocks = [(heap.malloc(8 * size), heap.malloc(8))[0] for size in range(1, 31)]
        for block in blocks:
            heap.free(block)
        lines = shown(index.lines(heap.index, heap.start)).splitlines()
    assert [line.split()[0] for line in lines[2:8]] == ["8", "16", "24", "32", "40", "48"]
    assert lines[8] == "... 18 bins more; --json has them all"
    assert len(lines) == 2 + 12 + 1


def test_json_has_every_tree(done):
    document = json.loads(as_json.document(done))
    assert document["index"]["unmerged"] == ["heap+0x80", "heap+0xe0", "heap+0xb8"]
    assert [(one["size"], one["depth"]) for one in document["index"]["bins"]] == [
        (24, 1),
    ]
    assert document["index"]["bins"][0]["blocks"] == [
        {"place": "heap+0x20", "left": None, "right": None}
    ]


def test_an_allocator_without_an_index_shows_none():
    plain = run(from_text(SCENARIO, "holes.heap"), "osmem")
    assert plain.index is None
    assert list(as_json.as_dict(plain)) == [
        "scenario", "allocator", "calls", "blocks", "findings", "outcome",
    ]  # fmt: skip


def test_the_page_draws_the_trees_into_the_heap():
    pytest.importorskip("altair")
    equal = "".join(f"a{i} = malloc 24\nb{i} = malloc 8\n" for i in range(5))
    freed = "".join(f"free a{i}\n" for i in range(5))
    done = run(from_text(equal + freed, "equal.heap"), "indexed")
    page = html.page(done)
    assert page.count('<path class="edge"') == 4
    assert "bin of 24: heap+" in page
    assert "5 free blocks in 1 bin, deepest tree" in page


@pytest.mark.parametrize("path", shipped(), ids=lambda path: path.stem)
def test_shipped_scenarios_have_the_same_document_on_both(path):
    """But for the costs, and for an index that a write into a freed block has damaged."""
    plain, indexed = (as_json.as_dict(run(path, name)) for name in ("osmem", "indexed"))
    assert (plain.pop("allocator"), indexed.pop("allocator")) == ("osmem", "indexed")
    assert indexed.pop("index")
    damaged = [one for one in indexed["findings"] if one["rule"].startswith("index-")]
    indexed["findings"] = [one for one in indexed["findings"] if one not in damaged]
    for call in plain["calls"] + indexed["calls"]:
        assert call.pop("instructions")
    assert plain == indexed
    assert bool(damaged) == (path.stem == "misuse")
