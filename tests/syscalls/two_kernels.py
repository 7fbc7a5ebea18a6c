"""Sequences of system calls on our kernel and on the host's, in memory laid out alike.

A call is a tuple: its name, its arguments, and at the end, maybe, a dictionary of bytes to be
stored by address before it. An answer is a line: the result, and which bytes of memory changed.
"""

from __future__ import annotations

import os
import subprocess
from functools import cache
from itertools import takewhile, zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from paged_memory import PagedMemory

from syscalls import Kernel
from syscalls.call_names import NAMES
from syscalls.credentials import CONTAINER
from syscalls.ending import Deadlock
from syscalls.identity import PID
from syscalls.region import READ_WRITE, Rights

PAGE = 4096
ARENA, PAGES, FILL = 0x1000_0000_0000, 7, 0xA5
HOLE, RW, END, RO, NONE, LAST = (ARENA + page * PAGE for page in (0, 1, 3, 4, 5, 6))
"""A hole; two pages to read and write, and where they end, at a hole; a page to read; one that
allows nothing; and a page to read and write."""
WHERE = {RW: READ_WRITE, RW + PAGE: READ_WRITE, LAST: READ_WRITE,
         RO: Rights(read=True, write=False, execute=False),
         NONE: Rights(read=False, write=False, execute=False)}  # fmt: skip
BAD = {
    "null": 0, "hole": HOLE, "read-only": RO, "no rights": NONE, "straddling": END - 4,
    "last of user": (1 << 47) - 8, "non-canonical": 1 << 47, "kernel": -8,
}  # fmt: skip
"""Where nothing of 8 bytes can be stored; but read, where it is read-only."""
NUMBERS = {name: number for number, name in NAMES.items()}
WORD = (1 << 64) - 1
_EFAULT = "-14"


def _held():
    """Capabilities of our root that root has on this host too: those that both processes get."""
    status = Path("/proc/self/status").read_text()
    return CONTAINER & int(status.partition("CapPrm:")[2].split()[0], 16)


HELD = _held()
SOURCE = Path(__file__).parent / "process_calls.c"
_FLAGS = (
    "-O1 -static -nostdlib -ffreestanding -fno-stack-protector -fno-tree-loop-distribute-patterns"
).split()


class Own(int):
    """The pid of the process that makes the calls."""


OWN = Own(PID)


_FOLDER = TemporaryDirectory()


@cache
def _driver():
    made = Path(_FOLDER.name) / "process_calls"
    subprocess.run(["gcc", *_FLAGS, "-o", made, SOURCE], check=True)
    return made


def assert_same(sequences):
    """Both kernels answer alike, call by call."""
    sequences = list(sequences)
    for sequence, expected in zip(sequences, theirs(sequences), strict=True):
        mine = ours(sequence)
        for call, one, other in zip_longest(sequence, mine, expected):
            assert one == other, f"{call} after {sequence[: sequence.index(call)]}"


def assert_same_kind(sequences):
    """Both kernels fail alike, or both succeed with whatever is a fact about the machine."""
    sequences = list(sequences)
    for sequence, expected in zip(sequences, theirs(sequences), strict=True):
        mine = ours(sequence)
        for call, one, other in zip_longest(sequence, mine, expected):
            assert kind(one) == kind(other), f"{call} after {sequence[: sequence.index(call)]}"


def kind(answer):
    """The errno of an answer, or that there is none."""
    result = answer.split()[0]
    return result if result.startswith("-") or result == "never" else "well"


def theirs(sequences):
    """The answers of the host's kernel; each sequence is made in a process of its own."""
    if os.geteuid():
        pytest.skip("the host's kernel answers as ours only to root")
    done = subprocess.run(
        [_driver(), str(HELD)], input="".join(map(_spelled, sequences)), capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    lines = iter(done.stdout.splitlines())
    return [[_without_torn(line) for line in takewhile(lambda line: line != "end", lines)]
            for _ in sequences]  # fmt: skip


def ours(sequence):
    """The answers of our kernel."""
    kernel = new_kernel()
    memory = kernel.space.memory
    lines = []
    for call in sequence:
        name, args, stored = parted(call)
        for address, data in stored.items():
            memory.write(address, data)
        before = memory.read(ARENA, PAGES * PAGE)
        try:
            answer = kernel.call(NUMBERS[name], tuple(int(arg) & WORD for arg in args))
        except Deadlock:
            return [*lines, "never"]
        result = "pid" if answer == PID else str(answer - (answer >> 63 << 64))
        lines.append(_without_torn(result + _changes(before, memory.read(ARENA, PAGES * PAGE))))
    return lines


def new_kernel():
    """A kernel whose process has the arena."""
    kernel = Kernel(Arena())
    credentials = kernel.context.task.credentials
    credentials.effective = credentials.permitted = credentials.bounding = HELD
    for page, rights in WHERE.items():
        kernel.space.map(page, PAGE, rights)
    kernel.space.memory.write(ARENA, bytes([FILL]) * PAGES * PAGE)
    return kernel


class Arena(PagedMemory):
    """The memory: nothing but the arena is touched."""

    def read(self, address, size):
        assert ARENA <= address <= address + size <= ARENA + PAGES * PAGE
        return super().read(address, size)

    def write(self, address, data):
        assert ARENA <= address <= address + len(data) <= ARENA + PAGES * PAGE
        super().write(address, data)


def parted(call):
    """name, six arguments, what is stored before."""
    name, *args = call
    stored = args.pop() if args and isinstance(args[-1], dict) else {}
    return name, (*args, *(0,) * (6 - len(args))), stored


def _spelled(sequence):
    return "".join(map(_line, sequence)) + "\n"


def _line(call):
    name, args, stored = parted(call)
    words = ["p" if isinstance(arg, Own) else str(int(arg)) for arg in args]
    stores = [f"{address}={data.hex()}" for address, data in stored.items()]
    return " ".join([str(NUMBERS[name]), *words, *stores]) + "\n"


def _changes(before, after):
    """Runs of changed bytes as the driver prints them."""
    text, running = "", False
    for offset, (old, new) in enumerate(zip(before, after, strict=True)):
        if old != new:
            text += ("" if running else f" {offset}:") + f"{new:02x}"
        running = old != new
    return text


def _without_torn(line):
    """Linux stores what it can of a structure before EFAULT, where ours stores nothing of it."""
    return _EFAULT if line.split()[0] == _EFAULT else line
