"""What the index is worth: beside glibc's malloc and osmem, in the emulator and on the host.

Instructions are of calls alone, without copying and clearing: exact in the emulator, and on the
host as callgrind counts glibc's. Wall time is on the host; both programs make the same calls. What
of it is the kernel's is measured by a program that does no more than the contract has it ask and
touch: no allocator with this contract can take less.
"""

from __future__ import annotations

import re
import struct
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from asm import source
from asm.source import PACKAGE
from emu import Heap
from emu.bench.bench import bench
from emu.bench.growth import growth
from emu.scenario import operations as op
from emu.scenario.operations import Scenario
from emu.scenario.patterns import PATTERNS, pattern
from syscalls.abi import PAGE
from tests.bench.measure import Figure

_BLOCKS = 1000
"""n of the patterns."""
_MOST = 10_000
"""Blocks that calls are made among, for the growth of their cost."""
_ROUNDS = 15
_REPLAY = Path(__file__).parent / "replay_natively.c"
_FLOOR = Path(__file__).parent / "floor_natively.c"
_CALL = struct.Struct("<IIQ")
_KINDS = {op.Malloc: 0, op.Calloc: 1, op.Realloc: 2, op.Free: 3}
_FUNCTIONS = ("malloc", "calloc", "realloc", "free")
_LINE = re.compile(r"\s*([\d,]+) \(\s*[\d.]+%\)\s+(\S.*)")
_COPYING = re.compile(r"mem(p?cpy|set|move)")


def figures() -> list[Figure]:
    with TemporaryDirectory() as folder:
        programs = {name: _program(Path(folder), name) for name in ("glibc", "indexed")}
        programs["floor"] = _compiled(Path(folder) / "floor", _FLOOR)
        found = [
            figure
            for name in PATTERNS
            for figure in _of_pattern(pattern(name, _BLOCKS), Path(folder), programs)
        ]
    return [*found, *_growth()]


def _of_pattern(scenario: Scenario, folder: Path, programs: dict[str, Path]) -> Iterator[Figure]:
    calls = folder / "calls"
    calls.write_bytes(_packed(scenario))
    ours, theirs = _emulated(scenario), _counted(programs["glibc"], calls, len(scenario.statements))
    yield Figure(
        f"{scenario.name}, a call", f"{ours:.1f} instructions", ours / theirs,
        f"glibc's {theirs:.1f}", "<= 1", ours <= theirs,
    )  # fmt: skip
    events = folder / "events"
    events.write_bytes(b"".join(_events(scenario)))
    mine, its = _fastest((programs["indexed"], calls), (programs["glibc"], calls))
    yield Figure(
        f"{scenario.name}, natively", f"{mine / 1e3:.1f} us", mine / its,
        f"glibc's {its / 1e3:.1f} us", "<= 1.2", mine <= 1.2 * its,
    )  # fmt: skip
    (least,) = _fastest((programs["floor"], events))
    yield Figure(
        f"{scenario.name}, the kernel's part alone", f"{least / 1e3:.1f} us", least / its,
        f"glibc's {its / 1e3:.1f} us",
    )  # fmt: skip


def _emulated(scenario: Scenario) -> float:
    counts = bench(scenario, "indexed", accesses=False).counts
    return float((counts["instructions"] - counts["copying"]).mean())


def _growth() -> Iterator[Figure]:
    """From 100 blocks to many: the worse of blocks in use and of holes, for each function."""
    for name in ("indexed", "osmem"):
        for one in growth(name, largest=_MOST):
            points = dict(one.points)
            few, many = points[100], points[_MOST]
            goal = "<= 2.5" if name == "indexed" else ""
            yield Figure(
                f"{name}: {one.call}, {_MOST} {one.situation.name}", f"{many} instructions",
                many / few, f"{few} with 100", goal, many <= 2.5 * few,
            )  # fmt: skip


# On the host


