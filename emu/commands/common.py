"""What commands share: how they complain, and options that several have."""

from __future__ import annotations

import click

CONTEXT = {"help_option_names": ["-h", "--help"]}
WRONG_INPUT = 2

ALLOCATOR = click.option(
    "--allocator",
    default="osmem",
    metavar="NAME|PATH",
    show_default=True,
    help="A shipped allocator or a .s file.",
)


def complain(error: Exception) -> None:
    """What is wrong with the input, on the standard error."""
    click.echo(f"emu: {error}", err=True)
