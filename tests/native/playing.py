"""Scripts played on the host by driver.c, and what strace saw of its system calls."""

from __future__ import annotations

import re
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

from emu.view.places import Places
from syscalls import SystemCall
from syscalls.table import BY_NAME
from tests.native.scripts import Answer, Script

_CALL = re.compile(r"\w+ +(\w+)\((.*)\) += (\S+)(?: (\w+) .*)?$")


def assert_same(played: Script, driver: Path) -> None:
    answers = list(natively(played.lines, driver))
    for number, (ours, linux) in enumerate(zip(played.answers, answers, strict=True)):
        assert ours == linux, f"call {number}"


def natively(lines: list[str], driver: Path) -> Iterator[Answer]:
    """What the driver says of each call, and strace of what it asked Linux for."""
    trace = driver.parent / "trace"
    strace = ["strace", "-f", "-e", "trace=brk,mmap,munmap,getppid", "-e", "raw=all", "-o", trace]
    done = subprocess.run(
        [*strace, driver],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    start, *told = done.stdout.splitlines()
    places = Places(int(start, 16))
    for line, calls in zip(told, _between_marks(trace.read_text()), strict=True):
        named = tuple(map(places.learn, calls))
        result, errno, kept, *blocks = line.split()
        yield Answer(
            places.pointer(int(result, 16)),
            int(errno),
            int(kept, 16),
            named,
            tuple(_block(block, places) for block in blocks),
        )


def _block(text: str, places: Places):
    address, size, status, before, behind = text.split(":")
    place = [places.pointer(int(word, 16)) for word in (address, before, behind)]
    return place[0], int(size, 16), int(status), place[1], place[2]


def _between_marks(trace: str) -> Iterator[list[SystemCall]]:
    """The system calls between each getppid and the next but one."""
    inside: list[SystemCall] | None = None
    for line in trace.splitlines():
        match = _CALL.match(line)
        if match and match[1] != "getppid":
            if inside is not None:
                inside.append(_call(*match.groups()))
        elif match and inside is None:
            inside = []
        elif match:
            yield inside or []
            inside = None


def _call(name: str, args: str, result: str, errno: str | None) -> SystemCall:
    """A raw line of strace as our kernel would record it."""
    row = BY_NAME[name]
    registers = tuple(int(arg, 16) for arg in args.split(", "))
    decoded = row.decode(struct.pack("<6Q", *registers, *(0,) * (6 - len(registers))))
    return SystemCall(row.number, name, tuple(decoded), -1 if errno else int(result, 16), errno)
