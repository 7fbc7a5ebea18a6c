"""emu bench: what allocators cost, side by side."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from asm.errors import why
from emu.commands.common import CONTEXT, of_allocators, writable
from emu.errors import GuestDied, InputError

if TYPE_CHECKING:
    from rich.text import Text

    from emu.allocators import Choice
    from emu.bench.bench import Bench
    from emu.bench.growth import Growth
    from emu.scenario.operations import Scenario

DIED, FOUND = 3, 1
_DEFAULT_PATTERN = "power-law"
_OF_TRACES = (".rep", ".heap")


@click.command("bench", context_settings=CONTEXT)
@click.argument("names", nargs=-1, metavar="[ALLOCATOR]...")
@of_allocators
@click.option(
    "--trace",
    "-t",
    "traces",
    multiple=True,
    metavar="FILE...",
    help="A .rep trace, or calls (.heap).",
)
@click.option("--pattern", "-p", "patterns", multiple=True, metavar="NAME", help="See emu pattern.")
@click.option("--seed", type=int, default=0, metavar="N", show_default=True, help="Of patterns.")
@click.option(
    "--size",
    "-n",
    type=click.IntRange(1),
    metavar="N",
    help="Blocks of patterns (1000), or of --growth (4000).",
)
@click.option("--growth", is_flag=True, help="How calls cost more where there are more blocks.")
@click.option("--summary", is_flag=True, help="A line for each scenario, and no more.")
@click.option("--quick", is_flag=True, help="Count no accesses, lines and pages: 3 times as fast.")
@click.option("--json", "as_json", is_flag=True, help="One document a line: all counts.")
@click.option("--html", metavar="OUT", help="Also write a page with pictures.")
@click.option(
    "--budget",
    type=click.IntRange(min=1),
    metavar="N",
    help="Instructions that one call may take (2 000 000 000).",
)
@click.pass_context
def bench_command(context: click.Context, /, names: tuple[str, ...], **given: Any) -> None:
    """Count what allocators cost: exactly, and the same every time.

    Replays scenarios on each ALLOCATOR (osmem) in the guest, and tells, by kind of call,
    instructions, accesses to memory, cache lines and pages that a call touches, page faults and
    system calls; and how much memory it takes from the first call on. Without --trace and
    --pattern, a pattern like real programs is replayed: power-law. What ends in .rep or .heap is a
    trace wherever it stands. A call that --growth counts is the first that asks for so many bytes:
    what an allocator sets up for a size is counted, too.

    Exit status: 0 all well; 1 an allocator gave memory twice or broke the calling convention; 2
    the input is wrong; 3 an allocator died; 4 a bug of ours.

    \b
    Examples:
        emu bench
        emu bench osmem mine.s --trace *.rep
        emu bench osmem mine.s -p uniform -p needle --summary
        emu bench osmem --growth
        emu bench osmem mine.s --json | jq .utilization
    """
    more = [name for name in names if Path(name).suffix in _OF_TRACES]
    given["traces"] += tuple(more)
    chosen = _chosen([name for name in names if name not in more] or ["osmem"], given)
    _check(given)
    writable([*names, *given["traces"]], given["html"])
    wanted = list(_scenarios(given))
    compared, status = _benches(wanted, chosen, given)
    grown, worse = _growths(chosen, given) if given["growth"] else ([], 0)
    if given["html"]:
        _write_page(compared, grown, Path(given["html"]))
    context.exit(max(status, worse))


def _chosen(names: list[str], given: dict[str, Any]) -> list[Choice]:
    """InputError before anything is run."""
    from emu.allocators import ready

    if len(set(names)) < len(names):
        raise InputError("an allocator is compared with itself", " ".join(names))
    chosen = [_choice(name, given) for name in names]
    for choice in chosen:
        ready(choice)
    return chosen


def _choice(name: str, given: dict[str, Any]) -> Choice:
    """The compiler's flags are for what is compiled, a prefix for what is brought."""
    from emu.allocators import SHIPPED, Choice
    from emu.allocators.assembly import path_of
    from emu.allocators.files import Kind, kind_of

    if name in SHIPPED:
        return Choice(name)
    compiled = kind_of(path_of(name), name) in (Kind.C, Kind.OBJECT, Kind.ARCHIVE)
    return Choice(name, given["cflags"] if compiled else "", given["prefix"])


