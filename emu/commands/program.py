"""What commands share that run a program: options, how it is launched, and how it ended."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from asm.errors import why
from emu.commands.common import SIZE
from emu.errors import GuestDied, InputError

if TYPE_CHECKING:
    from emu.process.program import Ended, Program
    from syscalls import Limits
    from syscalls.world import World

DIED = 3
_F = TypeVar("_F", bound=Callable[..., Any])

WORLD: tuple[Callable[[_F], _F], ...] = (
    click.option("--root", metavar="DIR", help="The folder that is / for the program, read-only."),
    click.option("--writable", metavar="DIR", help="A folder under the root that it may write in."),
    click.option(
        "--env",
        "-e",
        "variables",
        multiple=True,
        metavar="NAME[=VALUE]",
        help="A variable of its environment; without a value, as it is here.",
    ),
)
LIMITS: tuple[Callable[[_F], _F], ...] = (
    click.option(
        "--seed", default="0", metavar="N", help="Of everything random.", show_default=True
    ),
    click.option(
        "--host-time", is_flag=True, help="The host's clocks, not the count of instructions."
    ),
    click.option(
        "--budget",
        type=click.IntRange(min=1),
        metavar="N",
        help="Instructions that it may execute (100 000 000 000).",
    ),
    click.option("--memory", type=SIZE, metavar="SIZE", help="Memory that it may write to (4G)."),
    click.option(
        "--output", type=SIZE, metavar="SIZE", help="Bytes that it may write to files (1G)."
    ),
    click.option(
        "--files", type=click.IntRange(min=3), metavar="N", help="Files open at once (1024)."
    ),
)


class MayBeProgram(click.Command):
    """What stands behind the name of a program is the program's."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.allow_interspersed_args = "--exec" not in args
        return super().parse_args(ctx, args)


_OF_PROGRAMS = {
    "root": "--root", "writable": "--writable", "variables": "--env", "seed": "--seed",
    "host_time": "--host-time", "memory": "--memory", "output": "--output", "files": "--files",
}  # fmt: skip
"""Options that only a program has, by the names of their values."""


def keep_apart(context: click.Context, file: str, *, is_program: bool) -> None:
    """InputError where a scenario is given options of a program's, or a program an allocator."""
    given = {
        name
        for name in context.params
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT
    }
    for name in ("allocator", "cflags", "prefix", "heap_start"):
        if is_program and name in given:
            option = name.replace("_", "-")
            raise InputError(
                "a program brings its own allocator", f"--{option} {context.params[name]}"
            )
    for name, option in _OF_PROGRAMS.items():
        if name in given and not is_program:
            raise InputError(f"{option} is for programs", file, expected="--exec before FILE")


def options(group: tuple[Callable[[_F], _F], ...]) -> Callable[[_F], _F]:
    """Gives a command a group of options, in their order."""

    def give(command: _F) -> _F:
        for option in reversed(group):
            command = option(command)
        return command

    return give


def launched(
    program: str,
    arguments: tuple[str, ...],
    given: dict[str, Any],
    *,
    output: int = 1,
    replayed: bool = False,
) -> Program:
    """The program with what the options give it. output: our file that is its standard output.

    replayed: it will go back; it reads nothing of ours, and what it writes is passed on once.
    """
    from emu.launch import launch
    from emu.process.program import BUDGET

    return launch(
        program,
        arguments,
        environment=_environment(given["variables"]),
        world=_world(given, output, replayed=replayed),
        limits=_limits(given["memory"]),
        budget=given["budget"] or BUDGET,
    )


def report_death(process: Program, died: GuestDied) -> None:
    """A limit of ours ended it."""
    click.echo(f"emu: {process.path}: {died.outcome}: {died}", err=True)


def report(process: Program, ended: Ended) -> None:
    """How it ended, where that needs a word, and what it missed."""
    if ended.death is not None:
        click.echo(f"emu: {process.path}: {ended.death}", err=True)
    missing = process.kernel.missing
    if missing:
        calls = ", ".join(f"{name} ({times})" for name, times in sorted(missing.items()))
        click.echo(f"emu: {process.path}: answered ENOSYS: {calls}", err=True)


def _environment(variables: tuple[str, ...]) -> dict[str, str]:
    from emu.launch import ENVIRONMENT

    found = dict(ENVIRONMENT)
    for variable in variables:
        name, given, value = variable.partition("=")
        if not name:
            raise InputError("a variable needs a name", f"--env {variable}", expected="NAME=VALUE")
        if given or name in os.environ:
            found[name] = value if given else os.environ[name]
    return found


def _world(given: dict[str, Any], output: int, *, replayed: bool) -> World:
    from syscalls.host_stream import HostStream, Replayed
    from syscalls.world import Capture, Stream, World

    def stream(fd: int) -> Stream:
        return Replayed(HostStream(fd)) if replayed else HostStream(fd)

    root = _folder(given["root"], "--root")
    limits = {"most_output": given["output"], "most_files": given["files"]}
    sys.stdout.flush()
    return World(
        root=root,
        writable=_folder(given["writable"], "--writable"),
        folder=_working_folder(root),
        stdin=Capture() if replayed else HostStream(0),
        stdout=stream(output),
        stderr=stream(2),
        seed=_seed(given["seed"]),
        host_time=given["host_time"],
        **{name: value for name, value in limits.items() if value is not None},
    )


def _folder(path: str | None, option: str) -> Path | None:
    if path is None:
        return None
    try:
        folder = Path(path).resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:
        reason = why(error) if isinstance(error, OSError) else str(error)
        raise InputError(f"cannot be used: {reason}", f"{option} {path}") from None
    if not folder.is_dir():
        raise InputError("is no folder", f"{option} {path}")
    return folder


def _working_folder(root: Path | None) -> str:
    """Where we are, if the program can see that; else its /."""
    here = Path.cwd()
    if root is None or not here.is_relative_to(root):
        return "/"
    return f"/{here.relative_to(root)}" if here != root else "/"


def _seed(text: str) -> int:
    try:
        return int(text, 0)
    except ValueError:
        raise InputError("is no number", f"--seed {text}", expected="a whole number") from None


def _limits(memory: int | None) -> Limits:
    from syscalls import Limits

    return Limits() if memory is None else Limits(touched=memory)
