"""The same calls on files, played by the host's Linux and by our kernel, in trees that are alike.

A call is a tuple: name and arguments. An argument is a number, or describes memory; see
file_calls.c. What both print is compared: the answer, and the bytes of every out-buffer.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from file_arguments import Bad, Edge, In, Out, Str, Vector
from paged_memory import PagedMemory
from planted_trees import pictured, replant

from syscalls import Kernel
from syscalls.call_names import NAMES
from syscalls.ending import Deadlock
from syscalls.region import READ_WRITE
from syscalls.world import World

PAGE = 4096
ARENA, ARENA_SIZE = 0x1000_0000, 1 << 22
EDGE_SIZE, EDGES = 16 * PAGE, 8
FIRST_EDGE, EDGE_STEP = 0x2000_0000, 0x10_0000
NOWHERE = 0x3000_0000
FILLED = 0xAA
EINTR = -4
NUMBERS = {name: number for number, name in NAMES.items()}


class Ours:
    """Our kernel, with the memory that file_calls.c has."""

    def __init__(self, root, writable=".", **world):
        inner = {".": root, "-": None}.get(writable, None if root is None else root / writable)
        self.kernel = Kernel(PagedMemory(), world=World(root=root, writable=inner, **world))
        self.kernel.context.files.capacity = 2048  # as the driver's, which has high descriptors
        space = self.kernel.space
        space.map(ARENA, ARENA_SIZE, READ_WRITE)
        for i in range(EDGES):
            space.map(FIRST_EDGE + i * EDGE_STEP, EDGE_SIZE, READ_WRITE)
        self._edge = 0
        self._next = ARENA
        self._spans = []

    def close(self):
        self.kernel.close()

    def play(self, calls):
        return [self.call(*call) for call in calls]

    def call(self, name, *args):
        """The answer as a signed number, and the bytes of the out-buffers."""
        self._next, self._spans = ARENA, []
        registers = [self._argument(arg) & (1 << 64) - 1 for arg in args]
        registers += [0] * (6 - len(registers))
        try:
            answer = self.kernel.call(NUMBERS[name], tuple(registers))
        except Deadlock:
            answer = EINTR & (1 << 64) - 1
        signed = answer - (1 << 64) if answer >> 63 else answer
        return signed, *(self.kernel.space.memory.read(*span) for span in self._spans)

    def _argument(self, arg):
        if isinstance(arg, int):
            return arg
        return self._vector(arg) if isinstance(arg, Vector) else self._memory(arg)

    def _vector(self, vector):
        at = self._take(1100 * 16)
        self.kernel.space.memory.write(at, bytes(1100 * 16))
        for i, part in enumerate(vector.parts):
            size = len(part.data) if isinstance(part, In) else part.size
            base = self._memory(part)
            pair = base.to_bytes(8, "little") + size.to_bytes(8, "little")
            self.kernel.space.memory.write(at + 16 * i, pair)
        return at

    def _memory(self, arg):
        if isinstance(arg, Bad):
            return NOWHERE
        if isinstance(arg, Edge):
            at = FIRST_EDGE + self._edge % EDGES * EDGE_STEP + EDGE_SIZE - arg.size
            self._edge += 1
            return self._out(at, arg.size)
        if isinstance(arg, Out):
            return self._out(self._take(arg.size), arg.size)
        data = arg.text if isinstance(arg, Str) else arg.data
        at = self._take(len(data) + 1)
        self.kernel.space.memory.write(at, data + b"\0")
        return at

    def _out(self, at, size):
        self.kernel.space.memory.write(at, bytes([FILLED]) * size)
        self._spans.append((at, size))
        return at

    def _take(self, size):
        at = self._next
        self._next += (size + 15) & ~15
        return at


class Linux:
    """The host's kernel, below a folder."""

    def __init__(self, program, root, writable="."):
        self._command = [program, root, writable]

    def play(self, calls):
        """As Ours.play."""
        lines = [" ".join(map(str, (NUMBERS[name], *args))) for name, *args in calls]
        done = subprocess.run(
            self._command, input="\n".join(lines) + "\n", text=True, capture_output=True,
            check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        answers = [line.split(" ") for line in done.stdout.splitlines()]
        return [(int(first), *map(bytes.fromhex, rest)) for first, *rest in answers]


def build(folder):
    """The player of file_calls.c."""
    made = folder / "file_calls"
    source = Path(__file__).parent / "file_calls.c"
    subprocess.run(["gcc", "-O1", "-static", "-o", made, source], check=True)
    return made


_MASKED = {
    "stat": ((0, 16), (72, 120)),
    "statx": ((0, 4), (8, 16), (32, 40), (56, 128), (136, 256)),
}
"""What of a structure is not compared: device and inode numbers, times, what a filesystem adds."""
_MASKED |= dict.fromkeys(("lstat", "fstat", "newfstatat"), _MASKED["stat"])


def comparable(call, answer):
    """An answer without what may differ; after EFAULT, what was stored before it does not count."""
    number, *buffers = answer
    if number == -14:
        return (number,)
    return number, *(_masked(data, _MASKED.get(call[0], ())) for data in buffers)


def _masked(data, spans):
    found = bytearray(data)
    for start, end in spans:
        found[start:end] = bytes(end - start)
    return bytes(found)


class Both:
    """Two trees, planted alike, and a kernel for each."""

    def __init__(self, program, folder):
        self._program, self._folder = program, folder

    def play(self, calls, writable="."):
        """What each answered, with the calls, and what became of the trees."""
        theirs, mine = (replant(self._folder / name) for name in ("linux", "ours"))
        linux = Linux(self._program, theirs, writable).play(calls)
        ours = Ours(mine, writable)
        try:
            answers = ours.play(calls)
        finally:
            ours.close()
        return (
            [(call, comparable(call, answer)) for call, answer in zip(calls, linux, strict=True)],
            [(call, comparable(call, answer)) for call, answer in zip(calls, answers, strict=True)],
            pictured(theirs),
            pictured(mine),
        )

    def assert_alike(self, calls, writable="."):
        linux, ours, theirs, mine = self.play(calls, writable)
        unlike = [
            f"{call}: Linux {answer}, we {other}"
            for (call, answer), (_, other) in zip(linux, ours, strict=True)
            if answer != other
        ]
        unlike += [
            f"{name}: {theirs.get(name)} there, {mine.get(name)} here"
            for name in theirs.keys() | mine.keys()
            if theirs.get(name) != mine.get(name)
        ]
        assert not unlike, "\n".join(unlike[:9])


def entries(size, data):
    """Names and types from struct linux_dirent64."""
    return [(rest[1:].split(b"\0")[0], rest[0]) for rest in _entries(size, data)]


def old_entries(size, data):
    """The same from struct linux_dirent, whose last byte is the type."""
    return [(rest.split(b"\0")[0], rest[-1]) for rest in _entries(size, data)]


def _entries(size, data):
    """What follows the inode number, the offset and the length of each."""
    at = 0
    while at < size:
        length = int.from_bytes(data[at + 16 : at + 18], "little")
        yield data[at + 18 : at + length]
        at += length