def _check(given: dict[str, Any]) -> None:
    """InputError where options do not go together, before anything is run."""
    from emu.bench import growth

    if given["growth"]:
        growth.check(given["size"] or growth.LARGEST)


def _scenarios(given: dict[str, Any]) -> Iterator[Scenario]:
    """All of them, before the first is replayed: a mistake is told at once."""
    from emu.scenario.load import load
    from emu.scenario.patterns import DEFAULT_N, pattern

    patterns = given["patterns"]
    if not (patterns or given["traces"] or given["growth"]):
        patterns = (_DEFAULT_PATTERN,)
    for file in given["traces"]:
        yield load(file)
    for name in patterns:
        yield pattern(name, given["size"] or DEFAULT_N, given["seed"])


# Counting


def _benches(
    scenarios: list[Scenario], allocators: list[Choice], given: dict[str, Any]
) -> tuple[list[list[Bench]], int]:
    """Each scenario on each allocator; and the exit status."""
    compared, status = [], 0
    for scenario in scenarios:
        found = [_bench(scenario, allocator, given) for allocator in allocators]
        status = max(status, *(worse for _, worse in found))
        done = [one for one, _ in found if one]
        if done:
            compared.append(done)
            _show(done, given)
    if compared and not given["as_json"] and (given["summary"] or len(compared) > 1):
        _show_summary(compared)
    return compared, status


def _bench(
    scenario: Scenario, allocator: Choice, given: dict[str, Any]
) -> tuple[Bench | None, int]:
    from emu.bench.bench import bench
    from emu.process.process import BUDGET

    budget = given["budget"] or BUDGET
    try:
        done = bench(scenario, allocator, accesses=not given["quick"], budget=budget)
    except GuestDied as died:
        click.echo(f"emu: {scenario.file} on {allocator}: {died.outcome}: {died}", err=True)
        return None, DIED
    for finding in done.findings:
        click.echo(f"emu: {scenario.file} on {allocator}: {finding}", err=True)
    return done, FOUND if done.findings else 0


def _growths(allocators: list[Choice], given: dict[str, Any]) -> tuple[list[Growth], int]:
    """Of each allocator; and the exit status."""
    from emu.bench.growth import LARGEST, growth
    from emu.process.process import BUDGET

    found: list[Growth] = []
    status = 0
    largest, budget = given["size"] or LARGEST, given["budget"] or BUDGET
    for allocator in allocators:
        try:
            found += growth(allocator, largest=largest, budget=budget)
        except GuestDied as died:
            click.echo(f"emu: {allocator}: {died.outcome}: {died}", err=True)
            status = DIED
    if found:
        _show_growth(found, given)
    return found, status


# Showing


def _show(benches: list[Bench], given: dict[str, Any]) -> None:
    from emu.report import bench as report
    from emu.report.bench_json import bench_document

    if given["as_json"]:
        for bench in benches:
            click.echo(bench_document(bench))
    elif not given["summary"]:
        _print(report.compared(benches))


def _show_summary(compared: list[list[Bench]]) -> None:
    from emu.report.bench import summary

    _print(summary(compared))


def _show_growth(found: list[Growth], given: dict[str, Any]) -> None:
    from emu.report.bench import laws
    from emu.report.bench_json import growth_document

    if given["as_json"]:
        for growth in found:
            click.echo(growth_document(growth))
    else:
        _print(laws(found))


def _print(lines: Iterator[Text]) -> None:
    from emu.report.terminal import console

    to = console()
    for line in lines:
        line.rstrip()
        to.print(line, soft_wrap=True)
    to.print()


def _write_page(compared: list[list[Bench]], grown: list[Growth], path: Path) -> None:
    from emu.report.bench_page import page

    text = page(compared, grown)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot be written: {why(error)}", str(path)) from None
