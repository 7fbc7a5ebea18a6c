"""What the index is worth: beside glibc's malloc and osmem, in the emulator and on the host.

Instructions are of calls alone, without copying and clearing: exact in the emulator, and on the
host as callgrind counts glibc's. Wall time is on the host; both programs make the same calls, in a
process of their own, and then again and again: the heap is there by then. What of the first time is
the kernel's is measured by a program that does no more than the contract has it ask and touch: no
allocator with this contract can take less.
"""

from __future__ import annotations

import re
import struct
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

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
_FEW_LIVE, _LIVE = 100, 50_000
"""Blocks in use, for the growth of the cost: a quarter of n in uniform and power-law."""
_OSMEM_LIVE = 10_000
_GROWING = [name for name in PATTERNS if name != "realloc-growth"]
"""Where more blocks are in use when n is larger."""
_ROUNDS = 15
_AGAIN = 20
"""Times that a process makes the calls of a pattern."""
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
    return [*found, *map(_of_more, _GROWING), *_growth()]


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
        f"{scenario.name}, natively", f"{mine.first / 1e3:.1f} us", mine.first / its.first,
        f"glibc's {its.first / 1e3:.1f} us", "<= 1.2", mine.first <= 1.2 * its.first,
    )  # fmt: skip
    yield Figure(
        f"{scenario.name}, natively again", f"{mine.again / 1e3:.1f} us", mine.again / its.again,
        f"glibc's {its.again / 1e3:.1f} us",
    )  # fmt: skip
    (least,) = _fastest((programs["floor"], events))
    yield Figure(
        f"{scenario.name}, the kernel's part alone", f"{least.first / 1e3:.1f} us",
        least.first / its.first, f"glibc's {its.first / 1e3:.1f} us",
    )  # fmt: skip


def _emulated(scenario: Scenario) -> float:
    counts = bench(scenario, "indexed", accesses=False).counts
    return float((counts["instructions"] - counts["copying"]).mean())


def _of_more(name: str) -> Figure:
    """The mean of a call as the blocks grow in number."""
    few, many = (_emulated(pattern(name, 4 * live)) for live in (_FEW_LIVE, _LIVE))
    return Figure(
        f"{name}, a call with {_LIVE} in use", f"{many:.1f} instructions", many / few,
        f"{few:.1f} with {_FEW_LIVE}", "<= 2.5", many <= 2.5 * few,
    )  # fmt: skip


def _growth() -> Iterator[Figure]:
    """From 100 blocks to many: the worse of blocks in use and of holes, for each function."""
    for name, most, goal in (("indexed", _LIVE, "<= 2.5"), ("osmem", _OSMEM_LIVE, "")):
        for one in growth(name, largest=most):
            points = dict(one.points)
            few, many = points[_FEW_LIVE], points[most]
            yield Figure(
                f"{name}: {one.call}, {most} {one.situation.name}", f"{many} instructions",
                many / few, f"{few} with {_FEW_LIVE}", goal, many <= 2.5 * few,
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


class _Took(NamedTuple):
    """Nanoseconds of all calls: when the process had just begun, and at the best later time."""

    first: int
    again: int


def _fastest(*runs: tuple[Path, Path]) -> list[_Took]:
    """The least that each program took with its file, run in turns."""
    rounds = [[_took(*run) for run in runs] for _ in range(_ROUNDS)]
    return [_Took(*map(min, zip(*of_one, strict=True))) for of_one in zip(*rounds, strict=True)]


def _took(program: Path, file: Path) -> _Took:
    first, *later = map(int, _run(str(program), str(file), str(_AGAIN)).split())
    return _Took(first, min(later, default=first))


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
