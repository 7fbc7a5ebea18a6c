"""emu listing: machine code beside its source."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from emu.commands.common import CONTEXT, choosing

if TYPE_CHECKING:
    from emu.allocators import Choice


@click.command("listing", context_settings=CONTEXT)
@click.argument("allocator", default="osmem", metavar="[NAME|PATH]")
@choosing
def listing_command(allocator: Choice) -> None:
    """Show an allocator's machine code: address, bytes, source line.

    Of what was compiled, the instructions under each line of source; where nothing is known of the
    source, those of its functions alone.

    \b
    Examples:
        emu listing
        emu listing mine.s
        emu listing mm.c --cflags -O2
    """
    from emu.allocators import open_allocator
    from emu.process.process import Process
    from emu.process.started import StartedProgram
    from emu.report.listing import listing, program_listing

    process, description = open_allocator(allocator)
    with process:
        if isinstance(process, StartedProgram):
            lines = program_listing(process, description.functions.values())
        else:
            assert isinstance(process, Process)
            lines = listing(process.image)
        for line in lines:
            click.echo(line)
