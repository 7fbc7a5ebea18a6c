"""System calls laid out by a test, played on the host under its strace; and on our printer.

A call is (name, *arguments). An argument is a number, or what a pointer shall point to:

    b"text\\0"              these bytes
    [1, b"text", 4]        words of 64 bits, pointers where there are bytes
    AtEnd(b"text")         bytes behind which nothing is mapped

With `answer` no call is really made: strace makes each of them answer that number, or that errno.
"""

from __future__ import annotations

import re
import struct
import subprocess
from dataclasses import dataclass
from errno import errorcode
from pathlib import Path

from syscalls.call_names import NAMES

ARENA, ARENA_SIZE = 0x1000_0000, 8192
_MAGIC = struct.pack("<Q", 0x5CA1_AB1E_0DDB_A11)
_RECORD = 8 + ARENA_SIZE
_NUMBERS = {name: number for number, name in NAMES.items()}
_MARK = re.compile(r"syscall_0x1000\((0x[0-9a-f]+|0),")


@dataclass(frozen=True)
class AtEnd:
    """Bytes behind which nothing is mapped."""

    data: bytes


@dataclass(frozen=True)
class Laid:
    """A call with its arguments as numbers, and the arena that they point into."""

    number: int
    args: tuple[int, ...]
    arena: dict[int, bytes]

    def memory(self) -> bytes:
        whole = bytearray(ARENA_SIZE)
        for offset, data in self.arena.items():
            whole[offset : offset + len(data)] = data
        return bytes(whole)


def laid(name, *args):
    """Puts what the arguments point to into an arena, one behind the other."""
    arena = {}
    place = 0

    def put(what):
        nonlocal place
        if isinstance(what, int):
            return what % (1 << 64)
        if isinstance(what, AtEnd):
            arena[ARENA_SIZE - len(what.data)] = what.data
            return ARENA + ARENA_SIZE - len(what.data)
        data = b"".join(struct.pack("<Q", put(w)) for w in what) if isinstance(what, list) else what
        at, place = place, (place + len(data) + 64) & -16
        arena[at] = data
        return ARENA + at

    words = tuple(put(arg) for arg in (*args, *(0,) * (6 - len(args))))
    return Laid(_NUMBERS[name] if isinstance(name, str) else name, words, arena)


class Player:
    """The compiled player, and runs of it under strace."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        compiled = folder / "player"
        subprocess.run(
            ["gcc", "-O1", "-static", "-nostdlib", "-fno-stack-protector", "-fno-builtin",
             "-Wl,--section-start=.arena=0x10000000,-z,noseparate-code",
             "-o", compiled, Path(__file__).with_name("player.c")],
            check=True,
        )  # fmt: skip
        self._code = compiled.read_bytes()

    def lines(self, calls, answer=None, options=()):
        """What strace printed for each call: a list of lines a call."""
        return self._play(calls, answer, options)[0]

    def lines_and_records(self, calls, options=()):
        """The lines, and for each call its answer and what the arena held after it."""
        lines, output = self._play(calls, None, options)
        records = [output[at : at + _RECORD] for at in range(0, len(output), _RECORD)]
        return lines, [(int.from_bytes(r[:8], "little"), r[8:]) for r in records]

    def _play(self, calls, answer, options):
        program, log = self.folder / "played", self.folder / "log"
        program.write_bytes(self._with(_script(calls, real=answer is None)))
        program.chmod(0o755)
        done = subprocess.run(
            ["setarch", "-R", "strace", "-o", log, *options, *_injected(answer), program],
            cwd=self.folder, capture_output=True, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        return _by_call(log.read_text(errors="surrogateescape"), len(calls)), done.stdout

    def _with(self, script):
        at = self._code.index(_MAGIC)
        return self._code[:at] + script + self._code[at + len(script) :]


def _script(calls, *, real):
    parts = [struct.pack("<2Q", len(calls), real)]
    for call in calls:
        parts.append(struct.pack("<8Q", call.number, *call.args, len(call.arena)))
        for offset, data in call.arena.items():
            parts.append(struct.pack("<2Q", offset, len(data)) + data + bytes(-len(data) % 8))
    return b"".join(parts)


def _injected(answer):
    if answer is None:
        return []
    what = f"error={errorcode.get(-answer, -answer)}" if answer < 0 else f"retval={answer}"
    return ["-e", f"inject=!execve:{what}"]


def _by_call(log, count):
    """The lines between one mark and the next."""
    by_call = [[] for _ in range(count + 1)]
    current = []
    for line in log.splitlines():
        if mark := _MARK.match(line):
            current = by_call[int(mark[1], 16)]
        else:
            current.append(line.removesuffix(" (INJECTED)"))
    return by_call[:count]
