"""What is out of the common: the sanitizer tells of the one error, and of nothing else."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from checked import Checked, checked, compiled, lines

from emu.errors import SnapshotError
from emu.launch import launch
from emu.sanitizer.program import ProgramSanitizer

LINES = lines("special.c")
RULES = {
    "in_array": "heap-overflow",
    "jumped": "heap-overflow",
    "aligned": "heap-overflow",
    "measured": "heap-overflow",
    "received": "heap-overflow",
    "sent": "read-unwritten",
    "endless": "heap-overflow",
    "handled": "heap-overflow",
    "gone": "use-after-free",
    "in_place": "invalid-free",
}
WAYS = {
    "glibc": ("gcc", ("-O0", "-static")),
    "musl": ("musl-gcc", ("-O0", "-static")),
    "musl, dynamic": ("musl-gcc", ("-O0",)),
}
OWN = ("in_array", "jumped")
"""Modes that use the allocator in the array."""


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("special")
    return {
        way: compiled(folder, *options, name="special.c", by=compiler)
        for way, (compiler, options) in WAYS.items()
    }


def look(program: Path, mode: str) -> Checked:
    return checked(program, mode, prefix="my_" if mode in OWN else "malloc")


def errors(done: Checked) -> set[tuple[str, int]]:
    return {(rule, line) for rule, line in done.found if rule != "leak"}


@pytest.mark.parametrize("mode", RULES)
def test_the_error_is_told_with_its_line(programs: dict[str, Path], mode: str) -> None:
    assert errors(look(programs["glibc"], mode)) == {(RULES[mode], LINES[mode])}


@pytest.mark.parametrize("mode", ["aligned", "handled", "endless"])
@pytest.mark.parametrize("way", ["musl", "musl, dynamic"])
def test_so_it_is_with_another_c_library(programs: dict[str, Path], way: str, mode: str) -> None:
    assert errors(look(programs[way], mode)) == {(RULES[mode], LINES[mode])}


def test_a_system_call_is_named(programs: dict[str, Path]) -> None:
    received, sent = (look(programs["glibc"], m).errors[0] for m in ("received", "sent"))
    assert received.message.endswith(" by the system call read")
    assert received.place == "from 0 bytes inside to 1 byte past the end of a block of 15 bytes"
    read, _, unwritten = sent.message.partition(", of which the one at ")
    assert read.endswith(" by the system call write")
    assert unwritten == f"{sent.address:#x} is unwritten"
    assert sent.place == "14 bytes inside a block of 15 bytes"


def test_a_program_that_is_checked_does_not_go_back(programs: dict[str, Path]) -> None:
    with launch(str(programs["glibc"])) as process:
        before = process.snapshot()
        sanitizer = ProgramSanitizer(process, "malloc", lambda error: None)
        with pytest.raises(SnapshotError, match="its heap is checked"):
            process.restore(before)
        sanitizer.close()
        process.restore(before)
        assert process.play().status == 0


CPP = """
#include <string>
#include <vector>
int main(int argc, char **)
{
    std::vector<std::string> words;
    for (int i = 0; i < 100; i++)
        words.push_back(std::string(i, 'x') + std::to_string(i));
    volatile int *table = new int[words.size()];
    table[99] = words[99].size();
    table[98] = table[99 + (argc > 1)];
    delete[] table;
    return 0;
}
"""


@pytest.mark.parametrize("preload", ["", "libtcmalloc_minimal.so.4"])
def test_operators_of_cpp_are_the_allocators_too(tmp_path: Path, preload: str) -> None:
    source, program = tmp_path / "words.cpp", tmp_path / "words"
    source.write_text(CPP)
    subprocess.run(["g++", "-g", "-O1", "-o", program, source], check=True)
    library = f"/usr/lib/x86_64-linux-gnu/{preload}" if preload else ""
    assert checked(program, preload=library).errors == []
    (error,) = checked(program, "more", preload=library).errors
    assert (error.rule, error.place) == ("heap-overflow", "0 bytes after a block of 400 bytes")
    assert error.block is not None
    assert str(error.block.by) in ("operator new[](400)", "operator new(400)")  # may be one
