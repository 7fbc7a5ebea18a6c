"""What `emu trace` shows, whole: the shipped scenarios against golden files.

To see what would change: pytest --golden, and then git diff tests/scenarios.
"""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console
from test_terminal import GOLDEN, compare

from emu import run
from emu.explain.names import Names
from emu.report import (
    trace_accesses,
    trace_calls,
    trace_coverage,
    trace_instructions,
    trace_profile,
    trace_syscalls,
)
from emu.report.trace_explain import explained
from emu.report.trace_view import Selection, Traced, show
from emu.report.trace_writes import who_wrote
from emu.scenario.load import shipped

WIDTH = 100


def traced(path, **options):
    done = run(path, accesses=True, **options)
    return Traced(path, done.trace, Names(done.trace, done.heap_start), done)


def printed(what, *views, selection=Selection()):  # noqa: B008
    out = io.StringIO()
    console = Console(file=out, width=WIDTH, color_system=None, highlight=False)
    for view in views:
        show(view, what, selection, console)
    return out.getvalue()


@pytest.fixture(params=shipped(), ids=lambda path: path.stem)
def scenario(request, monkeypatch):
    monkeypatch.chdir(request.param.parent)
    return traced(request.param.name)


@pytest.fixture
def reuse(monkeypatch):
    (path,) = shipped(["reuse"])
    monkeypatch.chdir(path.parent)
    return traced(path.name)


def every_view(what):
    heap = what.names.heap_start
    return [
        trace_calls.VIEW, trace_syscalls.VIEW, who_wrote("heap+0x8", heap + 8, heap + 9),
        trace_profile.VIEW, trace_coverage.VIEW, trace_instructions.VIEW, trace_accesses.VIEW,
        *(explained(call.index) for call in what.trace.calls),
    ]  # fmt: skip


def test_costs_and_explanations_are_what_the_golden_file_has(scenario, request):
    calls = scenario.trace.calls
    text = printed(scenario, trace_calls.VIEW, *(explained(call.index) for call in calls))
    compare(GOLDEN / f"{scenario.run.scenario.name}.trace.txt", text, request)


def test_every_view_is_what_the_golden_file_has(reuse, request):
    text = printed(reuse, *every_view(reuse), selection=Selection(limit=40))
    compare(GOLDEN / "reuse.views.txt", text, request)


def test_every_row_of_every_view_is_json_and_names_its_view(scenario):
    for view in every_view(scenario):
        rows = view.rows(scenario, Selection())
        documents = [json.loads(json.dumps(one)) for one in rows.documents]
        assert documents
        assert {one["view"] for one in documents} == {view.name}
        assert len({tuple(one) for one in documents if one.get("index", 1)}) <= 2


def test_lines_fit_a_terminal_of_100_columns(scenario):
    """But for system calls and findings, of which nothing is left out."""
    lines = printed(scenario, *every_view(scenario)).splitlines()
    long = [line for line in lines if len(line) > WIDTH]
    assert all("mmap(" in line or line.startswith("! ") for line in long)


def test_the_instructions_are_the_traces(reuse):
    rows = trace_instructions.VIEW.rows(reuse, Selection())
    documents = list(rows.documents)
    assert rows.total == len(documents) == len(reuse.trace)
    assert [one["address"] for one in documents] == reuse.trace.addresses().tolist()
    made = [access for one in documents for access in one["accesses"]]
    assert len(made) == len(reuse.trace.accesses)


def test_filters_leave_what_a_plain_scan_leaves(reuse):
    trace, heap = reuse.trace, reuse.names.heap_start
    everything = list(trace_instructions.VIEW.rows(reuse, Selection()).documents)
    calls = trace.calls[1:3]

    def moments(selection):
        return [one["moment"] for one in trace_instructions.VIEW.rows(reuse, selection).documents]

    def expected(meant):
        return [one["moment"] for one in everything if meant(one)]

    def touches(one):
        return any(
            isinstance(a["place"], str) and int(a["place"][5:], 16) < 32 for a in one["accesses"]
        )

    within = heap, heap + 32
    assert moments(Selection(calls)) == expected(lambda one: one["call"] in (2, 3))
    assert moments(Selection(function="find_best")) == expected(
        lambda one: one["symbol"].partition("+")[0] == "find_best"
    )
    assert moments(Selection(range=within)) == expected(touches)
    assert moments(Selection(calls, "find_best", within)) == expected(
        lambda one: (
            one["call"] in (2, 3)
            and one["symbol"].partition("+")[0] == "find_best"
            and touches(one)
        )
    )
    accesses = trace_accesses.VIEW.rows(reuse, Selection(calls, "find_best", within))
    assert {one["moment"] for one in accesses.documents} == set(
        moments(Selection(calls, "find_best", within))
    )


def test_the_profile_of_a_call_is_part_of_the_whole_one(reuse):
    parts = [
        {
            one["function"]: one["own"]
            for one in trace_profile.VIEW.rows(reuse, Selection((call,))).documents
            if one["table"] == "flat"
        }
        for call in reuse.trace.calls
    ]
    assert [sum(part.values()) for part in parts] == [c.instructions for c in reuse.trace.calls]


def test_the_coverage_of_calls_adds_up_to_the_whole_one(reuse):
    def counts(selection):
        rows = trace_coverage.VIEW.rows(reuse, selection).documents
        return {
            (one["file"], one["line"]): [
                one["runs"], *(n for b in one["branches"] for n in (b["taken"], b["not_taken"]))
            ]
            for one in rows
        }  # fmt: skip

    whole = counts(Selection())
    parts = [counts(Selection((call,))) for call in reuse.trace.calls]
    for key, numbers in whole.items():
        assert sum(part[key][0] for part in parts) == numbers[0]
    both = counts(Selection(reuse.trace.calls))
    assert both == whole


def test_what_was_cut_off_is_said(reuse):
    text = printed(reuse, trace_instructions.VIEW, selection=Selection(limit=3))
    assert len(text.splitlines()) == 1 + 3 + 1
    assert text.endswith("... 420 more of 423, cut off by --limit\n")
    whole = printed(reuse, trace_instructions.VIEW, selection=Selection(limit=423))
    assert "cut off" not in whole


def test_places_are_named_as_they_were_at_their_moment(tmp_path):
    file = tmp_path / "maps.heap"
    file.write_text("a = malloc 200K\nfill a 1\nfree a\nb = malloc 200K\nfill b 2\n")
    what = traced(str(file))
    start = what.names.address("map1", 0)
    assert what.names.address("map2", 0) == start
    written = {
        one["place"]
        for one in trace_accesses.VIEW.rows(what, Selection(range=(start, start + 8))).documents
    }
    assert written == {"map1+0x0", "map2+0x0"}
