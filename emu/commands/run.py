"""emu run: scenarios and traces."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from asm.errors import why
from emu.commands.common import ALLOCATOR, CONTEXT, WRONG_INPUT, complain, held_to, writable
from emu.errors import InputError

if TYPE_CHECKING:
    from emu.allocators import Choice
    from emu.run import Run


@click.command("run", context_settings=CONTEXT)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@ALLOCATOR
@click.option("--json", "as_json", is_flag=True, help="One document a file, one line each.")
@click.option(
    "--html", metavar="OUT", help="Also write a page; a folder of pages for several files."
)
@click.option("--quiet", "-q", is_flag=True, help="Only what is not as it should be.")
@click.option(
    "--sanitize",
    is_flag=True,
    help="Look at each access: the allocator's to blocks in use, the program's to all else.",
)
@held_to
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
    allocator: Choice,
    as_json: bool,
    html: str | None,
    quiet: bool,
    sanitize: bool,
    contract: str | None,
    alignment: int,
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
        emu run big.rep --allocator mm.c --cflags "-O2 -DNDEBUG"
        emu run big.rep --allocator /usr/lib/x86_64-linux-gnu/libjemalloc.so.2
        emu run first.heap --allocator mine.s --sanitize
    """
    from emu.allocators import ready
    from emu.process.process import BUDGET
    from emu.report.progress import progress
    from emu.run import run

    ready(allocator, budget=budget or BUDGET)
    pages = _pages(files, html) if html else {}
    if len(pages) > 1:
        _make_folder(Path(html or ""))
    writable([*files, allocator.name], *map(str, pages.values()))
    worst = 0
    for file in files:
        try:
            with progress(file) as tell:
                done = run(
                    file, allocator, budget=budget or BUDGET, sanitize=sanitize,
                    contract=contract, alignment=alignment, progress=tell,
                )  # fmt: skip
            _report(as_json, quiet)(done)
            if html:
                _write_page(done, pages[file])
        except InputError as error:
            complain(error)
            worst = max(worst, WRONG_INPUT)
        else:
            worst = max(worst, done.status)
    context.exit(worst)


def _report(as_json: bool, quiet: bool) -> Callable[[Run], None]:
    """How a run is printed."""
    if as_json:
        from emu.report.as_json import document
        from emu.report.terminal import console, show_quietly

        def both(run: Run) -> None:
            click.echo(document(run))
            if run.status:
                show_quietly(run, console(stderr=True))

        return both
    from emu.report import terminal

    shown = terminal.show_quietly if quiet else terminal.show
    return lambda run: shown(run, terminal.console())


def _pages(files: tuple[str, ...], out: str) -> dict[str, Path]:
    """Where the page of each file goes: no two to one place."""
    several = len(set(files)) > 1
    pages = {
        file: Path(out) / f"{Path(file).stem}.html" if several else Path(out) for file in files
    }
    if len(set(pages.values())) < len(pages):
        raise InputError(
            "two pages would have the same name", out, expected="files of unlike names"
        )
    return pages


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot be made: {why(error)}", str(path)) from None


def _write_page(run: Run, path: Path) -> None:
    from emu.report.html import page

    text = page(run)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot be written: {why(error)}", str(path)) from None
