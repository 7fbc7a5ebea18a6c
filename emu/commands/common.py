"""What commands share: how they complain, options that several have, where they may write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from emu.errors import InputError
from emu.scenario.number import FORMS, parse

CONTEXT = {"help_option_names": ["-h", "--help"]}
WRONG_INPUT = 2

F = TypeVar("F", bound=Callable[..., Any])

NAME_OR_PATH = "NAME|PATH"
BROUGHT = "a .s or .c file, an object, an archive, a program or a shared library"


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


_OF_ALLOCATORS: tuple[Callable[[F], F], ...] = (
    click.option(
        "--cflags", default="", metavar="FLAGS", help="For the host's cc, of C and objects."
    ),
    click.option("--prefix", metavar="TEXT", help="What its functions' names begin with."),
)
_OPTION = click.option(
    "--allocator",
    default="osmem",
    metavar=NAME_OR_PATH,
    show_default=True,
    help=f"A shipped allocator, {BROUGHT}.",
)
_HEAP_START = click.option(
    "--heap-start",
    type=SIZE,
    metavar="ADDRESS",
    help="Where the heap of an allocator in assembly begins; its image lies right below.",
)


def ALLOCATOR(command: F) -> F:  # noqa: N802 - it is given as an option is
    """Gives a command `allocator`, a Choice, of --allocator and the options around it."""
    return _OPTION(choosing(command))


def choosing(command: F) -> F:
    """The same for a command that says `allocator` itself."""

    @wraps(command)
    def choose(
        *args: Any, allocator: str, cflags: str, prefix: str | None, heap_start: int | None,
        **given: Any,
    ) -> Any:  # fmt: skip
        from emu.allocators.choice import Choice

        choice = Choice(allocator, cflags, prefix, heap_start)
        return command(*args, allocator=choice, **given)

    return of_allocators(_HEAP_START(cast(F, choose)))


def of_allocators(command: F) -> F:
    """Gives a command `cflags` and `prefix`."""
    for option in reversed(_OF_ALLOCATORS):
        command = option(command)
    return command


def held_to(command: F) -> F:
    """Gives a command `contract` and `alignment`: what the allocator is held to."""
    alignment = click.option(
        "--alignment", type=click.IntRange(1, 4096), default=8, metavar="N", show_default=True,
        help="Payloads of N bytes and more are multiples of it.",
    )  # fmt: skip
    contract = click.option(
        "--contract",
        type=click.Choice(["osmem", "malloc"]),
        help="osmem's very blocks and system calls, or what every malloc promises; by its names.",
    )
    return contract(alignment(command))


def writable(inputs: Sequence[str], *outputs: str | None) -> None:
    """InputError before the work, and not after it, where a file cannot be written.

    None is written over what is read, none over another, and none where there is no folder.
    """
    taken = {Path(path).absolute(): f"would overwrite {path}" for path in inputs}
    for path in filter(None, outputs):
        place = Path(path).absolute()
        if place in taken:
            raise InputError(taken[place], path, expected="another file")
        if place.is_dir() or not place.parent.is_dir():
            what = "it is a folder" if place.is_dir() else f"there is no folder {place.parent}"
            raise InputError(f"cannot be written: {what}", path)
        taken[place] = "is written twice"


def complain(error: Exception) -> None:
    """What is wrong with the input, on the standard error."""
    click.echo(f"emu: {error}", err=True)
