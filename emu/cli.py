"""The command `emu`.

Exit status: 0 all well; 1 an expectation failed or a finding was made; 2 the input is wrong;
3 the program under test died; 4 a bug of ours.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from asm import AssemblyError
from asm.errors import why
from emu.errors import InputError

OK, WRONG_INPUT, OUR_BUG, INTERRUPTED = 0, 2, 4, 130


class _Commands(click.Group):
    """Turns every way to fail into a message and an exit status; never a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
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


def _silence() -> None:
    """The standard output goes nowhere from here on: Python would flush it once more, and fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def complain(error: Exception) -> None:
    """What is wrong with the input, on the standard error."""
    click.echo(f"emu: {error}", err=True)


CONTEXT = {"help_option_names": ["-h", "--help"]}


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
        emu listing osmem
    """


_ALLOCATOR = click.option(
    "--allocator",
    default="osmem",
    metavar="NAME|PATH",
    show_default=True,
    help="A shipped allocator or a .s file.",
)


@main.command("run", context_settings=CONTEXT)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@_ALLOCATOR
@click.option("--json", "as_json", is_flag=True, help="One document a file, one line each.")
@click.option(
    "--html", metavar="OUT", help="Also write a page; a folder of pages for several files."
)
@click.option("--quiet", "-q", is_flag=True, help="Only what is not as it should be.")
@click.option(
    "--budget",
    type=click.IntRange(min=1),
    metavar="N",
    help="Instructions that one call may take (2 000 000 000).",
)
@click.pass_context
def run_command(
    context: click.Context,
    files: tuple[str, ...],
    allocator: str,
    as_json: bool,
    html: str | None,
    quiet: bool,
    budget: int | None,
) -> None:
    """Run scenarios (.heap) and traces (.rep).

    Prints each call with its result, the system calls it made, what it changed, and the heap.
    Exit status: 0 all well; 1 an expectation failed or a finding was made; 2 the input is wrong;
    3 the program under test died; 4 a bug of ours.

    \b
    Examples:
        emu run reuse.heap
        emu run reuse.heap --html reuse.html
        emu run *.heap --json | jq .outcome
        emu run big.rep --allocator mine.s --quiet
    """
    from emu import allocators
    from emu.process.process import BUDGET
    from emu.report.progress import progress
    from emu.run import run

    allocators.find(allocator)
    pages = _pages(files, html) if html else {}
    if len(pages) > 1:
        _make_folder(Path(html or ""))
    worst = 0
    for file in files:
        try:
            with progress(file) as tell:
                done = run(file, allocator, budget=budget or BUDGET, progress=tell)
            _report(as_json, quiet)(done)
            if html:
                _write_page(done, pages[file])
        except InputError as error:
            complain(error)
            worst = max(worst, WRONG_INPUT)
        else:
            worst = max(worst, done.status)
    context.exit(worst)


def _report(as_json: bool, quiet: bool) -> Callable[[Any], None]:
    """How a run is printed."""
    if as_json:
        from emu.report.as_json import document
        from emu.report.terminal import console, show_quietly

        def both(run: Any) -> None:
            click.echo(document(run))
            if run.status:
                show_quietly(run, console(stderr=True))

        return both
    from emu.report import terminal

    shown = terminal.show_quietly if quiet else terminal.show
    return lambda run: shown(run, terminal.console())


def _pages(files: tuple[str, ...], out: str) -> dict[str, Path]:
    """Where the page of each file goes: no two to one place, and none over what is run."""
    several = len(set(files)) > 1
    pages = {
        file: Path(out) / f"{Path(file).stem}.html" if several else Path(out) for file in files
    }
    if len(set(pages.values())) < len(pages):
        raise InputError(
            "two pages would have the same name", out, expected="files of unlike names"
        )
    taken = {path for path in map(Path, files) if path in pages.values()}
    if taken:
        raise InputError("the page would overwrite the scenario", str(taken.pop()))
    return pages


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot be made: {why(error)}", str(path)) from None


def _write_page(run: Any, path: Path) -> None:
    from emu.report.html import page

    text = page(run)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot be written: {why(error)}", str(path)) from None


@main.command("listing", context_settings=CONTEXT)
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


@main.command("demo", context_settings=CONTEXT)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@_ALLOCATOR
@click.option("--list", "only_list", is_flag=True, help="The names, and what each one teaches.")
@click.pass_context
def demo_command(
    context: click.Context, names: tuple[str, ...], allocator: str, only_list: bool
) -> None:
    """A short tour: the scenarios that come with emu, each teaching one thing.

    One of them misuses the heap on purpose, so findings do not change the exit status here; a
    failed expectation does.

    \b
    Examples:
        emu demo
        emu demo best-fit
        emu demo --list
    """
    from emu.report import terminal
    from emu.run import run
    from emu.scenario.load import from_text, load, shipped

    chosen = shipped(names)
    if only_list:
        for path in chosen:
            click.echo(f"{path.stem:<20} {load(path).about}")
        return
    console = terminal.console()
    worst = 0
    for path in chosen:
        scenario = from_text(path.read_text(encoding="utf-8"), path.name)
        done = run(scenario, allocator)
        terminal.show(done, console, blocks=False)
        console.print()
        worst = max(worst, done.status if done.failures or done.died else 0)
    context.exit(worst)


if __name__ == "__main__":
    main()
