"""emu debug: a scenario or a program under gdb, in both directions of time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from emu.commands.common import ALLOCATOR, CONTEXT
from emu.commands.program import LIMITS, WORLD, MayBeProgram, keep_apart, launched, options
from emu.errors import InputError, SnapshotError

if TYPE_CHECKING:
    from emu.allocators import Choice
    from emu.debug.past import Past

_STDERR = 2


@click.command("debug", cls=MayBeProgram, context_settings=CONTEXT)
@click.option("--exec", "is_program", is_flag=True, help="FILE is a program, and not a scenario.")
@ALLOCATOR
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Of 127.0.0.1; 0: any.")
@click.option("--pipe", is_flag=True, help="Serve gdb through standard input and output.")
@options(WORLD)
@options(LIMITS)
@click.argument("file", metavar="FILE")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[ARGS]...")
@click.pass_context
def debug_command(
    context: click.Context,
    /,
    file: str,
    arguments: tuple[str, ...],
    is_program: bool,
    allocator: Choice,
    port: int,
    pipe: bool,
    **given: Any,
) -> None:
    """Let gdb look at a run, in both directions of time.

    FILE is run to its end, and can then be gone through: a scenario, or with --exec a program.
    Options stand before it. What a program writes goes to the standard error.

    \b
    Examples:
        emu debug reuse.heap                    and what it prints, elsewhere
        gdb -ex 'target remote | emu debug --pipe reuse.heap'
        gdb -ex 'target remote | emu debug --pipe --exec ./hello'
        gdb -ex 'set remotetimeout 600' -ex '...'       for a run of minutes
    """
    from emu.debug.transport import serve, serve_pipe

    if arguments and not is_program:
        raise InputError("one scenario is debugged", arguments[0], expected="a single FILE")
    keep_apart(context, file, is_program=is_program)
    if is_program:
        past = _program(file, arguments, given)
    else:
        past = _scenario(file, allocator, given["budget"])
    with past as target:
        if pipe:
            serve_pipe(target)
        else:
            serve(target, port, _tell)


def _scenario(file: str, allocator: Choice, budget: int | None) -> Past:
    from emu.debug.executable import executable
    from emu.debug.past import Past
    from emu.process.process import BUDGET
    from emu.process.started import StartedProgram
    from emu.timeline import ScenarioTimeline

    timeline = ScenarioTimeline(file, allocator, budget=budget or BUDGET)
    if timeline.is_empty:
        raise InputError("nothing to debug: the scenario calls no function", file)
    heap = timeline.heap
    if isinstance(heap.process, StartedProgram):
        about = heap.process.kernel.context.filesystem.program
        return Past(timeline, heap.process.file, about.auxiliary, heap=heap)
    return Past(timeline, (heap.image.name, executable(heap.image)), heap=heap)


def _program(file: str, arguments: tuple[str, ...], given: dict[str, Any]) -> Past:
    from emu.debug.past import Past
    from emu.timeline import ProgramTimeline

    program = launched(file, arguments, given, output=_STDERR, replayed=True)
    try:
        timeline = ProgramTimeline(program)
    except SnapshotError as error:
        program.close()
        raise InputError(str(error), file) from None
    about = program.kernel.context.filesystem.program
    return Past(timeline, program.file, about.auxiliary)


def _tell(port: int) -> None:
    click.echo(f"gdb -ex 'target remote 127.0.0.1:{port}'")
