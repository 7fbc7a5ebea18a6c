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
    subprocess.run(["as", "-o", tmp_path / "hi.o", source], check=True)
    subprocess.run(["ld", "-o", tmp_path / "hi", tmp_path / "hi.o"], check=True)
    return tmp_path


@pytest.mark.parametrize(("command", "output"), consoles(), ids=lambda text: text[:40])
def test_a_command_prints_what_the_readme_shows(command, output, folder):
    done = subprocess.run(
        [sys.executable, "-m", "emu.cli", *command.split()[1:]],
        cwd=folder, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    printed = [line.rstrip() for line in (done.stdout + done.stderr).splitlines()]
    assert printed == [line.rstrip() for line in output.splitlines()]


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
