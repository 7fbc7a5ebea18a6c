"""What `emu build` writes, and programs linked with it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from emu import native

HERE = Path(__file__).parent


def build(folder: Path, name: str, allocator: str | Path = "osmem", **options: bool) -> Path:
    """The file, and osmem.h beside it."""
    made = folder / name
    made.write_bytes(native.built(allocator, name, **options))
    (folder / native.HEADER).write_text(native.header(allocator))
    return made


def link(source: Path, library: Path, *options: str, compiler: str = "gcc") -> Path:
    """The program of a C source with a library or an object beside which osmem.h lies."""
    made = library.parent / f"{source.stem}-{library.stem}"
    found = [f"-Wl,-rpath,{library.parent}"] if library.suffix == ".so" else []
    files = [str(source), str(library), *found]
    warned = ["-O1", "-Wall", "-Wextra", "-Werror", f"-I{library.parent}"]
    run(compiler, *warned, *options, "-o", str(made), *files)
    return made


def run(*command: str) -> str:
    """What it prints. It warns of nothing."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, (command, done.returncode, done.stdout, done.stderr)
    assert done.stderr == ""
    return done.stdout
