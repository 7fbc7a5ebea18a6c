"""The command `emu`.

Exit status: 0 all well; 1 an expectation failed or a finding was made; 2 the input is wrong;
3 the program under test died; 4 a bug of ours.
"""

from __future__ import annotations

import io
import os
import sys
from typing import Any

import click

from asm import AssemblyError
from asm.errors import why
from emu.commands.bench import bench_command
from emu.commands.build import build_command
from emu.commands.check import check_command
from emu.commands.common import CONTEXT, WRONG_INPUT, complain
from emu.commands.debug import debug_command
from emu.commands.demo import demo_command
from emu.commands.exec import exec_command
from emu.commands.listing import listing_command
from emu.commands.pattern import pattern_command
from emu.commands.run import run_command
from emu.commands.trace import trace_command
from emu.errors import GuestDied, InputError

OK, DIED, OUR_BUG, INTERRUPTED = 0, 3, 4, 130


class _Commands(click.Group):
    """Turns every way to fail into a message and an exit status; never a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        _open_missing()
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except (InputError, AssemblyError) as error:
            complain(error)
            ctx.exit(WRONG_INPUT)
        except GuestDied as died:  # before there was anything to report on
            click.echo(f"emu: {died}", err=True)
            ctx.exit(DIED)
        except BrokenPipeError:  # the reader has seen enough
            _silence()
            ctx.exit(OK)
        except OSError as error:  # input is read, and pages are written, elsewhere
            _silence()
            click.echo(f"emu: the output cannot be written: {why(error)}", err=True)
            ctx.exit(WRONG_INPUT)
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            ctx.exit(INTERRUPTED)
        except Exception as error:
            if os.environ.get("EMU_TRACEBACK"):
                raise
            click.echo(
                f"emu has a bug, and met it: {type(error).__name__}: {error}\n"
                "EMU_TRACEBACK=1 in the environment shows where.",
                err=True,
            )
            ctx.exit(OUR_BUG)


def _open_missing() -> None:
    """Standard files that are closed become /dev/null: what is opened next would be taken for one.

    For a closed one, Python has None.
    """
    for fd, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            null = os.open(os.devnull, os.O_RDWR)
            if null != fd:
                os.dup2(null, fd)
                os.close(null)
            setattr(sys, name, os.fdopen(fd, mode, encoding="utf-8"))


def _silence() -> None:
    """The standard output goes nowhere from here on: Python would flush it once more, and fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@click.group(cls=_Commands, context_settings=CONTEXT)
@click.version_option(package_name="osmem-emu")
def main() -> None:
    """A laboratory for memory allocators.

    An allocator's machine code runs on an emulated CPU, on a kernel that answers as Linux does;
    everything it does can be seen.

    \b
    Examples:
        emu demo
        emu run first.heap
        emu run *.heap --allocator mine.s --quiet
        emu check mine.s
        emu listing osmem
        emu build
        emu exec ./hello
        emu trace reuse.heap --explain 4
        emu bench osmem --growth
    """


for command in (
    run_command,
    check_command,
    exec_command,
    listing_command,
    trace_command,
    demo_command,
    debug_command,
    bench_command,
    pattern_command,
    build_command,
):
    main.add_command(command)


if __name__ == "__main__":
    main()
