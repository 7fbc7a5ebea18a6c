"""Programs in C, compiled in every way that Debian can, and run: here, and on the host."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

SOURCES = Path(__file__).parent
WAYS = {
    "glibc, static": ("gcc", "-static"),
    "glibc, static-pie": ("gcc", "-static-pie"),
    "glibc, dynamic": ("gcc", "-no-pie"),
    "glibc, dynamic pie": ("gcc", "-pie"),
    "musl, static": ("musl-gcc", "-static"),
    "musl, dynamic": ("musl-gcc",),
}
"""Compiler and options."""

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/", "GREETING": "hello there", "LC_ALL": "C"}


@dataclass(frozen=True)
class Outcome:
    """What somebody sees of a program that has run. status: as a shell has it."""

    stdout: bytes
    stderr: bytes
    status: int


def compiled(name: str, way: str, folder: Path) -> Path:
    """tests/programs/<name>.c as a program in a folder."""
    made = folder / f"{name} {way}".replace(", ", "-").replace(" ", "-")
    compiler, *options = WAYS[way]
    command = [compiler, "-O1", "-w", *options, "-o", made, SOURCES / f"{name}.c", "-lm"]
    subprocess.run(command, check=True)
    return made


def on_host(*command: str | Path, given: bytes = b"", folder: Path | None = None) -> Outcome:
    """On the host's CPU and kernel."""
    return _run(list(map(str, command)), given, folder)


def in_emulator(
    *command: str | Path,
    root: str | Path | None = "/",
    options: tuple[str, ...] = (),
    given: bytes = b"",
    folder: Path | None = None,
) -> Outcome:
    """By `emu exec --quiet`."""
    variables = [f"--env={name}={value}" for name, value in ENVIRONMENT.items()]
    seen = [] if root is None else ["--root", str(root)]
    emu = [sys.executable, "-m", "emu.cli", "exec", "--quiet", *seen, *variables, *options]
    return _run([*emu, *map(str, command)], given, folder, python=True)


def _run(command: list[str], given: bytes, folder: Path | None, *, python: bool = False) -> Outcome:
    environment = {**os.environ, **ENVIRONMENT} if python else ENVIRONMENT
    done = subprocess.run(
        command, input=given, capture_output=True, cwd=folder, env=environment, timeout=120,
        check=False,
    )  # fmt: skip
    status = done.returncode if done.returncode >= 0 else 128 - done.returncode
    return Outcome(done.stdout, done.stderr, status)
