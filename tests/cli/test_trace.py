"""The command `emu trace`, as its own process: its views, filters, files and refusals."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest
from test_cli import GOOD, emu, file  # noqa: F401

NEEDS_GCC = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc compiles the program")


@pytest.fixture
def good(file):  # noqa: F811
    return file(GOOD)


def documents(*args):
    done = emu("trace", *args, "--json")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_costs_of_calls_are_shown_unless_told_otherwise(good):
    done = emu("trace", good)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == emu("trace", "--calls", good).stdout
    assert "    4  c = os_malloc(600)" in done.stdout
    assert done.stdout.endswith("completed: 4 calls, 318 instructions, no finding\n")
    assert "\x1b" not in done.stdout


def test_several_views_come_one_after_the_other(good):
    views = [one["view"] for one in documents(good, "--explain", 4, "--syscalls", "--calls")]
    assert views == ["syscalls"] * 2 + ["calls"] * 5 + ["explain"]


def test_an_explanation_tells_what_was_chosen_and_of_what(good):
    (found,) = documents(good, "--explain", "4")
    assert found["decided"][0] == "took heap+0x20 of 1000: the smallest of 2 that fit"
    assert [one["place"] for one in found["fits"]] == ["heap+0x20", "heap+0x460"]
    assert found["took"] == {"place": "heap+0x20", "size": 1000, "status": "free"}
    (status,) = (one for one in found["changed"] if one["old"] == "free")
    assert (status["new"], status["source"]) == ("alloc", "asm/osmem/malloc.s:58")


@pytest.mark.parametrize("place", ["heap+0x8", "heap+8", "4202504", "0x402008"])
def test_who_wrote_a_place_is_told_the_last_one_first(good, place):
    found = documents(good, "--who-wrote", place)
    assert [(one["call"], one["value"]) for one in found] == [(4, 1), (3, 0), (1, 1), (1, 0)]
    assert {one["place"] for one in found} == {"heap+0x8"}


def test_a_place_may_be_a_name_of_the_scenario_or_of_the_allocator(file):  # noqa: F811
    scenario = file("a = malloc 8\nfill a 0x5a\n")
    (filled,) = documents(scenario, "--who-wrote", "a")
    assert (filled["call"], filled["value"]) == (None, 0x5A5A5A5A5A5A5A5A)
    assert {one["call"] for one in documents(scenario, "--who-wrote", "heap_tail")} == {1}


def test_filters_narrow_a_view_and_the_limit_says_what_it_cut_off(good):
    found = documents(good, "--instructions", "--call", "3-4", "--function", "find_best")
    assert {one["call"] for one in found} == {4}
    assert {one["symbol"].partition("+")[0] for one in found} == {"find_best"}
    touching = documents(good, "--calls", "--range", "heap+0x0-heap+0x20")
    assert [one["index"] for one in touching] == [1, 2, 3, 4]
    cut = emu("trace", good, "--accesses", "--limit", 2).stdout
    assert "more of" in cut
    assert cut.count("heap_alloc") + cut.count("push") <= 2


def test_a_saved_trace_is_opened_again(good, tmp_path):
    saved = tmp_path / "x.npz"
    assert emu("trace", good, "--save", saved).returncode == 0
    views = ("--instructions", "--accesses", "--syscalls", "--who-wrote", "heap+0x8", "--profile")
    assert documents(saved, *views) == documents(good, *views)
    costs = [one["instructions"] for one in documents(saved)]
    assert costs == [one["instructions"] for one in documents(good)]
    refused = emu("trace", saved, "--explain", 1)
    assert refused.returncode == 2
    assert "needs the scenario's run" in refused.stderr


def test_exports_go_where_they_are_told(good, tmp_path):
    out, info = tmp_path / "a.out", tmp_path / "a.info"
    done = emu("trace", good, "--export", f"callgrind={out}", "--export", f"lcov={info}")
    assert done.returncode == 0
    assert "events:" in out.read_text()
    assert "end_of_record" in info.read_text()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--who-wrote", "map1+0"), "there is no place `map1`"),
        (("--who-wrote", "heap+0x20000"), "the heap does not reach so far"),
        (("--who-wrote", "heap+zz"), "`zz` is no number"),
        (("--who-wrote", ""), "is no place"),
        (("--who-wrote", "0x1ffffffffffffffff"), "does not fit in 64 bits"),
        (("--explain", "5"), "a call from 1 to 4"),
        (("--explain", "0"), "a call from 1 to 4"),
        (("--explain", "four"), "is no number of a call"),
        (("--call", "2-9"), "there is no call #9"),
        (("--call", "3-2"), "the last call is before the first"),
        (("--call", "-"), "is no number of a call"),
        (("--function", "find_bst"), "expected: find_best"),
        (("--function", "zzz"), "unknown function `zzz`"),
        (("--range", "heap+8-heap+8"), "ends before it begins"),
        (("--range", "heap+8-"), "is no place"),
        (("--limit", "-1"), "--limit"),
        (("--export", "elf=x"), "callgrind, drcov, lcov, perfetto, tenet"),
        (("--export", "lcov="), "a path is missing"),
        (("--export", "lcov=/nowhere/x"), "/nowhere/x"),
        (("--save", "/nowhere/x.npz"), "cannot be written"),
        (("--root", "/"), "--root is for programs"),
        (("another.heap",), "one trace is looked at"),
        (("--allocator", "nothing"), "unknown allocator"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)  # fmt: skip
def test_wrong_input_ends_with_2_and_says_what_was_expected(good, options, words):
    done = emu("trace", good, *options)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_trace_does_not_overwrite_what_it_is_of(good, tmp_path):
    for option in (("--save", good), ("--export", f"lcov={good}")):
        assert emu("trace", good, *option).returncode == 2
    both = tmp_path / "x"
    assert emu("trace", good, "--save", both, "--export", f"lcov={both}").returncode == 2
    assert good.read_text() == GOOD


@pytest.mark.parametrize("name", ["nothing.heap", "nothing.npz", "."])
def test_a_file_that_is_none_ends_with_2(name, tmp_path):
    done = emu("trace", name, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


def test_a_file_that_is_no_trace_ends_with_2(file):  # noqa: F811
    done = emu("trace", file(b"PK\x03\x04 not one", "x.npz"))
    assert done.returncode == 2
    assert "no trace" in done.stderr


def test_findings_and_deaths_end_as_they_do_in_emu_run(file):  # noqa: F811
    misuse = file("a = malloc 8\nfree a\nfree a\n")
    assert emu("trace", misuse).returncode == 1
    assert emu("trace", misuse, "--json").returncode == 1
    died = emu("trace", file("a = malloc 8\nwrite a 0x1000000 1\n", "d.heap"), "--instructions")
    assert died.returncode == 3
    assert "page fault: write to" in died.stdout


def test_a_scenario_without_calls_has_an_empty_trace(file):  # noqa: F811
    empty = file("# nothing\n")
    views = ("--calls", "--instructions", "--accesses", "--syscalls", "--profile", "--coverage")
    assert emu("trace", empty, *views).returncode == 0
    refused = emu("trace", empty, "--explain", 1)
    assert refused.returncode == 2
    assert emu("trace", empty, "--who-wrote", "heap+0").returncode == 2


# Programs


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    folder = tmp_path_factory.mktemp("program")
    (folder / "p.c").write_text(
        "#include <stdio.h>\n#include <sys/mman.h>\n"
        "__attribute__((noinline)) void poke(char *p) { p[5] = 7; }\n"
        "int main(int n, char **v) {\n"
        "  char *p = mmap(0, 8192, 3, 0x22, -1, 0);\n"
        '  poke(p); printf("%d %s\\n", p[5], v[n - 1]); return n; }\n'
    )
    path = folder / "p"
    subprocess.run(["gcc", "-static", "-O1", "-o", path, folder / "p.c"], check=True)
    return path


@NEEDS_GCC
def test_a_program_is_traced_with_its_own_arguments(program):
    done = emu("trace", "--exec", "--profile", "--limit", 3, program, "--calls", "-x")
    assert done.returncode == 3  # what main returns
    assert done.stderr == "7 -x\n"
    assert "_start" in done.stdout


@NEEDS_GCC
def test_the_function_that_wrote_to_a_mapping_of_a_program_is_named(program):
    done = emu("trace", "--exec", "--json", "--who-wrote", "map1+5", program)
    written = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(one["symbol"].partition("+")[0], one["value"]) for one in written] == [("poke", 7)]


@NEEDS_GCC
def test_the_system_calls_of_a_program_are_those_that_strace_shows(program):
    done = emu("trace", "--exec", "--json", "--syscalls", program)
    made = [json.loads(line)["name"] for line in done.stdout.splitlines()]
    shown = emu("exec", "--strace", program).stderr.splitlines()
    names = [line.partition("(")[0] for line in shown if "(" in line]
    assert made == [name for name in names if name != "execve"]


@NEEDS_GCC
def test_what_a_program_is_asked_wrongly_ends_with_2(program):
    for options in (("--explain", "1"), ("--call", "1"), ("--function", "pok")):
        done = emu("trace", "--exec", *options, program)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
    assert "poke" in emu("trace", "--exec", "--function", "pok", program).stderr
    assert emu("trace", "--exec", "--allocator", "osmem", program).returncode == 2
    assert emu("trace", "--exec", "./nothing").returncode == 2


@NEEDS_GCC
def test_a_program_that_a_limit_ends_is_shown_up_to_there(program):
    done = emu("trace", "--exec", "--budget", 5000, program)
    assert done.returncode == 3
    assert "not done within 5000 instructions" in done.stderr
    assert "all" in done.stdout
