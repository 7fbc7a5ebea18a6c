"""The commands emu bench and emu pattern: what they print, and their exit status.

To see what would change: pytest --golden, and then git diff tests/cost.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from small_allocators import BUMP, DEADLY, TWICE, written

from emu import run
from emu.cli import main
from emu.scenario.load import from_text
from emu.scenario.patterns import as_rep, pattern

HERE = Path(__file__).parent


def emu(*args: object) -> Result:
    return CliRunner().invoke(main, [str(arg) for arg in args])


def documents(*args: object) -> list[dict[str, Any]]:
    done = emu("bench", "--json", *args)
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def bump(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """bump.s, in the working folder, so that its name is short."""
    monkeypatch.chdir(tmp_path)
    return written(BUMP, tmp_path, "bump.s")


# What is printed


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("needle", ("osmem", "-p", "needle", "-n", "40")),
        ("side-by-side", ("osmem", "bump.s", "-p", "uniform", "-n", "60", "--seed", "3")),
        ("growth", ("osmem", "bump.s", "--growth", "-n", "500")),
        ("summary", ("osmem", "bump.s", "-p", "binary", "-p", "hash-table", "--summary", "-n", 40)),
    ],
)
def test_the_terminal_shows_what_the_golden_file_has(
    name: str, args: tuple[object, ...], bump: Path, request: pytest.FixtureRequest
) -> None:
    done = emu("bench", *args)
    golden = HERE / f"{name}.txt"
    if request.config.getoption("--golden"):
        golden.write_text(done.stdout)
    assert done.stdout == golden.read_text()
    assert (done.exit_code, done.stderr) == (0, "")


def test_two_benches_print_the_same(bump: Path) -> None:
    args = ("bench", "osmem", "bump.s", "-p", "power-law", "-n", "50", "--growth")
    assert emu(*args).stdout == emu(*args).stdout


def test_no_line_ends_in_a_space(bump: Path) -> None:
    out = emu("bench", "osmem", "bump.s", "-n", "50", "-p", "needle", "-p", "binary").stdout
    assert not re.search(r" $", out, re.MULTILINE)


def test_without_a_scenario_a_pattern_is_replayed() -> None:
    assert emu("bench", "-n", "20").stdout.startswith("power-law -n 20 --seed 0  40 calls\n")


def test_a_trace_is_replayed(tmp_path: Path) -> None:
    trace = tmp_path / "x.rep"
    trace.write_text(as_rep(pattern("uniform", 30, 4)))
    (found,) = documents("--trace", trace)
    (expected,) = documents("-p", "uniform", "-n", 30, "--seed", 4)
    assert found["scenario"] == str(trace)
    assert found | {"scenario": ""} == expected | {"scenario": ""}


def test_several_traces_stand_behind_one_option(tmp_path: Path) -> None:
    traces = [tmp_path / "a.rep", tmp_path / "b.heap", tmp_path / "c.rep"]
    for trace in traces:
        trace.write_text("a 0 8\nf 0\n" if trace.suffix == ".rep" else "p = malloc 9\nfree p\n")
    found = documents("osmem", "--trace", *traces)
    assert [one["scenario"] for one in found] == list(map(str, [traces[0], *traces[1:]]))
    assert [one["peak_live"] for one in found] == [8, 9, 8]


# JSON


def test_the_json_has_every_count_of_every_call() -> None:
    (found,) = documents("-p", "realloc-growth", "-n", 16)
    calls = [step.call for step in run(pattern("realloc-growth", 16)).steps if step.call]
    assert found["calls"] == len(calls)
    assert found["each"]["kind"] == [call.kind for call in calls]
    assert found["each"]["instructions"] == [call.instructions for call in calls]
    assert found["each"]["syscalls"] == [len(call.syscalls) for call in calls]
    assert found["utilization"] == found["peak_live"] / found["peak_footprint"]


def test_the_figures_are_those_of_the_counts() -> None:
    (found,) = documents("-p", "hash-table", "-n", 150)
    each = found["each"]
    for kind in ("malloc", "calloc", "free"):
        which = [i for i, one in enumerate(each["kind"]) if one == kind]
        figures = found["kinds"][kind]["accesses"]
        counts = sorted(each["accesses"][i] for i in which)
        assert figures["calls"] == len(counts)
        assert figures["total"] == sum(counts)
        assert figures["mean"] == sum(counts) / len(counts)
        assert sum(count <= figures["median"] for count in counts) >= len(counts) / 2
        assert sum(count < figures["median"] for count in counts) < len(counts) / 2
        assert sum(count <= figures["p99"] for count in counts) >= 0.99 * len(counts)
        assert figures["worst"] == counts[-1]
        first = next(i for i in which if each["accesses"][i] == counts[-1])
        assert figures["worst_call"] == first + 1
    rest = found["kinds"]["calloc"]["not_copying"]["total"]
    cleared = sum(each["copying"])
    assert cleared > 0
    assert rest + cleared == found["kinds"]["calloc"]["instructions"]["total"]


def test_the_json_of_laws() -> None:
    found = documents("--growth", "-n", 200)
    assert len(found) == 8
    malloc = found[0]
    assert (malloc["growth"], malloc["order"], malloc["exact"]) == ("malloc", "n", True)
    slope, _, constant = malloc["law"].partition(" n + ")
    assert all(count == int(slope) * n + int(constant) for n, count in malloc["points"])


# Wrong input, findings, deaths


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("osmeme",), "unknown allocator `osmeme`"),
        (("osmem", "osmem"), "osmem osmem: an allocator is compared with itself"),
        (("-p", "nadel"), "no pattern `nadel`\nexpected: pairwise, binary"),
        (("--trace", "gone.rep"), "gone.rep: cannot be read: no such file or directory"),
        (("--growth", "-n", "5"), "growth to 5 blocks\nexpected: 100 or more"),
        (("-n", "1000001"), "power-law of 1000001 blocks"),
        (("-n", "5", "--html", "/nowhere/x.html"), "/nowhere/x.html: cannot be written"),
    ],
)
def test_wrong_input_ends_with_2_and_says_what_is_wrong(args: tuple[str, ...], says: str) -> None:
    done = emu("bench", *args)
    assert done.exit_code == 2
    assert done.stderr.startswith(f"emu: {says}")


def test_a_page_that_cannot_be_written_is_told_before_anything_is_replayed() -> None:
    done = emu("bench", "--growth", "-n", "100", "--html", "/nowhere/x.html")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == "emu: /nowhere/x.html: cannot be written: there is no folder /nowhere\n"


def test_a_wrong_trace_is_told_before_anything_is_replayed(tmp_path: Path) -> None:
    trace = tmp_path / "x.heap"
    trace.write_text("a = malloc 8\nfill a 1\n")
    done = emu("bench", "-p", "uniform", "--trace", trace)
    assert done.exit_code == 2
    assert done.stderr.splitlines() == [
        f"emu: {trace}:2: this cannot be replayed",
        "    fill a 1",
        "expected: nothing but malloc, calloc, realloc and free",
    ]
    assert not done.stdout


def test_the_page_does_not_overwrite_the_trace(tmp_path: Path) -> None:
    trace = tmp_path / "x.rep"
    trace.write_text("a 0 8\nf 0\n")
    done = emu("bench", "--trace", trace, "--html", trace)
    assert (done.exit_code, done.stdout) == (2, "")
    assert trace.read_text() == "a 0 8\nf 0\n"


def test_a_finding_ends_with_1(tmp_path: Path) -> None:
    path = written(TWICE, tmp_path)
    done = emu("bench", path, "-p", "pairwise", "-n", "6")
    assert done.exit_code == 1
    first = done.stderr.splitlines()[0]
    assert first.startswith(f"emu: pairwise -n 6 --seed 0 on {path}: overlap (#2): ")
    assert "malloc x 6" in done.stdout


def test_a_death_ends_with_3_and_the_others_go_on(tmp_path: Path) -> None:
    path = written(DEADLY, tmp_path)
    done = emu("bench", path, "osmem", "-p", "binary", "-n", "100", "--growth")
    assert done.exit_code == 3
    said = done.stderr.splitlines()
    assert said[0].startswith(f"emu: binary -n 100 --seed 0 on {path}: faulted: ")
    assert re.match(r"  in +os_free\(0x[0-9a-f]+\), call 67 of the replay, after", said[1])
    assert "malloc x 99  " in done.stdout
    assert "os_malloc(100)     = 12 n + 73" in done.stdout


def test_a_call_without_end_ends_with_3(tmp_path: Path) -> None:
    path = written(
        BUMP.replace("os_free:\n        ret", "os_free:\n        jmp     os_free"), tmp_path
    )
    done = emu("bench", path, "-n", "3", "--budget", "5000")
    assert done.exit_code == 3
    assert "budget spent: no return within 5000 instructions" in done.stderr


# emu pattern


def test_patterns_are_listed_and_printed(tmp_path: Path) -> None:
    listed = emu("pattern").stdout
    assert "needle           A needle in a haystack: " in listed
    printed = emu("pattern", "needle", "-n", "8", "--seed", "2", "--rep").stdout
    assert printed == as_rep(pattern("needle", 8, 2))
    text = emu("pattern", "hash-table", "-n", "8").stdout
    assert from_text(text, "x.heap").about.startswith("hash-table -n 8 --seed 0 A hash table")


def test_a_pattern_that_cannot_be_printed_ends_with_2() -> None:
    assert emu("pattern", "nadel").exit_code == 2
    assert emu("pattern", "hash-table", "--rep").exit_code == 2
    assert emu("pattern", "needle", "-n", "0").exit_code == 2
