"""emu exec --strace beside strace itself, line by line, on real programs."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from compiled import ENVIRONMENT, SOURCES, in_emulator

_OTHER = (
    "set_tid_address", "rseq", "getrandom", "getpid", "getppid", "gettid", "tgkill", "kill",
    "uname", "sysinfo", "time",
)  # fmt: skip
"""Calls whose answers are facts about the machine."""


def _lines(text: str) -> list[str]:
    """Addresses differ, since Linux has a vdso and we have none."""
    lines = [re.sub(r"0x[0-9a-f]{4,}", "ADDRESS", line) for line in text.splitlines()]
    lines = [re.sub(r" +=", " =", line) for line in lines]
    return [line for line in lines if not line.startswith(_OTHER) and "si_pid" not in line]


def _both(folder: Path, *command: str) -> tuple[list[str], list[str]]:
    theirs, ours = folder / "theirs", folder / "ours"
    subprocess.run(
        ["strace", "-o", theirs, *command], env=ENVIRONMENT, capture_output=True, check=False
    )
    in_emulator(*command, options=("--strace", "-o", str(ours)))
    return _lines(theirs.read_text()), _lines(ours.read_text())


@pytest.fixture(scope="module")
def hi(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("hi") / "hi"
    subprocess.run(["as", "-o", f"{made}.o", SOURCES / "hi.s"], check=True)
    subprocess.run(["ld", "-o", made, f"{made}.o"], check=True)
    return made


def test_a_program_without_a_library(hi: Path, tmp_path: Path) -> None:
    theirs, ours = _both(tmp_path, str(hi))
    assert ours == theirs
    assert theirs[-1] == "+++ killed by SIGSEGV +++"


@pytest.mark.parametrize(
    "command",
    [
        f"cat {SOURCES}/library.c",
        f"ls -l {SOURCES}/library.c",
        f"stat {SOURCES}/library.c",
        "sh -c 'cd /; pwd; test -e /no/such/file; kill -USR1 $$'",
        f"wc {SOURCES}/library.c /no/such/file",
    ],
)
def test_busybox(command: str, tmp_path: Path) -> None:
    words = ["/bin/busybox", *shlex.split(command)]
    theirs, ours = _both(tmp_path, *words)
    assert ours == theirs
    assert len(theirs) > 15