def _packed(scenario: Scenario) -> bytes:
    """The calls as replay_natively.c reads them."""
    numbers: dict[str, int] = {}
    return b"".join(
        _CALL.pack(_KINDS[type(one.operation)], *_operands(one.operation, numbers))
        for one in scenario.statements
    )


def _operands(operation: op.Operation, numbers: dict[str, int]) -> tuple[int, int]:
    match operation:
        case op.Calloc(name, count, size):
            return numbers.setdefault(name, len(numbers)), count << 32 | size
        case op.Malloc(name, size) | op.Realloc(name, _, size):
            return numbers.setdefault(name, len(numbers)), size
        case op.Free(name):
            return numbers[name or ""], 0
    raise AssertionError(operation)


def _events(scenario: Scenario) -> Iterator[bytes]:
    """What the contract has a program do: its system calls, and the first touch of each page.

    For floor_natively.c. A page of the heap is touched where a header is written to it.
    """
    touched: set[int] = set()
    mapped: dict[int, int] = {}
    with Heap("indexed") as heap:
        blocks: dict[str | None, int] = {}
        for one in scenario.statements:
            _make(heap, one.operation, blocks)
            for call in heap.calls[-1].syscalls:
                match call.name, call.args, call.result:
                    case "brk", (asked, *_), _ if asked:
                        yield _CALL.pack(0, 0, asked - heap.start)
                    case "mmap", (_, length, *_), int(address):
                        number = mapped[address] = len(mapped)
                        yield _CALL.pack(1, number, length) + _CALL.pack(4, number, 0)
                    case "munmap", (address, length, *_), _:
                        yield _CALL.pack(2, mapped[address], length)
            pages = {block.header & -PAGE for block in heap.blocks}
            for page in sorted(pages - touched):
                yield _CALL.pack(3, 0, page - heap.start)
            touched |= pages


def _make(heap: Heap, operation: op.Operation, blocks: dict[str | None, int]) -> None:
    match operation:
        case op.Malloc(name, size):
            blocks[name] = heap.malloc(size)
        case op.Calloc(name, count, size):
            blocks[name] = heap.calloc(count, size)
        case op.Realloc(name, source, size):
            blocks[name] = heap.realloc(blocks[source], size)
        case op.Free(name):
            heap.free(blocks[name])


def _program(folder: Path, name: str) -> Path:
    """replay_natively.c with an allocator, or with the C library's."""
    made: Path = folder / name
    sources: list[Path | str] = [_REPLAY]
    if name != "glibc":
        text = "".join(f"{s.source}\n" for s in source.read(PACKAGE / name / f"{name}.s"))
        (folder / f"{name}.s").write_text(text)
        sources += [folder / f"{name}.s", "-DOS"]
    return _compiled(made, *sources)


def _compiled(made: Path, *sources: Path | str) -> Path:
    subprocess.run(["gcc", "-O1", "-z", "noexecstack", "-o", made, *sources], check=True)
    return made


def _fastest(*runs: tuple[Path, Path]) -> list[int]:
    """Nanoseconds of each program with its file, run in turns."""
    rounds = [[int(_run(*map(str, run))) for run in runs] for _ in range(_ROUNDS)]
    return [min(of_one) for of_one in zip(*rounds, strict=True)]


def _counted(program: Path, calls: Path, count: int) -> float:
    """Instructions of a call, by callgrind, without copying and clearing."""
    out = calls.parent / "callgrind.out"
    toggles = [f"--toggle-collect={function}" for function in _FUNCTIONS]
    tool = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", *toggles]
    _run(*tool, str(program), str(calls))
    lines = map(_LINE.match, _run("callgrind_annotate", "--threshold=100", str(out)).splitlines())
    counted = [(match[2], int(match[1].replace(",", ""))) for match in lines if match]
    return sum(n for what, n in counted if _is_call(what)) / count


@cache
def _is_call(what: str) -> bool:
    return "PROGRAM TOTALS" not in what and not _COPYING.search(what)


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
