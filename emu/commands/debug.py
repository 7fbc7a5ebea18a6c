"""emu debug: a scenario under gdb, in both directions of time."""

from __future__ import annotations

import click

from emu.commands.common import ALLOCATOR, CONTEXT


@click.command("debug", context_settings=CONTEXT)
@click.argument("file", metavar="FILE")
@ALLOCATOR
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Of 127.0.0.1; 0: any.")
@click.option("--pipe", is_flag=True, help="Serve gdb through standard input and output.")
def debug_command(file: str, allocator: str, port: int, pipe: bool) -> None:
    """Let gdb look at a scenario, in both directions: FILE is run, and can be gone through.

    \b
    Examples:
        emu debug reuse.heap                    and what it prints, elsewhere
        gdb -ex 'target remote | emu debug --pipe reuse.heap'
    """
    from emu.debug.past import Past
    from emu.debug.transport import serve, serve_pipe
    from emu.errors import InputError
    from emu.timeline import Timeline

    with Timeline(file, allocator) as timeline:
        if timeline.is_empty:
            raise InputError("nothing to debug: the scenario calls no function", file)
        target = Past(timeline, timeline.heap.image)
        if pipe:
            serve_pipe(target)
        else:
            serve(target, port, _tell)


def _tell(port: int) -> None:
    click.echo(f"gdb -ex 'target remote 127.0.0.1:{port}'")
