"""Lines of source in ELF files: against addr2line, and where debug information is damaged."""

from __future__ import annotations

import itertools
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from emu.launch import launch
from emu.process import elf_lines
from emu.process.elf_symbols import symbols

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc compiles the program")

SOURCE = """\
#include <stdio.h>

static int twice(int n)
{
    return n + n;
}

int main(int argc, char **argv)
{
    for (int i = 0; i < 3; i++)
        if (i % 2)
            printf("%d\\n", twice(i));
    return 0;
}
"""


@pytest.fixture(scope="module", params=["-gdwarf-4", "-gdwarf-5"])
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lines")
    (folder / "p.c").write_text(SOURCE)
    command = ["gcc", "-static", "-O0", request.param, "-o", "p", "p.c"]
    subprocess.run(command, cwd=folder, check=True)
    return folder / "p"


def test_lines_are_those_that_addr2line_finds(program: Path) -> None:
    found = elf_lines.lines(program.read_bytes(), 0)
    assert len(found) > 10
    asked = [hex(one.address + one.size - 1) for one in found]
    done = subprocess.run(
        ["addr2line", "-e", program, *asked], capture_output=True, text=True, check=True
    )
    told = [line.partition(" ")[0] for line in done.stdout.splitlines()]
    assert [one.place for one in found] == told


def test_a_line_has_its_text_and_lies_in_its_function(program: Path) -> None:
    with launch(str(program)) as process:
        sources = process.sources
    (main,) = (one for one in sources.symbols if one.name == "main")
    line = sources.line_at(main.address)
    assert line is not None
    assert line.file == str(program.parent / "p.c")
    assert line.text == SOURCE.splitlines()[line.line - 1]
    assert sources.spelled(main.address + 1) == "main+0x1"


def test_lines_and_functions_move_with_the_file_and_do_not_overlap(program: Path) -> None:
    data = program.read_bytes()
    for found in (elf_lines.lines(data, 0x1000), symbols(data, 0x1000)):
        for one, following in itertools.pairwise(found):
            assert one.address + one.size <= following.address
    first, moved = elf_lines.lines(data, 0)[0], elf_lines.lines(data, 0x1000)[0]
    assert moved.address == first.address + 0x1000


def test_damaged_debug_information_is_no_reason_to_fail(program: Path) -> None:
    data = program.read_bytes()
    sections = subprocess.run(
        ["readelf", "-SW", program], capture_output=True, text=True, check=True
    ).stdout
    (row,) = (line for line in sections.splitlines() if " .debug_line " in line)
    start, size = (int(number, 16) for number in row.split("PROGBITS")[1].split()[1:3])
    chance = random.Random(1)
    whole = len(elf_lines.lines(data, 0))
    fewer = 0
    for _ in range(200):
        damaged = bytearray(data)
        for _ in range(4):
            damaged[start + chance.randrange(size)] = chance.randrange(256)
        fewer += len(elf_lines.lines(bytes(damaged), 0)) != whole
    assert fewer > 10


def test_what_is_no_elf_file_has_no_lines() -> None:
    assert elf_lines.lines(b"no file", 0) == []
    assert elf_lines.lines(b"", 0) == []


def test_control_characters_of_a_source_do_not_reach_a_terminal(tmp_path: Path) -> None:
    source = tmp_path / "x.c"
    source.write_text("int main(void) { return 0; /* \x1b[2J */ }\n")
    subprocess.run(["gcc", "-g", "-static", "-o", tmp_path / "x", source], check=True)
    texts = [one.text for one in elf_lines.lines((tmp_path / "x").read_bytes(), 0)]
    assert any("\u00b7[2J" in text for text in texts)
    assert not any("\x1b" in text for text in texts)
