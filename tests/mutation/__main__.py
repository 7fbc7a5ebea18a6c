"""python -m tests.mutation [DIR]: how much of an allocator could change unseen.

Statements of DIR/*.s are changed one at a time, and `catching.py` says which changes are found out.
Exit status: 0; 1 where a survivor is not explained, or less than 95 of 100 are caught; 2 for wrong
input.
"""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import click

from tests.mutation import explanations
from tests.mutation.campaign import Outcome, Result, run
from tests.mutation.catching import caught
from tests.mutation.mutants import KINDS, mutants

ENOUGH = 95
SHIPPED = Path(__file__).parents[2] / "asm" / "osmem"


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True), default=SHIPPED)
@click.option("--seed", default=0, show_default=True)
@click.option("--count", default=100, show_default=True, help="Mutants; 0 for all there are.")
@click.option("--jobs", default=os.cpu_count() or 1, show_default=True, help="Processes.")
@click.option("--list", "listed", is_flag=True, help="Only print their names.")
def main(folder: Path, seed: int, count: int, jobs: int, listed: bool) -> None:
    """Change an allocator in many small ways, and see which changes nothing notices."""
    folder = folder.resolve()
    if not (folder / f"{folder.name}.s").is_file():
        raise click.UsageError(f"an allocator begins in {folder.name}/{folder.name}.s")
    if listed:
        for mutant in mutants(folder):
            click.echo(mutant.name)
        return
    known = explanations.read(explanations.table(folder.name))
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as executor:
        result = run(
            folder, known, caught, seed=seed, count=count or -1, executor=executor, tell=_tell
        )
    for line in report(result):
        click.echo(line)
    raise SystemExit(status(result))


def _tell(outcome: Outcome) -> None:
    what = outcome.caught or "SURVIVED"
    click.echo(f"{outcome.seconds:6.1f} s  {what:40} {outcome.mutant.name}", err=True)


def report(result: Result) -> list[str]:
    """What came of it, for people."""
    lines = [f"{'kind':14}{'live':>6}{'caught':>8}"]
    live = Counter(one.mutant.kind for one in (*result.caught, *result.missed))
    caught_ones = Counter(one.mutant.kind for one in result.caught)
    lines += [f"{kind:14}{live[kind]:6}{caught_ones[kind]:8}" for kind in KINDS]
    lines += [
        f"{'all':14}{live.total():6}{caught_ones.total():8}   {result.score:.1f} of 100",
        "",
        f"{result.dead} did not assemble, {result.same} were the same code, "
        f"{len(result.equivalent)} are equivalent",
        "",
    ]
    for title, outcomes in (
        ("not caught", result.missed),
        ("equivalent", result.equivalent),
        ("explained as equivalent, and caught", result.wrongly_explained),
    ):
        for outcome in outcomes:
            why = result.explanations.get(outcome.mutant.name)
            lines += [f"{title}: {outcome.mutant.name}", f"    {why.reason if why else 'WHY?'}"]
    return lines


def status(result: Result) -> int:
    """The exit status."""
    wrong = result.unexplained or result.wrongly_explained or result.score < ENOUGH
    return 1 if wrong else 0


if __name__ == "__main__":
    main()
