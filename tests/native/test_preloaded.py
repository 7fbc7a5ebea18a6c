"""`emu build --as-malloc`: real programs of one thread, with osmem in malloc's place.

Each prints what it prints without it, and the system calls show whose heap it is.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.native.building import build, link, run

PROGRAMS = {
    "ls": ["ls", "-lR", "/usr/share/doc/gdb", "/usr/include/linux"],
    "cat": ["cat", "-n", "/usr/include/elf.h", "/usr/include/errno.h"],
    "dd": ["dd", "if=/usr/include/elf.h", "bs=1k", "skip=3"],
    "sort": ["sort", "-r", "/usr/include/elf.h"],
    "sed": ["sed", "-E", "s/(define) +(\\w+)/\\2 \\1/g", "/usr/include/elf.h"],
    "bash": ["bash", "-c", "for i in {1..300}; do a+=($i); done; echo ${a[*]} | wc"],
    "gcc": ["gcc", "-E", "-x", "c", "/usr/include/stdlib.h"],
    "readelf": ["readelf", "-aW", "/bin/ls"],
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("preloaded"), "libosmem.so", as_malloc=True)


def _output(command: list[str], **environment: str) -> str:
    clean = {**os.environ, "LC_ALL": "C", **environment}
    done = subprocess.run(command, capture_output=True, check=True, env=clean, timeout=120)
    return done.stdout.decode(errors="replace")


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_prints_the_same(program: str, library: Path) -> None:
    command = PROGRAMS[program]
    told = _output(command)
    assert len(told) > 20
    assert _output(command, LD_PRELOAD=str(library)) == told


def test_the_heap_is_osmems(library: Path) -> None:
    """It asks for 128 KiB at first, byte by byte later; the C library for whole pages."""
    trace = library.parent / "trace"
    traced = ["strace", "-e", "trace=brk", "-o", str(trace), "-E", f"LD_PRELOAD={library}"]
    _output([*traced, *PROGRAMS["bash"]])
    breaks = [int(line, 16) for line in re.findall(r"= (0x\w+)", trace.read_text())]
    assert breaks[-1] - breaks[0] >= 131072
    assert any(one % 4096 for one in breaks)


def test_malloc_and_free_are_exported_beside_their_own_names(library: Path) -> None:
    said = run("nm", "-D", "--defined-only", str(library))
    places = {line.split()[2]: line.split()[0] for line in said.splitlines()}
    for name in ("malloc", "calloc", "realloc", "free"):
        assert places[name] == places[f"os_{name}"]


def test_an_object_takes_mallocs_place_in_a_static_program(tmp_path: Path) -> None:
    source = tmp_path / "mallocs.c"
    source.write_text("""
        #include <stdio.h>
        #include <stdlib.h>
        #include "osmem.h"
        int main(void) {
            char *text = malloc(100);
            snprintf(text, 100, "%p", (void *)text);
            printf("%s\\n", text);
            free(text);
            return os_malloc(100) != text;
        }""")
    for compiler in ("gcc", "musl-gcc"):
        made = build(tmp_path, "osmem.o", as_malloc=True)
        run(str(link(source, made, "-static", compiler=compiler)))
