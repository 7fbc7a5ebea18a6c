"""Exports as the tools that they are for read them: valgrind's, lcov's, and the formats' rules."""

from __future__ import annotations

import io
import json
import re
import struct
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from emu import Heap, run
from emu.errors import GuestFault, InputError
from emu.report.export import EXPORTS
from emu.trace import coverage, profile
from emu.trace.trace import Trace

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "emu/scenario/shipped").glob("*.heap"))


def traced(name: str, *, accesses: bool = False) -> Trace:
    trace = run(ROOT / f"emu/scenario/shipped/{name}.heap", trace=True, accesses=accesses).trace
    assert trace is not None
    return trace


def told(*command: object) -> str:
    """What a program says, run in the folder of the sources."""
    words = list(map(str, command))
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


# callgrind


def annotated(file: Path, *options: str) -> dict[str, list[int]]:
    """By function: costs in the order of the events; "PROGRAM TOTALS" too."""
    found = {}
    shown = told("callgrind_annotate", "--auto=no", "--threshold=100", *options, file)
    for line in shown.splitlines():
        cost = r"([\d,]+)(?: *\([ \d.]+%\))?"
        if row := re.match(rf" *{cost}(?: +{cost} +{cost})?  +(\S.*)$", line):
            *costs, name = row.groups()
            numbers = [int(one.replace(",", "")) for one in costs if one is not None]
            found[name.rpartition(":")[2]] = numbers
    return found


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_callgrind_annotate_finds_our_costs(path: Path, tmp_path: Path) -> None:
    trace = traced(path.stem)
    EXPORTS["callgrind"](trace, tmp_path / "out")
    own, inclusive = (annotated(tmp_path / "out", f"--inclusive={how}") for how in ("no", "yes"))
    assert own.pop("PROGRAM TOTALS") == [len(trace)]
    assert inclusive.pop("PROGRAM TOTALS") == inclusive.pop("(outside)") == [len(trace)]
    functions = profile.flat(trace)
    assert own == {one.name: [one.own] for one in functions if one.own}
    assert inclusive == {one.name: [one.inclusive] for one in functions if one.own}


def test_callgrind_has_reads_and_writes_where_they_were_recorded(tmp_path: Path) -> None:
    trace = traced("best-fit", accesses=True)
    assert trace.accesses is not None
    EXPORTS["callgrind"](trace, tmp_path / "out")
    own, inclusive = (annotated(tmp_path / "out", f"--inclusive={how}") for how in ("no", "yes"))
    writes = int(trace.accesses["write"].sum())
    reads = len(trace.accesses) - writes
    assert own["PROGRAM TOTALS"] == [len(trace), reads, writes]
    roots = [inclusive["os_malloc"], inclusive["os_free"]]
    assert [sum(column) for column in zip(*roots, strict=True)] == [len(trace), reads, writes]
    first = trace.accesses_within(trace.calls[0].first, trace.calls[0].last)
    assert first.stop - first.start > 0


def test_callgrind_annotate_shows_the_sources(tmp_path: Path) -> None:
    trace = traced("best-fit")
    EXPORTS["callgrind"](trace, tmp_path / "out")
    shown = told("callgrind_annotate", "--auto=yes", tmp_path / "out")
    assert "Auto-annotated source: asm/osmem/search.s" in shown
    line = max((one for one in coverage.lines(trace)), key=lambda one: one.runs)
    text = (ROOT / line.file).read_text().splitlines()[line.line - 1]
    assert re.search(rf"{line.runs:,} \([ \d.]+%\) +{re.escape(text)}\n", shown)


# lcov


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_lcov_counts_what_we_count(path: Path, tmp_path: Path) -> None:
    trace = traced(path.stem)
    EXPORTS["lcov"](trace, tmp_path / "out")
    shown = told("lcov", "--rc", "lcov_branch_coverage=1", "--summary", tmp_path / "out")
    of = {kind: (int(hit), int(all_)) for kind, hit, all_ in
          re.findall(r"(\w+)\.*: .*\((\d+) of (\d+)", shown)}  # fmt: skip
    lines, jumps = coverage.lines(trace), coverage.branches(trace)
    assert of["lines"] == (sum(line.runs > 0 for line in lines), len(lines))
    taken = sum((jump.taken > 0) + (jump.not_taken > 0) for jump in jumps)
    assert of["branches"] == (taken, 2 * len(jumps))
    code = {line.address for line in coverage.code_lines(trace)}
    functions = [one.name for one in trace.sources.symbols if one.address in code]
    called = {one.name for one in profile.flat(trace)} - {"fill"}
    assert of["functions"] == (len(called), len(functions))
    assert "heap_head" not in functions


def test_genhtml_finds_the_sources(tmp_path: Path) -> None:
    EXPORTS["lcov"](traced("best-fit"), tmp_path / "out")
    told("genhtml", "-q", "--branch-coverage", "-o", tmp_path / "html", tmp_path / "out")
    (page,) = (tmp_path / "html").rglob("search.s.gcov.html")
    assert "find_best" in page.read_text()


