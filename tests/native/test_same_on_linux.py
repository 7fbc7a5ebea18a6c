"""Random calls on the host's processor and kernel, through the files of `emu build`.

Results, os_errno, contents, blocks and system calls are those of the emulator, call by call; also
while Linux refuses memory.
"""

from __future__ import annotations

import re
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from building import HERE, build, link
from scripts import Answer, Script, script

from emu import allocators
from emu.view.places import Places
from syscalls import SystemCall
from syscalls.table import BY_NAME

CALLS = 400
LINKED = {
    "a shared library": ("libosmem.so", ()),
    "an object, in a program at a fixed place": ("osmem.o", ("-static", "-no-pie")),
    "an object, in a program that can be anywhere": ("osmem.o", ("-static-pie",)),
}
_CALL = re.compile(r"\w+ +(\w+)\((.*)\) += (\S+)(?: (\w+) .*)?$")


@pytest.fixture(scope="module", params=LINKED)
def driver(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    name, options = LINKED[request.param]
    library = build(tmp_path_factory.mktemp("native"), name)
    return link(HERE / "driver.c", library, *options)


@pytest.mark.parametrize("seed", range(2))
def test_every_call_is_answered_as_in_the_emulator(driver: Path, seed: int) -> None:
    played = script(seed, CALLS)
    assert_same(played, driver)
    refused = [call for answer in played.answers for call in answer.syscalls if call.errno]
    assert {call.name for call in refused} == {"mmap"}
    assert any(brk_refused(answer) for answer in played.answers)


@pytest.mark.parametrize("allocator", allocators.SHIPPED)
def test_every_shipped_allocator_does_the_same_in_both_worlds(
    allocator: str, tmp_path: Path
) -> None:
    library = build(tmp_path, "libosmem.so", allocator)
    assert_same(script(7, CALLS, allocator), link(HERE / "driver.c", library))


def test_another_allocator_is_told_apart(driver: Path) -> None:
    """The comparison is proven on a difference of one byte in one call."""
    played = script(3, 30)
    at, line = next((n, line) for n, line in enumerate(played.lines) if line.startswith("m 1"))
    played.lines[at] = f"m {int(line[2:]) + 8}"
    with pytest.raises(AssertionError):
        assert_same(played, driver)


def assert_same(played: Script, driver: Path) -> None:
    answers = list(natively(played.lines, driver))
    for number, (ours, linux) in enumerate(zip(played.answers, answers, strict=True)):
        assert ours == linux, f"call {number}"


def brk_refused(answer: Answer) -> bool:
    """Linux answers with the old break."""
    return any(
        call.name == "brk" and call.args[0] not in (0, call.result) for call in answer.syscalls
    )


# The host's side


def natively(lines: list[str], driver: Path) -> Iterator[Answer]:
    """What the driver says of each call, and strace of what it asked Linux for."""
    trace = driver.parent / "trace"
    strace = ["strace", "-f", "-e", "trace=brk,mmap,munmap,getppid", "-e", "raw=all", "-o", trace]
    done = subprocess.run(
        [*strace, driver], input="\n".join(lines), capture_output=True, text=True, check=True
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
