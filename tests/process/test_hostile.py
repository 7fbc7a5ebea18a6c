"""Hostile guests: every system call with anything for arguments. An answer, or an end; no more."""

from __future__ import annotations

import os
import time
from pathlib import Path
from random import Random

import guests
import pytest

from emu.errors import GuestDied
from emu.process.process import Process
from syscalls import Limits
from syscalls.world import World

_CALL = """
f:      mov     rax, rdi
        mov     rbx, rsi
        mov     rdi, [rbx]
        mov     rsi, [rbx + 8]
        mov     rdx, [rbx + 16]
        mov     r10, [rbx + 24]
        mov     r8, [rbx + 32]
        mov     r9, [rbx + 40]
        syscall
        ret
        .data
        .p2align 12
args:   .zero   4096
room:   .zero   8192
"""
_CALLS_A_PROCESS = 60
_PROCESSES = 300
_OPENED = (0o0, 0o2, 0o101, 0o102, 0o1101, 0o2000000, 0o200000)


class _Hostile:
    """Chooses system calls and arguments, sensible ones among them so that it gets somewhere."""

    def __init__(self, random: Random, process: Process) -> None:
        self.random = random
        self.room = process.image.symbols["room"]
        read_only = 0x10_0000
        self.addresses = [
            0, 1, self.room, self.room + 1, self.room + 4090, self.room + 8190, self.room + 8192,
            process.image.symbols["f"], read_only, 1 << 47, (1 << 47) - 4096, (1 << 47) - 1,
            (1 << 64) - 1, (1 << 64) - 4096, 1 << 63, process.kernel.space.brk,
            0x7FFF_FFFF_E000, 0x7FFF_F000_0000,
        ]  # fmt: skip

    def number(self) -> int:
        if self.random.random() < 0.02:
            return self.random.getrandbits(64)
        return self.random.randrange(501)

    def argument(self) -> int:
        kind = self.random.randrange(8)
        if kind < 3:
            return self.random.choice(self.addresses)
        if kind == 3:
            return self.random.choice((-1, -2, -100, 1 << 31, 1 << 32, (1 << 31) - 1)) % (1 << 64)
        if kind == 4:
            return self.random.getrandbits(self.random.choice((3, 8, 12, 16, 32, 64)))
        if kind == 5:
            return 4096 * self.random.randrange(5)
        return self.random.randrange(10)

    def bytes(self) -> bytes:
        """What lies in memory: paths, structures of small and of wild words."""
        kind = self.random.randrange(4)
        if kind == 0:
            return self.random.choice((
                b"/secret\0", b"../../secret\0", b"/link/secret\0", b"w/x\0", b"/w/../../out\0",
                b"/proc/self/root/secret\0", b"/proc/self/cwd/../..\0", b"/proc/self/fd/0\0",
                b"/dev/../../secret\0", b"\0", b".\0", b"/\0", b"a" * 300 + b"\0",
                b"/w/" + b"n" * 255 + b"\0",
            ))  # fmt: skip
        if kind == 1:
            words = (self.argument() for _ in range(12))
            return b"".join(word.to_bytes(8, "little") for word in words)
        return self.random.randbytes(64) if kind == 2 else bytes(64)


@pytest.fixture
def worlds(tmp_path: Path) -> tuple[Path, Path]:
    """A root with a writable folder, and beside it what nobody may touch."""
    root = tmp_path / "root"
    (root / "w").mkdir(parents=True)
    (root / "file").write_text("seen")
    (tmp_path / "secret").write_text("hidden")
    os.symlink("/", root / "link")
    os.symlink("../../..", root / "w" / "up")
    os.symlink(tmp_path / "secret", root / "w" / "secret")
    return root, tmp_path / "secret"


def _listing(folder: Path, but: Path) -> list[tuple[str, int, int]]:
    found = []
    for path in sorted(folder.rglob("*")):
        if but != path and but not in path.parents:
            status = path.lstat()
            found.append((str(path), status.st_mtime_ns, status.st_size))
    return found


def test_whatever_a_guest_asks_it_is_answered_and_nothing_outside_is_touched(
    worlds: tuple[Path, Path], tmp_path: Path
) -> None:
    root, secret = worlds
    before = _listing(tmp_path, root / "w")
    random = Random(20_26)
    answered = died = 0
    longest = 0.0
    for _ in range(_PROCESSES):
        world = World(root=root, writable=root / "w", most_output=1 << 20, most_files=64)
        limits = Limits(touched=64 << 20)
        with Process(guests.image(_CALL), limits=limits, budget=100_000, world=world) as process:
            hostile = _Hostile(random, process)
            for _ in range(_CALLS_A_PROCESS):
                begun = time.perf_counter()
                try:
                    answered += _one(hostile, process)
                except GuestDied:
                    died += 1
                    break
                finally:
                    longest = max(longest, time.perf_counter() - begun)
    assert answered > _PROCESSES * 5
    assert died
    assert longest < 20, "a system call took as long as that"
    assert secret.read_text() == "hidden"
    assert _listing(tmp_path, root / "w") == before


def _one(hostile: _Hostile, process: Process) -> int:
    image = process.image.symbols
    data = b"".join(hostile.argument().to_bytes(8, "little") for _ in range(6))
    process.memory.write(image["args"], data)
    process.memory.write(image["room"] + 8 * hostile.random.randrange(500), hostile.bytes())
    result = process.call("f", hostile.number(), image["args"]).result
    assert 0 <= result < 1 << 64
    return 1
