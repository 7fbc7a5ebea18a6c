"""The command `emu check`: what it prints and writes, and its exit status."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parent.parent / "broken"))
from bugs import BUGS, build
from pointer_bugs import HIGH_BUGS

from emu import run
from emu.cli import main

SMALL = ("--budget", "400", "--depth", "2", "--jobs", "1")
POINTS = '[points]\n"huge sizes" = 2\n"random calls" = 8\n'


def emu(*args):
    return CliRunner().invoke(main, ["check", *map(str, args)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """broken/osmem.s has a bug, and bad.s cannot be assembled."""
    made = tmp_path_factory.mktemp("allocators")
    bug = next(bug for bug in BUGS if bug.name == "the rest of a split begins inside the block")
    (made / "broken").mkdir()
    build(bug, made / "broken")
    (made / "bad.s").write_text("frob rax\n")
    (made / "points.toml").write_text(POINTS)
    before = Path.cwd()
    os.chdir(made)
    yield made
    os.chdir(before)


@pytest.fixture(scope="module")
def broken(folder):
    """A check with all that can be asked for."""
    return emu(
        "broken/osmem.s", *SMALL, "--save", "out", "--points", "points.toml",
        "--junit", "out.xml", "--html", "out.html",
    )  # fmt: skip


def test_a_broken_allocator_ends_with_1_and_everything_is_told(broken, folder):
    assert broken.exit_code == 1
    assert broken.stderr == ""
    lines = broken.stdout.splitlines()
    assert lines[0] == "broken/osmem.s  contract osmem, seed 0"
    assert any(line.startswith("FAIL  random calls  ") for line in lines)
    assert any(line.startswith("! 1  ") for line in lines)
    for label in ("expected", "happened", "instruction", "source", "scenario", "heap before"):
        assert any(line.startswith(f"     {label} ") for line in lines), label
    assert any(line.startswith("     source      broken/block.s:") for line in lines)
    assert any(line.split()[-3:] == ["0", "of", "8"] or "0 of 8" in line for line in lines)
    assert lines[-1].startswith("FAIL  broken/osmem.s: ")


def test_saved_scenarios_show_their_defects_again(broken, folder):
    saved = sorted((folder / "out").iterdir())
    numbers = [line for line in broken.stdout.splitlines() if line.startswith("! ")]
    assert len(saved) == len(numbers) > 1
    for file in saved:
        done = run(file, "broken/osmem.s")
        rule = file.stem.partition("-")[2]
        assert done.status in (1, 3), file.read_text()
        assert rule in {finding.rule for finding in done.findings} | {"result", "blocks"}


def test_each_command_that_is_named_runs(broken, folder):
    again = [line.split()[-5:] for line in broken.stdout.splitlines() if " emu run " in line]
    assert len(again) > 1
    command = again[0]
    assert command[:2] == ["emu", "run"]
    done = CliRunner().invoke(main, [*command[1:], "--quiet"])
    assert done.exit_code in (1, 3)


@pytest.mark.parametrize("bug", HIGH_BUGS[:2], ids=lambda bug: bug.name)
def test_a_cut_pointer_is_shown_again_by_the_commands_that_are_named(bug, tmp_path):
    allocator = build(bug, tmp_path)
    done = emu(allocator, *SMALL, "--save", tmp_path / "out")
    assert done.exit_code == 1
    saved = sorted((tmp_path / "out").iterdir())
    commands = [line for line in saved[0].read_text().splitlines() if " emu run " in line]
    (command,) = (line.removeprefix("#").split() for line in commands if "--allocator" in line)
    assert "--heap-start" in command
    assert CliRunner().invoke(main, command[1:]).exit_code in (1, 3)
    assert CliRunner().invoke(main, command[1 : command.index("--heap-start")]).exit_code == 0


def test_the_files_tell_the_same_as_the_terminal(broken, folder):
    suites = ET.parse(folder / "out.xml").getroot()
    cases = list(suites.iter("testcase"))
    failed = {case.get("name") for case in cases if case.find("failure") is not None}
    shown = broken.stdout.splitlines()
    assert failed == {line[6:27].strip() for line in shown[1:] if line.startswith("FAIL")} - {
        shown[-1][6:27].strip()
    }
    page = (folder / "out.html").read_text()
    assert page.count('<article class="defect"') == len(list((folder / "out").iterdir()))


def test_what_another_contract_says_is_repeated_too(folder):
    done = emu(
        "osmem", "--contract", "malloc", "--alignment", "16", "--seed", "7", "--budget", "100",
        "--depth", "1", "--jobs", "1", "--quiet", "--save", "aligned",
    )  # fmt: skip
    assert done.exit_code == 1
    assert done.stdout.startswith("! osmem: misaligned: ")
    (file,) = (folder / "aligned").iterdir()
    command = next(line for line in file.read_text().splitlines() if " emu run " in line)
    assert "--allocator osmem --contract malloc --alignment 16" in command
    again = CliRunner().invoke(main, command.split()[2:])
    assert again.exit_code == 1
    assert "misaligned" in again.stdout
    assert CliRunner().invoke(main, ["run", str(file)]).exit_code == 0


BUMP = """\
#include <stddef.h>
#include <string.h>
static _Alignas(16) char arena[1 << 20];
static size_t top;
void *malloc(size_t size)
{
    void *payload = arena + top;
    if (size > sizeof arena - top - 16)
        return NULL;
    top += ((size + 15) & -16) - LOST;
    return payload;
}
void free(void *payload) { (void)payload; }
"""


def test_c_is_checked_as_its_flags_make_it(folder):
    (folder / "bump.c").write_text(BUMP)
    done = emu("bump.c", *SMALL, "--cflags", "-DLOST=16", "--json")
    assert done.exit_code == 1
    document = json.loads(done.stdout)
    assert document["contract"] == "malloc"
    assert "overlap" in {defect["rule"] for defect in document["defects"]}
    refused = emu("bump.c", *SMALL)
    assert refused.exit_code == 2
    assert "LOST" in refused.stderr


def test_json_is_one_line_an_allocator_with_what_was_promised(folder):
    done = emu("broken/osmem.s", "bad.s", *SMALL, "--json", "--contract", "malloc")
    assert done.exit_code == 2
    (line,) = done.stdout.splitlines()
    document = json.loads(line)
    assert list(document) == ["allocator", "contract", "calls", "defects"]
    assert (document["allocator"], document["contract"]) == ("broken/osmem.s", "malloc")
    assert isinstance(document["calls"], int)
    for defect in document["defects"]:
        assert list(defect) == ["rule", "message", "scenario", "source"]
        assert defect["scenario"].count("\n") > 1
    assert any(defect["source"].startswith("broken/") for defect in document["defects"])
    assert "FAIL  broken/osmem.s" in done.stderr
    assert "bad.s:1: invalid mnemonic" in done.stderr


def test_many_are_a_table_with_those_that_cannot_be_checked(folder):
    done = emu("broken/osmem.s", "bad.s", "osmem", *SMALL, "--points", "points.toml")
    assert done.exit_code == 2
    assert "bad.s:1: invalid mnemonic" in done.stderr
    head, first, second, third = done.stdout.splitlines()[:4]
    assert head.split() == ["allocator", "calls", "points", "defects"]
    assert first.startswith("FAIL   broken/osmem.s ")
    assert second.split() == ["error", "bad.s", "0", "of", "10", "cannot", "be", "checked"]
    assert third.startswith("pass   osmem ")
    assert "10 of 10" in third
    last = done.stdout.splitlines()[-1]
    assert last == "3 allocators: 1 without a defect, 1 with defects, 1 not checked"


def test_a_sound_allocator_ends_with_0_and_quietly_a_line(folder):
    (folder / "trace.rep").write_text("a 0 100\nf 0\n")
    done = emu("osmem", *SMALL, "--quiet", "--trace", "trace.rep")
    assert done.exit_code == 0
    (line,) = done.stdout.splitlines()
    assert line.startswith("pass  osmem: no defect in ")


def test_a_budget_of_time_is_kept(folder):
    started = time.monotonic()
    done = emu("osmem", "--budget", "1s", "--jobs", "1")
    assert done.exit_code == 0
    assert "the budget was spent before all was tried" in done.stdout
    assert "skip  failing system calls" in done.stdout  # what was planned last
    assert time.monotonic() - started < 30


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nobody",), "unknown allocator `nobody`"),
        (("bad.s",), "bad.s:1: invalid mnemonic"),
        (("osmem", "--points", "none.toml"), "none.toml: cannot be read: no such file"),
        (("osmem", "--points", "wrong.toml"), "wrong.toml:1: this is no TOML"),
        (("osmem", "--points", "other.toml"), "other.toml:2: there is no topic `randm calls`"),
        (("osmem", "--trace", "none.heap"), "none.heap: cannot be read: no such file"),
        (("osmem", "--budget", "0"), "`0` is no budget: 60s or 5m of time, or 200000 calls"),
        (("osmem", "--budget", "soon"), "`soon` is no budget"),
        (("osmem", "--contract", "mine"), "'mine' is not one of 'osmem', 'malloc'"),
        (("broken/osmem.s", "--html", "./broken/osmem.s"), "would overwrite broken/osmem.s"),
        (("osmem", "--html", "x", "--junit", "x"), "x: is written twice"),
        (("osmem", "--html", "no/x.html"), "no/x.html: cannot be written: there is no folder"),
        (("osmem", "--junit", "broken"), "broken: cannot be written: it is a folder"),
        (("osmem", "--save", "bad.s"), "bad.s: cannot be made"),
        (("osmem", "--save", "theirs"), "01-x.heap: may be overwritten"),
        (("osmem", "--scheduler", "tcp://127.0.0.1:1"), "no scheduler answers there"),
        (("osmem", "--scheduler", "tcp://127.0.0.1:1", "-j", "2"), "has workers of its own"),
        ((), "Missing argument"),
    ],
)
def test_wrong_input_ends_with_2_and_says_what_before_any_work(folder, arguments, message):
    (folder / "wrong.toml").write_text("[points\n")
    (folder / "other.toml").write_text('[points]\n"randm calls" = 1\n')
    (folder / "theirs").mkdir(exist_ok=True)
    (folder / "theirs" / "01-x.heap").write_text("a = malloc 8\n")
    started = time.monotonic()
    done = emu(*arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert time.monotonic() - started < 10


def test_without_dask_a_cluster_is_refused_with_the_remedy(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    done = emu("osmem", "--scheduler", "tcp://127.0.0.1:1")
    assert done.exit_code == 2
    assert "expected: pip install 'osmem-emu[cluster]'" in done.stderr


def test_an_interrupted_check_leaves_no_process_and_no_traceback(folder):
    heeding = ["env", "--default-signal=INT"]  # whoever started us may ignore it
    check = [sys.executable, "-m", "emu.cli", "check", "osmem", "--depth", "9", "--jobs", "2"]
    command = [*heeding, *check]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as made:
        _wait_for_workers(made.pid)
        os.killpg(made.pid, signal.SIGINT)  # as a terminal does: to all of them
        stdout, stderr = made.communicate(timeout=30)
    assert (made.returncode, stdout, stderr) == (130, "", "interrupted\n")
    until = time.monotonic() + 20  # the last one cleans up behind multiprocessing
    while _lives(made.pid) and time.monotonic() < until:
        time.sleep(0.05)
    assert not _lives(made.pid)


def _lives(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _wait_for_workers(pid):
    """Until two of its children have worked for a while."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if sum(_ticks(child) > 100 for child in children) >= 2:
            return
        time.sleep(0.1)
    raise TimeoutError("no workers")


def _ticks(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11])
