"""Real programs that go back: stopped at any place, they go on as the first time."""

from __future__ import annotations

from pathlib import Path

import pytest
from compiled import ENVIRONMENT, SOURCES, compiled

from emu.errors import BudgetSpent, SnapshotError
from emu.launch import launch
from emu.process.program import Ended, Program
from emu.process.stop import Stop
from syscalls.host_stream import HostStream, Replayed
from syscalls.world import Capture, World
from tests.digest import digest

TEXT = SOURCES / "library.c"
GIVEN = b"one\ntwo\n"


def _program(path: Path, **world: object) -> Program:
    streams = {"stdin": Capture(GIVEN), "stdout": Capture(), "stderr": Capture()}
    return launch(
        str(path), [str(TEXT), "37", "two words", ""], environment=ENVIRONMENT,
        world=World(root=Path("/"), **{**streams, **world}),  # type: ignore[arg-type]
    )  # fmt: skip


def _seen(program: Program, ended: Ended) -> object:
    kernel = program.kernel
    death = str(ended.death) if ended.death else None
    return (
        ended.exit_status, ended.instructions, ended.signal, death, kernel.output(1),
        kernel.output(2), list(kernel.calls), dict(kernel.missing),
    )  # fmt: skip


@pytest.mark.parametrize("way", ["glibc, static", "glibc, dynamic pie", "musl, static"])
@pytest.mark.parametrize("name", ["library", "faults", "signals", "probes"])
def test_a_program_goes_on_from_anywhere_as_the_first_time(
    name: str, way: str, tmp_path: Path
) -> None:
    path = compiled(name, way, tmp_path)
    with _program(path) as whole:
        expected = _seen(whole, whole.play())
        count = whole.cpu.counter.count
    with _program(path) as program:
        snapshots = [(program.snapshot(), digest(program))]
        for part in range(1, 5):
            left = count * part // 5 - program.cpu.counter.count
            assert program.run(program.cpu.get("rip"), left) is Stop.BUDGET
            snapshots.append((program.snapshot(), digest(program)))
        for number in (4, 2, 0, 3, 3, 1):
            snapshot, state = snapshots[number]
            program.restore(snapshot)
            assert digest(program) == state
            assert _seen(program, program.play()) == expected


def test_a_program_that_spent_its_budget_may_be_given_more(tmp_path: Path) -> None:
    path = compiled("library", "glibc, static", tmp_path)
    with _program(path) as program:
        program.budget = 100_000
        with pytest.raises(BudgetSpent):
            program.play()
        stopped = program.snapshot()
        program.budget = 1 << 40
        first = _seen(program, program.play())
        program.restore(stopped)
        assert _seen(program, program.play()) == first


class _Once:
    """A stream of the host's: each byte is there once."""

    host_fd = None

    def __init__(self) -> None:
        self.given, self.taken = GIVEN, b""

    def read(self, size: int) -> bytes:
        part, self.given = self.given[:size], self.given[size:]
        return part

    def write(self, data: bytes) -> int:
        self.taken += data
        return len(data)


def test_a_program_on_streams_of_the_host_is_heard_once_however_often_it_goes_back(
    tmp_path: Path,
) -> None:
    path = compiled("library", "glibc, static", tmp_path)
    with _program(path) as plain:
        expected = _seen(plain, plain.play())
        output, count = plain.kernel.output(1), plain.cpu.counter.count
    host = _Once()
    with _program(path, stdin=Replayed(host), stdout=Replayed(host)) as program:
        start = program.snapshot()
        for part in (3, 1, 2, 3):
            program.run(program.cpu.get("rip"), count * part // 4)
            program.restore(start)
        ended = program.play()
        assert (ended.exit_status, ended.instructions) == expected[:2]  # type: ignore[index]
        assert host.taken == output


def test_a_program_on_streams_of_the_host_itself_is_refused(tmp_path: Path) -> None:
    path = compiled("library", "glibc, static", tmp_path)
    with (
        _program(path, stdin=HostStream(0)) as program,
        pytest.raises(SnapshotError, match="cannot be taken back"),
    ):
        program.snapshot()
