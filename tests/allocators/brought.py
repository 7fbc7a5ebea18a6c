"""Allocators that others wrote, where they are, and calls to play on them."""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest

from emu import Heap

HERE = Path(__file__).parent
LIBRARIES = Path("/usr/lib/x86_64-linux-gnu")
GLIBC = Path("/lib/x86_64-linux-gnu/libc.so.6")
MUSL = Path("/lib/ld-musl-x86_64.so.1")
KINDS = ("malloc", "calloc", "realloc", "free")


def _there(path: Path) -> Path:
    if not path.exists():
        pytest.skip(f"no {path}")
    return path


@cache
def built(compiler: str, *arguments: str) -> Path:
    """tests/allocators/driver.c as a program."""
    if not shutil.which(compiler):
        pytest.skip(f"no {compiler}")
    made = Path(mkdtemp(prefix="emu-tests-")) / "driver"
    subprocess.run([compiler, "-O1", "-w", HERE / "driver.c", *arguments, "-o", made], check=True)
    return made


ALLOCATORS = {
    "glibc": lambda: _there(GLIBC),
    "glibc, of a program": lambda: built("gcc"),
    "glibc, of a static program": lambda: built("gcc", "-static"),
    "musl": lambda: _there(MUSL),
    "musl, of a static program": lambda: built("musl-gcc", "-static"),
    "musl, of a program": lambda: built("musl-gcc"),
    "jemalloc": lambda: _there(LIBRARIES / "libjemalloc.so.2"),
    "mimalloc": lambda: _there(LIBRARIES / "libmimalloc.so.2"),
    "tcmalloc": lambda: _there(LIBRARIES / "libtcmalloc_minimal.so.4"),
    "a list in C": lambda: HERE / "list.c",
    "a malloc in C": lambda: HERE / "interposed.c",
    "mappings in C": lambda: HERE / "mapped.c",
    "the malloc lab": lambda: HERE / "mm.c",
}


@pytest.fixture(scope="module", params=ALLOCATORS)
def allocator(request) -> Path:
    """All tests of one allocator, and then those of the next: each is started once."""
    return ALLOCATORS[request.param]()


@dataclass(frozen=True)
class Row:
    """kind: of KINDS, by number. block: by number. one, other: the sizes."""

    kind: int
    block: int
    one: int = 0
    other: int = 0


def rows(seed: int, count: int, *, largest: int = 3000, kinds: str = "mcrf") -> list[Row]:
    """Calls as a program makes them: what is in use is given back or resized, and nothing else."""
    chance, live, made = random.Random(seed), [], []
    for number in range(count):
        kind = chance.choice(kinds)
        if kind in "rf" and not live:
            kind = "m"
        size = chance.choice([chance.randint(1, 64), chance.randint(1, largest)])
        if kind in "mc":
            live.append(number)
            block = number
        else:
            block = chance.choice(live)
        if kind == "f":
            live.remove(block)
        made.append(
            {"m": Row(0, block, size), "c": Row(1, block, size // 4 + 1, 4),
             "r": Row(2, block, size), "f": Row(3, block)}[kind]
        )  # fmt: skip
    return made


def possible(heap: Heap) -> str:
    """The kinds of calls that a heap has."""
    return "".join(kind[0] for kind in KINDS if heap.description.has(kind))


def play(heap: Heap, calls: list[Row]) -> list[int]:
    """The result of each call; the program fills what it is given."""
    blocks: dict[int, int] = {}
    results = []
    for row in calls:
        old = blocks.get(row.block, 0)
        if row.kind == 3:
            heap.free(old)
            result = 0
        elif row.kind == 2:
            result = heap.realloc(old, row.one)
        else:
            result = heap.malloc(row.one) if row.kind == 0 else heap.calloc(row.one, row.other)
        blocks[row.block] = result
        if result:
            size = row.one * row.other if row.kind == 1 else row.one
            heap.fill(result, 0x5A, size)
        results.append(result)
    return results


def on_host(program: Path, calls: list[Row], *, from_first: bool = False) -> list[int]:
    """The results of the driver: how far from the first break, or from the first payload."""
    given = b"".join(struct.pack("<4Q", r.kind, r.block, r.one, r.other) for r in calls)
    command = [program, *(["first"] if from_first else [])]
    done = subprocess.run(command, input=given, capture_output=True, check=True, timeout=60)
    return list(struct.unpack(f"<{len(calls)}Q", done.stdout))