# Perfetto


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_timeline_keeps_the_formats_rules(path: Path) -> None:
    trace = traced(path.stem)
    stream = io.StringIO()
    EXPORTS["perfetto"](trace, stream)
    document = json.loads(stream.getvalue())
    rows = document["traceEvents"]
    assert document["displayTimeUnit"] in ("ns", "ms")
    required = {"X": {"ts", "dur", "name", "cat"}, "i": {"ts", "s", "name"},
                "C": {"ts", "args", "name"}, "M": {"name", "args"}}  # fmt: skip
    for row in rows:
        assert {"pid", "tid"} | required[row["ph"]] <= row.keys()
        assert row.get("ts", 0) >= 0
        assert row.get("dur", 0) >= 0
    _assert_nested([row for row in rows if row["ph"] == "X"])
    spans = {row["args"]["call"]: row for row in rows if row["ph"] == "X" and "args" in row}
    assert spans.keys() == {call.index for call in trace.calls if call.returned}
    for call in trace.calls:
        if call.returned:
            row = spans[call.index]
            assert row["name"] == call.called.name
            assert round(row["dur"] * 1000) == call.instructions
    calls = Counter(row["name"] for row in rows if row["ph"] == "X")
    assert calls == {one.name: one.calls for one in profile.flat(trace)}


def _assert_nested(rows: list[dict]) -> None:
    """Each lies within one that began before it, or beside it."""
    open_: list[tuple[int, int]] = []
    for row in rows:
        begin = round(row["ts"] * 1000)
        end = begin + round(row["dur"] * 1000)
        while open_ and open_[-1][1] <= begin and open_[-1][0] < open_[-1][1]:
            open_.pop()
        assert not open_ or (open_[-1][0] <= begin and end <= open_[-1][1])
        open_.append((begin, end))


def test_the_timeline_has_system_calls_exceptions_and_bytes_in_use() -> None:
    with Heap() as heap, heap.trace() as recorder:
        a = heap.malloc(100)
        a = heap.realloc(a, 50)
        b = heap.calloc(3, 8)
        heap.free(a)
        heap.free(b)
        with pytest.raises(GuestFault):
            heap.free(0x10)
        trace = recorder.trace
    stream = io.StringIO()
    EXPORTS["perfetto"](trace, stream)
    rows = json.loads(stream.getvalue())["traceEvents"]
    live = [row["args"]["bytes"] for row in rows if row["ph"] == "C"]
    assert live == [100, 50, 74, 24, 0]
    instants = [(row["cat"], row["name"]) for row in rows if row["ph"] == "i"]
    assert instants[:2] == [("system call", "brk")] * 2
    assert instants[-1] == ("exception", "page fault")


# drcov


def read_drcov(data: bytes) -> tuple[list[list[str]], list[tuple[int, int, int]]]:
    """Rows of modules, and (start, size, module) of blocks."""
    head, _, rest = data.partition(b"BB Table: ")
    version, flavor, table, columns, *modules = head.decode().splitlines()
    assert (version, flavor) == ("DRCOV VERSION: 2", "DRCOV FLAVOR: drcov")
    assert table == f"Module Table: version 2, count {len(modules)}"
    assert columns == "Columns: id, base, end, entry, checksum, timestamp, path"
    count, _, blocks = rest.partition(b" bbs\n")
    assert len(blocks) == int(count) * 8
    rows = [[cell.strip() for cell in module.split(",", 6)] for module in modules]
    return rows, list(struct.iter_unpack("<IHH", blocks))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_drcov_covers_the_instructions_that_ran_and_no_others(path: Path, tmp_path: Path) -> None:
    trace = traced(path.stem)
    EXPORTS["drcov"](trace, tmp_path / "out")
    modules, blocks = read_drcov((tmp_path / "out").read_bytes())
    assert [int(row[0]) for row in modules] == list(range(len(modules)))
    covered = set()
    for start, size, module in blocks:
        base, end = (int(cell, 16) for cell in modules[module][1:3])
        assert base + start + size <= end
        covered |= set(range(base + start, base + start + size))
    sizes = {line.address: line.size for line in trace.sources.lines}
    ran = set(trace.addresses().tolist())
    assert ran <= covered
    assert covered == {byte for at in ran for byte in range(at, at + sizes[at])}
    assert modules[0][6] == "asm/osmem/state.s"


# All


def _whole() -> Trace:
    """With all that may be recorded."""
    with Heap() as heap, heap.trace(accesses=True, registers=True) as recorder:
        heap.free(heap.malloc(100))
    return recorder.trace


@pytest.mark.parametrize("name", EXPORTS)
def test_a_file_that_cannot_be_written_is_said(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written: "):
        EXPORTS[name](_whole(), tmp_path / "no" / "folder")


@pytest.mark.parametrize("name", EXPORTS)
def test_a_stream_gets_what_a_file_gets(name: str, tmp_path: Path) -> None:
    trace = _whole()
    EXPORTS[name](trace, tmp_path / "out")
    stream = io.BytesIO() if name == "drcov" else io.StringIO()
    EXPORTS[name](trace, stream)
    written = stream.getvalue()
    data = written if isinstance(written, bytes) else written.encode()
    assert data == (tmp_path / "out").read_bytes()


@pytest.mark.parametrize("name", EXPORTS)
def test_a_trace_of_nothing_is_exported_too(name: str, tmp_path: Path) -> None:
    with Heap() as heap, heap.trace(accesses=True, registers=True) as recorder:
        EXPORTS[name](recorder.trace, tmp_path / "out")
    assert (tmp_path / "out").stat().st_size > 0
