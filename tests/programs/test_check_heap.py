"""emu exec --check-heap as a person uses it: what is said, where, and the exit status."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = """
#include <stdlib.h>
#include <stdio.h>
int main(int argc, char **argv)
{
    int *p = malloc(9 * sizeof *p);
    for (int i = 0; i < 9 + (argc == 3); i++)
        p[i] = i;
    printf("%d\\n", p[8] + 1);
    if (argc < 4)
        free(p);
    return atoi(argv[1]);
}
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("check")
    (folder / "beyond.c").write_text(SOURCE)
    made = folder / "beyond"
    command = ["gcc", "-g", "-O0", "-static", "-o", made, folder / "beyond.c"]
    subprocess.run(command, check=True)
    return made


def emu_exec(*arguments: object) -> tuple[int, str, str]:
    """Status, and what was printed."""
    done = subprocess.run(
        [sys.executable, "-m", "emu.cli", "exec", *map(str, arguments)],
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def is_clean(told: str) -> bool:
    """Whether nothing is told but how much is left."""
    return bool(
        re.fullmatch(
            r"emu: 0 errors(, \d+ bytes in \d+ blocks? (possibly lost|still reachable))*\n", told
        )
    )


def test_of_a_clean_program_one_line_says_so(program: Path) -> None:
    status, said, told = emu_exec("--check-heap", "malloc", program, 0)
    assert (status, said, is_clean(told)) == (0, "9\n", True)
    assert emu_exec("--check-heap", "malloc", program, 7)[:2] == (7, "9\n")
    assert emu_exec("--check-heap", "malloc", "--quiet", program, 0) == (0, "9\n", "")


def test_an_error_is_told_on_the_standard_error_and_makes_the_status_1(program: Path) -> None:
    status, said, told = emu_exec("--check-heap", "malloc", program, 0, "more")
    assert (status, said) == (1, "9\n")
    assert told.startswith("emu: heap-overflow: write of 4 bytes at 0x")
    assert "0 bytes after a block of 36 bytes\n       in main (beyond.c:8): p[i] = i;\n" in told
    assert "     given by malloc(36)\n       in main (beyond.c:6): int *p = malloc" in told
    assert "\nemu: 1 error, " in told


def test_a_status_of_the_programs_own_stays(program: Path) -> None:
    assert emu_exec("--check-heap", "malloc", program, 7, "more")[0] == 7


def test_a_leak_is_told_at_the_end(program: Path) -> None:
    status, _, told = emu_exec("--check-heap", "malloc", program, 0, "", "leak")
    assert status == 1
    assert "emu: leak: 36 bytes in 1 block definitely lost\n     given by malloc(36)\n" in told


def test_quietly_there_is_only_the_status(program: Path) -> None:
    assert emu_exec("--quiet", "--check-heap", "malloc", program, 0, "more") == (1, "9\n", "")


def test_a_prefix_that_no_function_has_is_wrong(program: Path) -> None:
    status, said, told = emu_exec("--check-heap", "os_", program, 0)
    assert (status, said) == (2, "")
    assert told == (
        "emu: --check-heap os_: there is no function os_malloc, nor another of its family\n"
        "expected: a prefix, as os_ for os_malloc, in a program that has its symbols\n"
    )


def test_a_dynamic_program_is_watched_from_when_its_library_is_mapped() -> None:
    status, said, told = emu_exec("--root", "/", "--check-heap", "malloc", "/bin/echo", "well")
    assert (status, said, is_clean(told)) == (0, "well\n", True)
    status, said, told = emu_exec("--root", "/", "--check-heap", "os_", "/bin/echo", "well")
    assert (status, said) == (2, "well\n")
    assert "there is no function os_malloc" in told


@pytest.mark.parametrize("command", ["ls /etc/hostname", "sed s/a/b/ /etc/hostname"])
def test_a_real_program_is_clean(command: str) -> None:
    status, said, told = emu_exec("--root", "/", "--check-heap", "malloc", *command.split())
    assert (status, is_clean(told)) == (0, True)
    assert said


def test_a_real_program_is_clean_on_osmem_too(tmp_path: Path) -> None:
    built = tmp_path / "libosmem.so"
    emu = [sys.executable, "-m", "emu.cli", "build", "--as-malloc", "-o", str(built)]
    subprocess.run(emu, capture_output=True, check=True)
    preloaded = "--env", f"LD_PRELOAD={built}", "--check-heap", "malloc"
    status, said, told = emu_exec("--root", "/", *preloaded, "ls", "/etc/hostname")
    assert (status, said, is_clean(told)) == (0, "/etc/hostname\n", True)


def _ls_on(name: str) -> tuple[int, str, str]:
    preloaded = "--env", f"LD_PRELOAD=/usr/lib/x86_64-linux-gnu/{name}", "--check-heap", "malloc"
    return emu_exec("--root", "/", *preloaded, "ls", "/etc/hostname")


def test_it_is_clean_on_jemalloc() -> None:
    status, said, told = _ls_on("libjemalloc.so.2")
    assert (status, said) == (0, "/etc/hostname\n")
    assert "leak" not in told
    assert "error" not in told.replace("0 errors", "")


def test_on_tcmalloc_it_tells_of_no_error_but_of_the_leak_that_tcmalloc_begins_with() -> None:
    """Its first MallocExtension, of 8 bytes, is replaced by another and never deleted."""
    _, said, told = _ls_on("libtcmalloc_minimal.so.4")
    assert said == "/etc/hostname\n"
    leaks = [line for line in told.splitlines() if "leak:" in line]
    assert all("8 bytes in 1 block definitely lost" in line for line in leaks)
    assert told.count("given by") == len(leaks) <= 1
