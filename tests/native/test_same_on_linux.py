"""Random calls on the host's processor and kernel, through the files of `emu build`.

Results, os_errno, contents, blocks and system calls are those of the emulator, call by call; also
while Linux refuses memory.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from emu import allocators
from tests.native.building import HERE, build, link
from tests.native.playing import assert_same
from tests.native.scripts import Answer, Script, script

CALLS = 400
LINKED = {
    "a shared library": ("libosmem.so", ()),
    "an object, in a program at a fixed place": ("osmem.o", ("-static", "-no-pie")),
    "an object, in a program that can be anywhere": ("osmem.o", ("-static-pie",)),
}


@pytest.fixture(scope="module", params=LINKED)
def driver(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    name, options = LINKED[request.param]
    library = build(tmp_path_factory.mktemp("native"), name)
    return link(HERE / "driver.c", library, *options)


def test_every_call_is_answered_as_in_the_emulator(driver: Path) -> None:
    scripts = [script(seed, CALLS) for seed in range(3)]
    for played in scripts:
        assert_same(played, driver)
    answers = [answer for played in scripts for answer in played.answers]
    refused = {call.name for answer in answers for call in answer.syscalls if call.errno}
    assert refused == {"mmap"}
    assert any(map(brk_refused, answers))
    assert any(map(grown_in_place, scripts))


@pytest.mark.parametrize("allocator", allocators.SHIPPED)
def test_every_shipped_allocator_does_the_same_in_both_worlds(
    allocator: str, tmp_path: Path
) -> None:
    library = build(tmp_path, "libosmem.so", allocator)
    assert_same(script(7, CALLS, allocator), link(HERE / "driver.c", library))


def test_another_allocator_is_told_apart(driver: Path) -> None:
    """The comparison is proven on a difference of one byte in one call."""
    played = script(2, 30)
    at, line = next((n, line) for n, line in enumerate(played.lines) if line.startswith("m 1"))
    played.lines[at] = f"m {int(line[2:]) + 8}"
    with pytest.raises(AssertionError):
        assert_same(played, driver)


def grown_in_place(played: Script) -> bool:
    """Whether the heap's last block was made larger where it is."""
    lines = [line.split() for line in played.lines if line[0] != "l"]
    return any(
        line[0] == "r"
        and any(call.name == "brk" for call in answer.syscalls)
        and answer.result == played.answers[int(line[1])].result
        for line, answer in zip(lines, played.answers, strict=True)
    )


def brk_refused(answer: Answer) -> bool:
    """Linux answers with the old break."""
    return any(
        call.name == "brk" and call.args[0] not in (0, call.result) for call in answer.syscalls
    )
