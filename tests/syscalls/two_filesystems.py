"""The same calls on files, played by the host's Linux and by our kernel, in trees that are alike.

A call is a tuple: number and arguments. An argument is a number, or describes memory; see
file_calls.c. What both print is compared: the answer, and the bytes of every out-buffer.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from syscalls import Kernel
from syscalls.call import Deadlock
from syscalls.region import READ_WRITE
from syscalls.world import World

PAGE = 4096
ARENA, ARENA_SIZE = 0x1000_0000, 1 << 22
EDGE_SIZE, EDGES = 16 * PAGE, 8
FIRST_EDGE, EDGE_STEP = 0x2000_0000, 0x10_0000
NOWHERE = 0x3000_0000
FILLED = 0xAA
EINTR = -4


@dataclass(frozen=True)
class Str:
    text: bytes

    def __str__(self):
        return f"s:{self.text.hex()}"


@dataclass(frozen=True)
class In:
    data: bytes

    def __str__(self):
        return f"b:{self.data.hex()}"


@dataclass(frozen=True)
class Out:
    size: int

    def __str__(self):
        return f"o:{self.size}"


@dataclass(frozen=True)
class Edge(Out):
    """Right before a page that is not mapped."""

    def __str__(self):
        return f"e:{self.size}"


@dataclass(frozen=True)
class Bad:
    """Where nothing is mapped; in a vector, of a size."""

    size: int = 0

    def __str__(self):
        return f"x:{self.size}"


@dataclass(frozen=True)
class Vector:
    parts: tuple

    def __str__(self):
        return "v:" + ";".join(map(str, self.parts))


BAD = Bad()


def s(text):
    """A string in the guest's memory."""
    return Str(text if isinstance(text, bytes) else text.encode())


class Bytes:
    """Memory as a dictionary of pages."""

    def __init__(self):
        self.pages = {}

    def read(self, address, size):
        found = bytearray()
        while size:
            offset = address % PAGE
            part = min(size, PAGE - offset)
            page = self.pages.get(address - offset, bytes(PAGE))
            found += page[offset : offset + part]
            address, size = address + part, size - part
        return bytes(found)

    def write(self, address, data):
        while data:
            offset = address % PAGE
            part = data[: PAGE - offset]
            page = self.pages.setdefault(address - offset, bytearray(PAGE))
            page[offset : offset + len(part)] = part
            address, data = address + len(part), data[len(part) :]

    def discard(self, start, end):
        for page in range(start, end, PAGE):
            self.pages.pop(page, None)

    def rights_changed(self, start, end):
        pass


class Ours:
    """Our kernel, with the memory that file_calls.c has."""

    def __init__(self, root, writable=".", **world):
        inner = {".": root, "-": None}.get(writable, None if root is None else root / writable)
        self.kernel = Kernel(Bytes(), world=World(root=root, writable=inner, **world))
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

    def call(self, number, *args):
        """The answer as a signed number, and the bytes of the out-buffers."""
        self._next, self._spans = ARENA, []
        registers = [self._argument(arg) & (1 << 64) - 1 for arg in args]
        registers += [0] * (6 - len(registers))
        try:
            answer = self.kernel.call(number, tuple(registers))
        except Deadlock:
            answer = EINTR
        signed = answer - (1 << 64) if answer >> 63 else answer
        return signed, *(self.kernel.space.memory.read(*span) for span in self._spans)

    def _argument(self, arg):
        if isinstance(arg, int):
            return arg
        return self._vector(arg) if isinstance(arg, Vector) else self._memory(arg)

    def _vector(self, vector):
        at = self._take(1100 * 16)
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
        lines = [" ".join(map(str, call)) for call in calls]
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


def plant(root):
    """A tree with some of everything; dev, proc and sys are there for ours to lie on."""
    for name in ("dev", "proc", "sys", "a", "a/b", "a/b/c", "empty", "w", "w/sub", "tmp"):
        (root / name).mkdir(parents=True)
    for name, text in (
        ("file", "hello, world\n"), ("a/b/deep", "deep"), ("w/old", "old text\n"), ("w/sub/x", "x"),
        ("nothing", ""), ("large", "0123456789abcdef" * 4096), ("run", "#!/bin/sh\n"),
    ):  # fmt: skip
        (root / name).write_text(text)
        (root / name).chmod(0o755 if name == "run" else 0o644)
    for name, target in (
        ("link", "file"), ("absolute", "/a/b"), ("up", "../../../../file"), ("dangling", "nowhere"),
        ("loop", "loop"), ("ping", "pong"), ("pong", "ping"), ("self", "."), ("a/back", ".."),
        ("slash", "a/b/"), ("fileslash", "file/"), ("w/out", "/file"), ("w/new", "made"),
        ("rooted", "/"),
    ):  # fmt: skip
        os.symlink(target, root / name)
    previous = root / "link"
    for i in range(45):
        os.symlink(previous.name, root / f"chain{i}")
        previous = root / f"chain{i}"


def replant(root):
    """Fresh, where something may have been."""
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    plant(root)
    return root


def pictured(root):
    """Every name below a folder, with what can be compared of it."""
    found = {}
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = os.path.join(folder, name)
            stat = os.lstat(path)
            kind = stat.st_mode & 0o170000
            said = None
            if kind == 0o120000:
                said = os.readlink(path)
            elif kind == 0o100000:
                said = Path(path).read_bytes()
            found[os.path.relpath(path, root)] = (oct(stat.st_mode), stat.st_nlink, said)
    return found
