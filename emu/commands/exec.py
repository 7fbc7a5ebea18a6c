"""emu exec: a program, on the emulated CPU and kernel."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from emu.commands.check_heap import CHECK_HEAP, HeapCheck
from emu.commands.common import CONTEXT
from emu.commands.program import DIED, LIMITS, WORLD, launched, options, report, report_death
from emu.commands.watch import Watch
from emu.errors import GuestDied, InputError
from syscalls.strace import STRING_LENGTH

if TYPE_CHECKING:
    from emu.process.program import Program


@click.command(
    "exec",
    context_settings={**CONTEXT, "allow_interspersed_args": False, "ignore_unknown_options": False},
)
@click.argument("program", metavar="PROGRAM")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[ARGS]...")
@options(WORLD)
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
@CHECK_HEAP
@options(LIMITS)
@click.option("--quiet", "-q", is_flag=True, help="No word of ours unless it cannot be run.")
@click.pass_context
def exec_command(
    context: click.Context, /, program: str, arguments: tuple[str, ...], **given: Any
) -> None:
    """Run an x86-64 Linux program: static, or dynamic with the files of --root.

    The standard files are passed through. It sees no file but those under --root, no network and
    no other process; its time is the count of its instructions, so that every run is the same.

    --check-heap tells of each access beyond a block, before it or after it was given back, of bytes
    that nobody wrote and that decide something, of blocks given back twice, and of leaks; and where
    the allocator touches a block that the program holds. At the end there is a line of how many. It
    does not tell a block that was given out again from the one before; bytes that are copied count
    as written; what functions for strings and memory read is judged by what they are given, but for
    strstr, memmem and those for wide characters.

    Exit status: the program's own; 128 + N where signal N killed it; 2 where it cannot be run; 3
    where a limit ended it; 4 a bug of ours. With --check-heap, 1 where the program's own would be 0
    and an error was found, or a block that nothing leads to any more.

    \b
    Examples:
        emu exec ./hello
        emu exec --root / ls -l /etc
        emu exec --root / --strace cat /etc/hostname
        emu exec --check-heap malloc ./hello
        emu exec --root sysroot --writable sysroot/tmp /bin/sh -c 'echo hi > /tmp/x'
    """
    _keep_apart(program, given)
    with ExitStack() as stack:
        process = launched(program, arguments, given)
        stack.enter_context(process)
        watch = Watch(given, stack)
        check = HeapCheck(given, process)
        stack.callback(check.close)
        status = _play(process, watch, check, given["quiet"])
    context.exit(status)


def _play(process: Program, watch: Watch, check: HeapCheck, quiet: bool) -> int:
    """Runs it; what there is to say of the end goes to the standard error."""
    watch.begin(process)
    try:
        ended = process.play()
    except GuestDied as died:
        report_death(process, died)
        return DIED
    finally:
        watch.finish()
    watch.end(ended)
    if not quiet:
        report(process, ended)
    return check.status(ended)


def _keep_apart(program: str, given: dict[str, Any]) -> None:
    """The trace must not overwrite the program."""
    out, root = given["out"], given["root"]
    for path in map(Path, (program, f"{root}/{program}")):
        if out is not None and os.path.exists(out) and path.exists() and path.samefile(out):
            raise InputError("the trace would overwrite the program", f"-o {out}")
