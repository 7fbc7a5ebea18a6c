"""What emu trace looks at: a scenario, a program, or a trace that was saved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from emu.commands.program import DIED, launched, report, report_death
from emu.errors import GuestDied, InputError

if TYPE_CHECKING:
    from emu.allocators import Choice
    from emu.process.program import Program
    from emu.report.trace_view import Traced

SAVED = ".npz"
_STDERR = 2


@dataclass(frozen=True)
class Input:
    """A trace, and the exit status that what it is of ends with."""

    traced: Traced
    status: int


def of_file(
    file: str, allocator: Choice, budget: int | None, *, accesses: bool, registers: bool
) -> Input:
    """Of a scenario that is run now, or of a trace that was saved."""
    if file.endswith(SAVED):
        return _saved(file)
    return _scenario(file, allocator, budget, accesses=accesses, registers=registers)


def _saved(file: str) -> Input:
    from emu.explain.names import Names
    from emu.report.trace_view import Traced
    from emu.trace.store import load

    trace = load(file)
    return Input(Traced(file, trace, Names(trace)), 0)


def _scenario(
    file: str, allocator: Choice, budget: int | None, *, accesses: bool, registers: bool
) -> Input:
    from emu.allocators import ready
    from emu.explain.names import Names
    from emu.process.process import BUDGET
    from emu.report.progress import progress
    from emu.report.trace_view import Traced
    from emu.run import run

    ready(allocator, budget=budget or BUDGET)
    with progress(file) as tell:
        done = run(
            file, allocator, budget=budget or BUDGET, trace=True, accesses=accesses,
            registers=registers, progress=tell,
        )  # fmt: skip
    assert done.trace is not None
    names = Names(done.trace, done.heap_start)
    return Input(Traced(f"{file} on {allocator}", done.trace, names, done), done.status)


def of_program(
    program: str,
    arguments: tuple[str, ...],
    given: dict[str, Any],
    *,
    accesses: bool,
    registers: bool,
) -> Input:
    """Of a program that is run now. What it writes goes to the standard error."""
    from emu.explain.names import Names
    from emu.report.trace_view import Traced
    from emu.trace.recorder import Recorder

    with launched(program, arguments, given, output=_STDERR) as process:
        recorder = Recorder(
            process, accesses=accesses, registers=registers, sources=process.sources
        )
        with recorder:
            status = _play(process)
        trace = recorder.trace
        names = Names(trace, process.kernel.space.heap_start)
    return Input(Traced(" ".join((program, *arguments)), trace, names), status)


def _play(process: Program) -> int:
    try:
        ended = process.play()
    except GuestDied as died:
        report_death(process, died)
        return DIED
    report(process, ended)
    return ended.status


def needs_run(traced: Traced, option: str) -> None:
    """InputError where there is no run of a scenario, which an option needs."""
    if traced.run is None:
        raise InputError(
            f"{option} needs the scenario's run, and not its trace alone",
            traced.title,
            expected="a scenario, a .heap or .rep file",
        )
