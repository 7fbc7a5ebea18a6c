"""Debian's gdb, in batch mode."""

from __future__ import annotations

import subprocess
from pathlib import Path


def gdb(file: Path, *commands: str, core: Path | None = None) -> str:
    """What it prints about a program, or about its core file. It warns of nothing."""
    arguments = [part for command in commands for part in ("-ex", command)]
    settings = ["-iex", "set debuginfod enabled off", "-iex", "set style enabled off"]
    done = subprocess.run(
        ["gdb", "-nx", "-batch", *settings, *arguments, str(file), *([str(core)] if core else [])],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert "arning" not in done.stderr, done.stderr
    return done.stdout + done.stderr
