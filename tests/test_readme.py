"""The README tells the truth: its examples run, and print what it says."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from emu.scenario.load import shipped

README = (Path(__file__).parent.parent / "README.md").read_text()


def consoles():
    """(command, output) of every indented block that begins with a prompt."""
    blocks = re.findall(r"(?:^    .*\n|^\n(?=    ))+", README, re.MULTILINE)
    texts = [re.sub("^    ", "", block, flags=re.MULTILINE).strip("\n") for block in blocks]
    return [text.removeprefix("$ ").split("\n", 1) for text in texts if text.startswith("$ ")]


@pytest.fixture
def folder(tmp_path):
    """What the examples speak of."""
    for path in shipped():
        shutil.copy(path, tmp_path)
    (tmp_path / "mine.s").write_text("\n" * 11 + "        mov rax, [rdi - META]\n")
    source = Path(__file__).parent / "programs" / "hi.s"
    shutil.copy(Path(__file__).parent / "broken" / "original.c", tmp_path / "mine.c")
    subprocess.run(["as", "-o", tmp_path / "hi.o", source], check=True)
    subprocess.run(["ld", "-o", tmp_path / "hi", tmp_path / "hi.o"], check=True)
    _program_with_errors(tmp_path)
    return tmp_path


def _program_with_errors(folder):
    """name, which overflows blocks of osmem's."""
    from emu import native

    (folder / "osmem.o").write_bytes(native.built("osmem", "osmem.o"))
    (folder / "osmem.h").write_text(native.header("osmem"))
    source = Path(__file__).parent / "programs" / "name.c"
    shutil.copy(source, folder)
    flags = ["-g", "-O1", "-static", "-fno-builtin"]
    subprocess.run(["gcc", *flags, "-o", "name", "name.c", "osmem.o"], cwd=folder, check=True)


@pytest.mark.parametrize(("command", "output"), consoles(), ids=lambda text: text[:40])
def test_a_command_prints_what_the_readme_shows(command, output, folder):
    done = subprocess.run(
        [sys.executable, "-m", "emu.cli", *command.split()[1:]],
        cwd=folder, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    printed = [_comparable(line) for line in (done.stdout + done.stderr).splitlines()]
    shown = "\n".join(map(_comparable, output.splitlines()))
    parts = [part.splitlines() for part in re.split(r"^\.\.\.\n?", shown, flags=re.MULTILINE)]
    assert _follow(printed, parts), "\n".join(printed)


def _comparable(line):
    """Other linkers put a program's blocks elsewhere."""
    return re.sub(r"0x[0-9a-f]{6}(?=,)", "0x...", line.rstrip())


def _follow(printed, parts):
    """Whether the lines are these parts, with anything between two of them."""
    first, *rest = parts
    if printed[: len(first)] != first:
        return False
    if not rest:
        return len(printed) == len(first)
    return any(_follow(printed[at:], rest) for at in range(len(first), len(printed) + 1))


def test_the_test_in_the_readme_passes(pytester):
    fixture, program = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    pytester.makepyfile(fixture)
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)
    assert "run(" in program


def test_the_python_in_the_readme_runs(folder, monkeypatch, capsys):
    _, program = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    monkeypatch.chdir(folder)
    names: dict = {}
    exec(compile(program, "README.md", "exec"), names)
    assert names["heap"].check() == []
    assert "heap  128 KiB" in capsys.readouterr().out
    names["heap"].close()


def test_the_scenario_language_in_the_readme_is_the_real_one(tmp_path):
    from emu.scenario.load import from_text

    block = re.search(r"    # comment\n(?:    .*\n)+", README)[0]
    lines = [re.sub(r" {2,}.*", "", line.strip()) for line in block.splitlines()]
    assert len(from_text("\n".join(lines), "readme.heap").statements) == len(lines) - 1
