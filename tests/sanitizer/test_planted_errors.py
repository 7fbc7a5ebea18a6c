"""Programs with planted errors: each is told with its line; and clean programs are silent."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from checked import LINES, by_valgrind, checked, compiled

from emu.sanitizer import report
from emu.sanitizer.leaks import Loss

RULES = {
    "overflow": "heap-overflow",
    "underflow": "heap-overflow",
    "header": "heap-overflow",
    "read_past": "heap-overflow",
    "across": "heap-overflow",
    "mapped": "heap-overflow",
    "read_freed": "use-after-free",
    "write_freed": "use-after-free",
    "moved": "use-after-free",
    "shrunk": "heap-overflow",
    "grown": "read-unwritten",
    "double_free": "double-free",
    "unwritten": "read-unwritten",
    "strings": "heap-overflow",
    "cleared": "heap-overflow",
    "copied": "heap-overflow",
}
WAYS = {
    "osmem": (("-O0", "-static"), True, "os_"),
    "osmem, optimized": (("-O2", "-static"), True, "os_"),
    "glibc": (("-O0", "-static"), False, "malloc"),
}


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("planted")
    return {
        name: compiled(folder, *options, osmem=osmem) for name, (options, osmem, _) in WAYS.items()
    }


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mode", RULES)
def test_an_error_is_told_with_its_line(programs: dict[str, Path], way: str, mode: str) -> None:
    done = checked(programs[way], mode, prefix=WAYS[way][2])
    assert done.found - {("leak", LINES["bytes"])} == {(RULES[mode], LINES[mode])}


@pytest.mark.parametrize("way", WAYS)
def test_a_clean_program_is_silent(programs: dict[str, Path], way: str) -> None:
    done = checked(programs[way], "clean", prefix=WAYS[way][2])
    assert (done.errors, done.found, done.ended.status) == ([], set(), 0)
    assert done.stderr.split()[0].isdigit()


def test_valgrind_tells_the_same_of_the_c_librarys_own_heap(tmp_path: Path) -> None:
    program = compiled(tmp_path, "-O0")
    modes = [*RULES, "leak"]
    told = set().union(*(checked(program, mode).stacks for mode in modes))
    assert told == by_valgrind(program, *modes)
    assert len(told) == len(modes)


def test_a_block_that_nothing_leads_to_is_lost_and_another_is_reachable(
    programs: dict[str, Path],
) -> None:
    done = checked(programs["osmem"], "leak", prefix="os_")
    assert {(leak.loss, leak.bytes, done.lines(leak.stack)[0]) for leak in done.leaks} == {
        (Loss.DEFINITELY, 32, LINES["bytes"]),
        (Loss.REACHABLE, 48, LINES["reachable"]),
    }
    assert done.errors == []


def test_a_report_tells_the_access_the_block_and_who_gave_it_and_took_it(
    programs: dict[str, Path],
) -> None:
    done = checked(programs["osmem"], "read_freed", prefix="os_")
    (error,) = done.errors
    text = re.sub(r"0x[0-9a-f]+", "ADDRESS", report.error(error, done.objects))
    assert (
        text
        == f"""\
use-after-free: read of 4 bytes at ADDRESS, 12 bytes inside a block of 20 bytes
       in read_freed (planted.c:{LINES["read_freed"]}): sink = p[3]; /* read_freed */
       in main (planted.c:{LINES["main"]}): modes[i].run(); /* main */
     given by os_calloc(5, 4)
       in read_freed (planted.c:{LINES["freed"] - 1}): int *p = calloc(5, sizeof *p);
       in main (planted.c:{LINES["main"]}): modes[i].run(); /* main */
     taken back by os_free
       in read_freed (planted.c:{LINES["freed"]}): free(p); /* freed */
       in main (planted.c:{LINES["main"]}): modes[i].run(); /* main */"""
    )


@pytest.mark.parametrize("way", WAYS)
def test_of_an_access_across_an_end_both_ends_are_told(programs: dict[str, Path], way: str) -> None:
    (error,) = checked(programs[way], "across", prefix=WAYS[way][2]).errors
    assert error.message.startswith("read of 4 bytes at ")
    assert error.place == "from 19 bytes inside to 2 bytes past the end of a block of 21 bytes"
    assert error.block is not None
    start = int(error.message.split()[5], 16)
    assert (start, error.address) == (error.block.address + 19, error.block.end)


def test_an_allocator_that_touches_a_block_in_use_is_told_of(tmp_path: Path) -> None:
    """valgrind cannot know that."""
    bug = "os_free:\n", "os_free:\n        cmp     dword ptr [rdi + 56], 0\n"
    program = compiled(tmp_path, "-O0", "-static", osmem=True, bug=bug)
    error = checked(program, "moved", prefix="os_").errors[0]
    assert (error.rule, error.message[:16]) == ("allocator-touches-live", "read of 4 bytes ")
    assert error.place == "0 bytes inside a block of 24 bytes"


def test_what_nobody_asks_for_is_not_loaded() -> None:
    code = "import sys; from emu import Heap; Heap().malloc(8); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert "emu.heap" in loaded
    assert not [name for name in loaded if name.startswith("emu.sanitizer")]
