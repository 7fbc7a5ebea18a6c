"""Programs: how long one takes to start, and what the CPU and the kernel cost while it runs."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import addressof, c_size_t, c_uint64
from pathlib import Path
from time import process_time
from unittest.mock import patch

from emu.process import minding
from emu.process.binding import Hook
from emu.process.engine import Engine
from emu.process.process import Process
from emu.process.program import Program
from syscalls.execve import Bytes, Executable
from tests.bench.engines import image
from tests.bench.measure import Figure, seconds

_HERE = Path(__file__).parent
_SIZE, _COPIES = "1000000", "100000"
_MEMORY = image(
    """
    f:      mov     r12, rdi                # so many turns of 5 system calls
    .Lturn: mov     eax, 9                  # mmap 4 pages
            xor     edi, edi
            mov     esi, 0x4000
            mov     edx, 3
            mov     r10d, 0x22
            mov     r8, -1
            xor     r9d, r9d
            syscall
            mov     r13, rax
            mov     [r13], r12              # touch two of them
            mov     [r13 + 0x1000], r12
            mov     eax, 10                 # mprotect
            mov     rdi, r13
            mov     esi, 0x1000
            mov     edx, 1
            syscall
            mov     eax, 11                 # munmap
            mov     rdi, r13
            mov     esi, 0x4000
            syscall
            mov     eax, 12                 # brk, to ask
            xor     edi, edi
            syscall
            mov     rdi, r12                # brk, up and down
            and     rdi, 1
            shl     rdi, 12
            add     rdi, rax
            and     rdi, 0xfffffffffffff000
            mov     eax, 12
            syscall
            dec     r12
            jnz     .Lturn
            ret
    """
)
_TURNS, _CALLS = 400, 5


def figures() -> list[Figure]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = [_hello(folder), _memory()]
        found += [_compute(folder, "-O2"), _compute(folder, "-O3"), _copying(folder)]
    return found


def _compiled(folder: Path, name: str, option: str) -> Path:
    made = folder / f"{name}{option}"
    subprocess.run(["gcc", option, "-static", "-o", made, _HERE / f"{name}.c"], check=True)
    return made


def _hello(folder: Path) -> Figure:
    program = _compiled(folder, "hello", "-O2")
    emu, nothing = seconds(
        lambda: _command("-m", "emu.cli", "exec", str(program)),
        lambda: _command("-c", "pass"),
        rounds=10,
    )
    value = f"{emu:.2f} s"
    return Figure("emu exec hello", value, emu / nothing, "python -c pass", "< 0.5 s", emu < 0.5)


def _command(*arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)


def _memory() -> Figure:
    with Process(_MEMORY) as process:
        ours, host = seconds(
            lambda: process.call("f", _TURNS),
            lambda: [os.getppid() for _ in range(_TURNS * _CALLS)],
            rounds=9,
            clock=process_time,
        )
    each = ours / (_TURNS * _CALLS)
    value, goal = f"{each * 1e6:.1f} us", each < 25e-6
    return Figure("a memory system call", value, ours / host, "os.getppid()", "< 25 us", goal)


# Compute-bound code


def _compute(folder: Path, option: str) -> Figure:
    program = _compiled(folder, "compute", option)
    ours, bare = seconds(
        lambda: _play(program, _SIZE), lambda: _bare(program, _SIZE), rounds=3, clock=process_time
    )
    value, speed = f"{ours:.2f} s", bare / ours
    what = f"computing, {option}"
    return Figure(what, value, speed, "virtual TLB, nothing else", ">= 0.9", speed >= 0.9)


def _copying(folder: Path) -> Figure:
    """Blocks that hold hardly anything but accesses which must be aligned."""
    program = _compiled(folder, "copying", "-O2")
    ours, unchecked = seconds(
        lambda: _play(program, _COPIES),
        lambda: _unchecked(program, _COPIES),
        rounds=5,
        clock=process_time,
    )
    return Figure("aligned copies", f"{ours:.2f} s", unchecked / ours, "alignment not checked")


def _play(program: Path, argument: str) -> None:
    with Program() as process:
        process.load(
            Executable(program.name, Bytes(program.read_bytes())), [b"x", argument.encode()]
        )
        process.play()


def _unchecked(program: Path, argument: str) -> None:
    with patch.object(minding, "aligned_accesses", lambda *_: []):
        _play(program, argument)


def _bare(program: Path, argument: str) -> None:
    """The same engine in the same mode, with no hook on blocks."""
    with _no_block_hook():
        _unchecked(program, argument)


@contextmanager
def _no_block_hook() -> Iterator[None]:
    hook, nowhere = Engine.hook, (c_uint64 * 16)()

    def others(self: Engine, kind: Hook, *arguments: object, **named: object) -> c_size_t:
        if kind is Hook.BLOCK:
            return c_size_t(addressof(nowhere))
        return hook(self, kind, *arguments, **named)  # type: ignore[arg-type]

    with patch.object(Engine, "hook", others):
        yield
