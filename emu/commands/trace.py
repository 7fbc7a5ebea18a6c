"""emu trace: every instruction and access of a run, and the questions that are asked of them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from emu.commands.common import ALLOCATOR, CONTEXT
from emu.commands.program import LIMITS, WORLD, MayBeProgram, keep_apart, options
from emu.commands.trace_choice import call_of, range_of, selection
from emu.commands.trace_input import Input, needs_run, of_file, of_program
from emu.errors import InputError

if TYPE_CHECKING:
    from emu.report.trace_view import Selection, Traced, View


@click.command("trace", cls=MayBeProgram, context_settings=CONTEXT)
@click.argument("file", metavar="FILE")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[ARGS]...")
@ALLOCATOR
@click.option("--exec", "is_program", is_flag=True, help="FILE is a program; ARGS are its own.")
@click.option("--instructions", is_flag=True, help="Every instruction, and what it accessed.")
@click.option("--accesses", is_flag=True, help="Every access to memory.")
@click.option("--syscalls", is_flag=True, help="Every system call, and what it did to memory.")
@click.option("--calls", is_flag=True, help="What each call cost (the default).")
@click.option(
    "--who-wrote",
    multiple=True,
    metavar="PLACE",
    help="Every write there, the last first: heap+0x20, map1+0x8, a number, a name; START-END.",
)
@click.option("--explain", multiple=True, metavar="CALL", help="Why a call did what it did.")
@click.option("--profile", is_flag=True, help="What functions cost, and who called them.")
@click.option("--coverage", is_flag=True, help="The source: how often each line ran.")
@click.option("--save", metavar="FILE.npz", help="Keep the trace, for emu trace FILE.npz.")
@click.option(
    "--export",
    "exports",
    multiple=True,
    metavar="FORMAT=PATH",
    help="For another tool: callgrind, drcov, lcov, perfetto, tenet.",
)
@click.option("--call", "calls_only", metavar="N[-M]", help="Only within these calls.")
@click.option("--function", metavar="NAME", help="Only within a function.")
@click.option("--range", "within", metavar="START-END", help="Only what touches that memory.")
@click.option("--limit", type=click.IntRange(min=0), metavar="N", help="Rows of each view.")
@click.option("--json", "as_json", is_flag=True, help="One document a row, one line each.")
@options(WORLD)
@options(LIMITS)
@click.pass_context
def trace_command(
    context: click.Context, /, file: str, arguments: tuple[str, ...], **given: Any
) -> None:
    """Look at everything that a run did.

    FILE is a scenario (.heap, .rep), a trace that was saved (.npz) or, with --exec, a program; its
    options stand before it, its own arguments behind it, and what it writes goes to the standard
    error. Several views may be asked for.

    Exit status: that of emu run, or of emu exec; 2 where the input is wrong.

    \b
    Examples:
        emu trace reuse.heap
        emu trace reuse.heap --explain 4
        emu trace reuse.heap --who-wrote heap+0x8
        emu trace reuse.heap --instructions --call 4 --function find_best
        emu trace --exec --profile ./hello
        emu trace big.rep --save big.npz --export callgrind=big.out
    """
    _check(context, file, arguments, given)
    found = _input(file, arguments, given)
    for view in _views(found.traced, given):
        _refuse_without_accesses(found.traced, view)
    chosen = selection(
        found.traced, given["calls_only"], given["function"], given["within"], given["limit"]
    )
    _show(found.traced, _views(found.traced, given), chosen, as_json=given["as_json"])
    _keep(found.traced, given)
    context.exit(found.status)


def _input(file: str, arguments: tuple[str, ...], given: dict[str, Any]) -> Input:
    from emu.report.export import OF_REGISTERS

    registers = any(name in OF_REGISTERS for name, _ in map(_export_of, given["exports"]))
    accesses = registers or _records_accesses(given)
    recorded = {"accesses": accesses, "registers": registers}
    if given["is_program"]:
        return of_program(file, arguments, given, **recorded)
    return of_file(file, given["allocator"], given["budget"], **recorded)


def _records_accesses(given: dict[str, Any]) -> bool:
    """Not where nothing that was asked for needs them: they are most of a trace."""
    needless = given["profile"] or given["coverage"] or given["syscalls"] or given["exports"]
    asking = ("instructions", "accesses", "calls", "who_wrote", "explain", "save", "within")
    return not needless or any(given[name] for name in asking)


# What was given


def _check(
    context: click.Context, file: str, arguments: tuple[str, ...], given: dict[str, Any]
) -> None:
    """InputError where options do not go together, before anything is run."""
    if arguments and not given["is_program"]:
        raise InputError("one trace is looked at", arguments[0], expected="a single FILE")
    keep_apart(context, file, is_program=given["is_program"])
    targets = [path for _, path in map(_export_of, given["exports"])]
    targets += [given["save"]] if given["save"] else []
    for target in targets:
        if _same(target, file):
            raise InputError("the trace would overwrite what it is of", target)
    if len({Path(target).resolve() for target in targets}) < len(targets):
        raise InputError("two files would have the same name", targets[0])


def _same(one: str, other: str) -> bool:
    try:
        return Path(one).samefile(other)
    except (OSError, ValueError):
        return False


def _export_of(text: str) -> tuple[str, str]:
    """FORMAT=PATH."""
    from emu.report.export import EXPORTS

    name, equals, path = text.partition("=")
    if name not in EXPORTS or not equals or not path:
        what = f"unknown format `{name}`" if name not in EXPORTS else "a path is missing"
        formats = f"FORMAT=PATH, of {', '.join(EXPORTS)}"
        raise InputError(what, f"--export {text}", expected=formats)
    return name, path


def _views(traced: Traced, given: dict[str, Any]) -> list[View]:
    """Those that were asked for, in the order of --help."""
    from emu.report import (
        trace_accesses,
        trace_calls,
        trace_coverage,
        trace_instructions,
        trace_profile,
        trace_syscalls,
    )
    from emu.report.trace_explain import explained
    from emu.report.trace_writes import who_wrote

    early = {
        "instructions": trace_instructions.VIEW, "accesses": trace_accesses.VIEW,
        "syscalls": trace_syscalls.VIEW, "calls": trace_calls.VIEW,
    }  # fmt: skip
    late = {"profile": trace_profile.VIEW, "coverage": trace_coverage.VIEW}
    views = [view for name, view in early.items() if given[name]]
    for text in given["who_wrote"]:
        views.append(who_wrote(text, *range_of(traced, text, "--who-wrote")))
    for text in given["explain"]:
        needs_run(traced, f"--explain {text}")
        views.append(explained(call_of(traced, text, f"--explain {text}")))
    views += [view for name, view in late.items() if given[name]]
    silent = given["save"] or given["exports"]
    return views or ([] if silent else [trace_calls.VIEW])


def _refuse_without_accesses(traced: Traced, view: View) -> None:
    if view.needs_accesses and traced.trace.accesses is None:
        raise InputError(f"--{view.name} needs accesses, which were not recorded", traced.title)


# What comes of it


def _show(traced: Traced, views: list[View], chosen: Selection, *, as_json: bool) -> None:
    from emu.report import terminal
    from emu.report.trace_view import show

    run = traced.run
    if as_json:
        for view in views:
            for document in view.rows(traced, chosen).documents:
                sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
        sys.stdout.flush()
        if run and run.status:
            terminal.show_quietly(run, terminal.console(stderr=True))
        return
    console = terminal.console()
    if views:
        console.print(traced.title, style="bold", markup=False)
    for view in views:
        show(view, traced, chosen, console)
        console.print()
    if run:
        terminal.show_quietly(run, console)
    else:
        console.print(terminal.counted(len(traced.trace), "instruction"))


def _keep(traced: Traced, given: dict[str, Any]) -> None:
    from emu.report.export import EXPORTS
    from emu.trace.store import save

    if given["save"]:
        save(traced.trace, given["save"])
    for name, path in map(_export_of, given["exports"]):
        EXPORTS[name](traced.trace, path)
