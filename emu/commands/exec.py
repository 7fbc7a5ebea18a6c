"""emu exec: a program, on the emulated CPU and kernel."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from asm.errors import why
from emu.commands.common import CONTEXT, SIZE
from emu.commands.watch import Watch
from emu.errors import GuestDied, InputError
from syscalls.strace import STRING_LENGTH

if TYPE_CHECKING:
    from emu.process.program import Ended, Program
    from syscalls import Limits
    from syscalls.world import World

_DIED = 3


@click.command(
    "exec",
    context_settings={**CONTEXT, "allow_interspersed_args": False, "ignore_unknown_options": False},
)
@click.argument("program", metavar="PROGRAM")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[ARGS]...")
@click.option("--root", metavar="DIR", help="The folder that is / for the program, read-only.")
@click.option("--writable", metavar="DIR", help="A folder under the root that it may write in.")
@click.option(
    "--env",
    "-e",
    "variables",
    multiple=True,
    metavar="NAME[=VALUE]",
    help="A variable of its environment; without a value, as it is here.",
)
@click.option("--strace", is_flag=True, help="Print its system calls on the standard error.")
@click.option("-c", "count", is_flag=True, help="Count its system calls.")
@click.option("-o", "out", metavar="FILE", help="Where --strace and -c print.")
@click.option(
    "-s",
    "longest",
    default=STRING_LENGTH,
    type=click.IntRange(min=0),
    metavar="N",
    show_default=True,
    help="How many bytes of a string --strace shows.",
)
@click.option("--seed", default="0", metavar="N", help="Of everything random.", show_default=True)
@click.option("--host-time", is_flag=True, help="The host's clocks, not the count of instructions.")
@click.option(
    "--budget",
    type=click.IntRange(min=1),
    metavar="N",
    help="Instructions that it may execute (100 000 000 000).",
)
@click.option("--memory", type=SIZE, metavar="SIZE", help="Memory that it may write to (4G).")
@click.option("--output", type=SIZE, metavar="SIZE", help="Bytes that it may write to files (1G).")
@click.option("--files", type=click.IntRange(min=3), metavar="N", help="Files open at once (1024).")
@click.option("--quiet", "-q", is_flag=True, help="No word of ours unless it cannot be run.")
@click.pass_context
def exec_command(
    context: click.Context, /, program: str, arguments: tuple[str, ...], **given: Any
) -> None:
    """Run an x86-64 Linux program: static, or dynamic with the files of --root.

    The standard files are passed through. It sees no file but those under --root, no network and
    no other process; its time is the count of its instructions, so that every run is the same.

    Exit status: the program's own; 128 + N where signal N killed it; 2 where it cannot be run; 3
    where a limit ended it; 4 a bug of ours.

    \b
    Examples:
        emu exec ./hello
        emu exec --root / ls -l /etc
        emu exec --root / --strace cat /etc/hostname
        emu exec --root sysroot --writable sysroot/tmp /bin/sh -c 'echo hi > /tmp/x'
    """
    from emu.launch import launch
    from emu.process.program import BUDGET

    _keep_apart(program, given)
    with ExitStack() as stack:
        process = launch(
            program,
            arguments,
            environment=_environment(given["variables"]),
            world=_world(given),
            limits=_limits(given["memory"]),
            budget=given["budget"] or BUDGET,
        )
        stack.enter_context(process)
        watch = Watch(given, stack)
        status = _play(process, watch, given["quiet"])
    context.exit(status)


def _play(process: Program, watch: Watch, quiet: bool) -> int:
    """Runs it; what there is to say of the end goes to the standard error."""
    watch.begin(process)
    try:
        ended = process.play()
    except GuestDied as died:
        click.echo(f"emu: {process.path}: {died.outcome}: {died}", err=True)
        return _DIED
    finally:
        watch.finish()
    watch.end(ended)
    if not quiet:
        _report(process, ended)
    return ended.status


def _report(process: Program, ended: Ended) -> None:
    if ended.death is not None:
        click.echo(f"emu: {process.path}: {ended.death}", err=True)
    missing = process.kernel.missing
    if missing:
        calls = ", ".join(f"{name} ({times})" for name, times in sorted(missing.items()))
        click.echo(f"emu: {process.path}: answered ENOSYS: {calls}", err=True)


# What was given


def _keep_apart(program: str, given: dict[str, Any]) -> None:
    """The trace must not overwrite the program."""
    out, root = given["out"], given["root"]
    for path in map(Path, (program, f"{root}/{program}")):
        if out is not None and os.path.exists(out) and path.exists() and path.samefile(out):
            raise InputError("the trace would overwrite the program", f"-o {out}")


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


def _world(given: dict[str, Any]) -> World:
    from syscalls.host_stream import HostStream
    from syscalls.world import World

    root = _folder(given["root"], "--root")
    limits = {"most_output": given["output"], "most_files": given["files"]}
    sys.stdout.flush()
    return World(
        root=root,
        writable=_folder(given["writable"], "--writable"),
        folder=_working_folder(root),
        stdin=HostStream(0),
        stdout=HostStream(1),
        stderr=HostStream(2),
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
