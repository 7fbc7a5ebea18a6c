"""The sanitizer: what it costs that each access to the heap is looked at."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from time import process_time

from emu.heap import Heap
from emu.process.program import Program
from emu.sanitizer.errors import HeapError
from emu.sanitizer.program import ProgramSanitizer
from syscalls.execve import Bytes, Executable
from syscalls.world import Capture, World
from tests.bench.engines import hook_accesses
from tests.bench.measure import Figure, seconds

_HERE = Path(__file__).parent
_WORDS, _FEW_WORDS, _BLOCKS, _CALLS = "60000", "20000", "5000", 300


def figures() -> list[Figure]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tree, churn = (_compiled(folder, source) for source in ("tree", "churn"))
        return [_checked(tree), _against_python(tree), _allocating(churn), _scenario()]


def _compiled(folder: Path, name: str) -> Path:
    made = folder / name
    subprocess.run(["gcc", "-O2", "-static", "-o", made, _HERE / f"{name}.c"], check=True)
    return made


def _play(program: Path, argument: str, watch: Callable[[Program, ExitStack], None]) -> None:
    with Program(world=World(stdout=Capture())) as process, ExitStack() as stack:
        file = Executable(program.name, Bytes(program.read_bytes()))
        process.load(file, [b"x", argument.encode()])
        watch(process, stack)
        assert process.play().status == 0


def _nothing(process: Program, stack: ExitStack) -> None:
    """Nobody looks."""


def _check(process: Program, stack: ExitStack) -> None:
    errors: list[HeapError] = []
    sanitizer = ProgramSanitizer(process, "malloc", errors.append)
    stack.callback(sanitizer.close)
    stack.callback(lambda: errors and _fail(errors))


def _fail(errors: list[HeapError]) -> None:
    raise AssertionError(errors)


def _hook(process: Program, stack: ExitStack) -> None:
    stack.callback(lambda held: None, hook_accesses(process.cpu._engine._handle))


def _checked(program: Path) -> Figure:
    checked, plain = seconds(
        lambda: _play(program, _WORDS, _check),
        lambda: _play(program, _WORDS, _nothing),
        rounds=3,
        clock=process_time,
    )
    speed = plain / checked
    what, goal = "emu exec --check-heap, a tree", speed >= 1 / 20
    return Figure(what, f"{checked:.2f} s", speed, "not checked", ">= 0.05", goal)


def _against_python(program: Path) -> Figure:
    checked, hooked = seconds(
        lambda: _play(program, _FEW_WORDS, _check),
        lambda: _play(program, _FEW_WORDS, _hook),
        rounds=1,
        clock=process_time,
    )
    speed = hooked / checked
    what = "emu exec --check-heap, a tree"
    return Figure(
        what, f"{checked:.2f} s", speed, "an empty memory hook in Python", ">= 5", speed >= 5
    )


def _allocating(program: Path) -> Figure:
    checked, plain = seconds(
        lambda: _play(program, _BLOCKS, _check),
        lambda: _play(program, _BLOCKS, _nothing),
        rounds=3,
        clock=process_time,
    )
    what = "emu exec --check-heap, allocating only"
    return Figure(what, f"{checked:.2f} s", plain / checked, "not checked")


def _scenario() -> Figure:
    sanitized, plain = seconds(
        lambda: _heap(sanitize=True), lambda: _heap(sanitize=False), rounds=3, clock=process_time
    )
    value = f"{sanitized / _CALLS * 1e6:.0f} us a call"
    return Figure("Heap(sanitize=True)", value, plain / sanitized, "Heap()")


def _heap(*, sanitize: bool) -> None:
    with Heap("osmem", sanitize=sanitize) as heap:
        for turn in range(_CALLS // 3):
            payload = heap.malloc(24 + turn % 50)
            heap.fill(payload, 1)
            heap.realloc(payload, 100)
            heap.free(heap.malloc(8))
        assert heap.check() == []
