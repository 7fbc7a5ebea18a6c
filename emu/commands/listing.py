"""emu listing: machine code beside its source."""

from __future__ import annotations

import click

from emu.commands.common import CONTEXT


@click.command("listing", context_settings=CONTEXT)
@click.argument("allocator", default="osmem", metavar="[NAME|PATH]")
def listing_command(allocator: str) -> None:
    """Show an allocator's machine code: address, bytes, source line.

    \b
    Examples:
        emu listing
        emu listing mine.s
    """
    from emu import allocators
    from emu.report.listing import listing

    for line in listing(allocators.find(allocator)):
        click.echo(line)
