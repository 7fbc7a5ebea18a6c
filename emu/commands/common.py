"""What commands share: how they complain, and options that several have."""

from __future__ import annotations

import click

from emu.scenario.number import FORMS, parse

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


class _Size(click.ParamType[int]):
    """Bytes: decimal, 0x.., or with K, M, G."""

    name = "size"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        if isinstance(value, int):
            return value
        try:
            size = parse(str(value))
        except ValueError as error:
            self.fail(f"{error}: {FORMS}", param, ctx)
        if size < 0:
            self.fail(f"{size} is less than nothing", param, ctx)
        return size


SIZE = _Size()
