"""Reports, traces, listings, debuggers and pytest, for allocators that others wrote."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from brought import GLIBC, HERE, LIBRARIES
from click.testing import CliRunner

from emu import Heap, run
from emu.allocators import Choice
from emu.cli import main
from emu.commands.debug import _scenario
from emu.report.as_json import as_dict
from emu.report.strip import fitted
from emu.timeline import ScenarioTimeline

TEXT = "a = malloc 1000\nb = calloc 3 8\nfree a\nc = malloc 200000\nexpect clean\n"

pytestmark = pytest.mark.skipif(not GLIBC.exists(), reason="no glibc where Debian has it")


@pytest.fixture
def scenario(tmp_path) -> Path:
    path = tmp_path / "one.heap"
    path.write_text(TEXT)
    return path


def command(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    return done.exit_code, done.output


def test_json_has_the_real_names_and_what_callers_hold(scenario):
    document = as_dict(run(scenario, GLIBC))
    assert [call["name"] for call in document["calls"]] == ["malloc", "calloc", "free", "malloc"]
    assert document["blocks"] == [
        {"place": "heap+0x690", "size": 24, "status": "alloc"},
        {"place": "map1+0x10", "size": 200000, "status": "alloc"},
    ]
    assert document["outcome"] == "completed"
    json.dumps(document)


def test_the_terminal_has_a_strip_for_each_stretch_of_memory(scenario):
    status, shown = command("run", scenario, "--allocator", GLIBC)
    lines = shown.splitlines()
    assert status == 0
    assert "live  200024 bytes in 2 blocks" in shown
    assert [line[:11] for line in lines if "|##" in line] == ["heap+0x690 ", "map1+0x10  "]
    assert "map1+0x10              200000   #4" in lines
    assert "mapped 196 KiB" in shown
    assert max(map(len, lines)) <= 110


def test_the_terminal_says_where_a_stretch_is_the_allocators_own():
    with Heap(GLIBC) as heap:
        first, between, last = heap.malloc(1000), heap.malloc(2000), heap.malloc(1000)
        heap.free(between)
        strip = next(line for line in str(heap).splitlines() if "|#" in line)
        used, gap = strip.count("#"), strip.count("-")
        assert used == pytest.approx(gap, abs=3)
        assert f"heap+{first - heap.start:#x}" in strip
        assert str(heap.place(last)) in str(heap)


def test_cells_are_shared_out_by_size():
    from emu.report.palette import OTHER, USED

    assert fitted([], 10) == []
    assert sum(length for _, length in fitted([(USED, 5), (OTHER, 95)], 40)) == 40
    assert fitted([(USED, 5), (OTHER, 95)], 40)[0][1] < 10


def test_the_page_has_a_table_of_what_callers_hold(scenario):
    pytest.importorskip("altair")
    from emu.report.html import page

    text = page(run(scenario, GLIBC))
    assert "Blocks in use at the end" in text
    assert "<td>map1+0x10</td>" in text
    assert "calloc(3, 8)" in text
    assert "largest free block" not in text.partition("<footer>")[0].partition("figures")[2][:900]


def test_expecting_blocks_says_that_nobody_can_walk_them(scenario, tmp_path):
    path = tmp_path / "two.heap"
    path.write_text("a = malloc 8\nexpect blocks alloc 8\n")
    done = run(path, GLIBC)
    assert [step.failure for step in done.failures] == [
        "nobody can walk the blocks of this allocator"
    ]
    assert run(path, HERE / "list.c").failures == []


@pytest.mark.parametrize(
    ("option", "says"),
    [("--calls", "calloc(3, 8)"), ("--instructions", "malloc+0x2"), ("--profile", "calloc"),
     ("--syscalls", "brk(heap+0x21000) = heap+0x21000")],
)  # fmt: skip
def test_trace_looks_into_a_libc(scenario, option, says):
    status, shown = command("trace", scenario, "--allocator", GLIBC, option)
    assert status == 0
    assert says in shown


def test_trace_knows_a_variable_of_c_and_who_wrote_it(scenario):
    status, shown = command(
        "trace", scenario, "--allocator", HERE / "list.c", "--who-wrote", "last"
    )
    assert status == 0
    assert shown.count("list.c:21     return last = block;") == 3


def test_trace_explains_only_blocks_that_can_be_walked(scenario):
    status, shown = command("trace", scenario, "--allocator", HERE / "list.c", "--explain", 1)
    assert (status, "list.c:16" in shown) == (0, True)
    status, shown = command("trace", scenario, "--allocator", GLIBC, "--explain", 1)
    assert (status, "nobody can walk these" in shown) == (2, True)


def test_a_saved_trace_of_a_libc_is_read_again(scenario, tmp_path):
    kept = tmp_path / "kept.npz"
    assert command("trace", scenario, "--allocator", GLIBC, "--save", kept)[0] == 0
    status, shown = command("trace", kept, "--calls")
    assert (status, "calloc(3, 8)" in shown) == (0, True)


def test_listing_has_instructions_under_lines_of_c():
    status, shown = command("listing", HERE / "list.c", "--cflags", "-O0")
    lines = shown.splitlines()
    assert status == 0
    assert any(line.endswith(" <os_malloc>") for line in lines)
    at = next(i for i, line in enumerate(lines) if "list.c:42 " in line)
    assert lines[at].endswith("((struct block_meta *)payload - 1)->status = FREE;")
    assert any("mov dword ptr [rax + 8], 0" in line for line in lines[at : at + 6])


def test_listing_of_a_library_has_its_functions():
    library = LIBRARIES / "libjemalloc.so.2"
    if not library.exists():
        pytest.skip("no jemalloc")
    status, shown = command("listing", library)
    assert status == 0
    assert [line.split()[1] for line in shown.splitlines() if line.endswith(">")] == [
        f"<{name}>" for name in ("malloc", "calloc", "free", "realloc")
    ] or {"<malloc>", "<free>"} <= set(shown.split())


def test_a_debugger_is_given_the_program_and_its_past(scenario):
    with _scenario(str(scenario), Choice(str(HERE / "list.c")), None) as past:
        path, data = past.executable()
        assert path
        assert data.startswith(b"\x7fELF")
        assert past.auxv()
        past.resume()
        assert past.monitor(["blocks"]).splitlines()[0].endswith(" 1000 free")
    with _scenario(str(scenario), Choice(str(GLIBC)), None) as past:
        assert past.monitor(["blocks"]) == "nobody can walk the heap of this allocator\n"


def test_moments_count_from_the_first_call_and_not_from_the_programs_start(scenario):
    with ScenarioTimeline(str(scenario), str(HERE / "list.c")) as timeline:
        instructions = [step.call.instructions for step in timeline.run.steps if step.call]
        assert timeline.end == sum(instructions)
        assert timeline.where(0) == "#1 +0"
        first = timeline.machine.cpu.get("rip")
        timeline.go_to(1)
        assert timeline.machine.cpu.get("rip") != first
        timeline.go_to(instructions[0] + 1)
        assert timeline.where(timeline.now) == "#2 +1"
        timeline.go_to(0)
        assert timeline.machine.cpu.get("rip") == first


@pytest.mark.skipif(not shutil.which("gdb"), reason="no gdb")
def test_gdb_finds_lines_of_c_and_where_the_callers_end(scenario, tmp_path):
    script = tmp_path / "script.gdb"
    emu = f"{sys.executable} -m emu.cli debug --pipe --allocator {HERE / 'list.c'} {scenario}"
    script.write_text(
        f"set remotetimeout 60\ntarget remote | {emu}\nbreak grown\ncontinue\nbacktrace\n"
    )
    done = subprocess.run(
        ["gdb", "-nx", "-batch", "-x", script], check=False, capture_output=True, text=True,
        timeout=120,
    )  # fmt: skip
    shown = done.stdout
    assert "Breakpoint 1, grown (size=1000) at" in shown
    assert "list.c:13" in shown
    assert "os_malloc (size=1000) at" in shown
    assert "0x0000000000000000 in ?? ()" in shown
    assert "#4" not in shown, "nobody has called the way in"


def test_history_steps_back_through_calls_of_a_libc():
    with Heap(GLIBC) as heap:
        history = heap.history
        blocks = [heap.malloc(24) for _ in range(4)]
        assert len(heap.calls) == 4
        heap.free(blocks[0])
        assert heap.malloc(24) == blocks[0]
        for _ in range(2):
            history.back()
        assert (len(heap.calls), heap.ledger.live_bytes) == (4, 96)


# pytest


def pytest_run(pytester, *arguments):
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", *arguments)


def test_the_fixture_takes_c_flags_and_a_prefix(pytester):
    pytester.makepyfile(
        "def test_it(heap):\n"
        "    assert heap.malloc(8)\n"
        "    assert heap.calls[0].name == 'x_malloc'\n"
        "def test_another(heap):\n"
        "    assert heap.calls == []\n"
    )
    pytester.makefile(
        ".c",
        mine="static long room[9];\n"
        "#ifdef YES\nvoid *x_malloc(long n) { return room; } void x_free(void *p) {}\n#endif\n",
    )
    options = ("--allocator", "mine.c", "--allocator-prefix", "x_")
    pytest_run(pytester, *options, "--allocator-cflags=-DYES").assert_outcomes(passed=2)
    result = pytest_run(pytester, *options)
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*--allocator: mine.c: no allocator: x_malloc, x_free*"])


def test_a_failure_draws_what_callers_hold(pytester):
    pytester.makepyfile("def test_it(heap):\n    assert not heap.malloc(1234)\n")
    result = pytest_run(pytester, "--allocator", str(GLIBC))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["live  1234 bytes in 1 block*", "heap+0x2a0*1234   #1"])
