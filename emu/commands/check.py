"""emu check: allocators, judged."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from asm import AssemblyError
from emu.commands.common import CONTEXT, WRONG_INPUT, complain, held_to, of_allocators
from emu.commands.program import DIED
from emu.errors import GuestDied, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Executor

    from emu.allocators import Choice
    from emu.commands.check_output import Output
    from emu.judge.plan import Budget, Plan
    from emu.report.verdict.checked import Checked


class _Budget(click.ParamType["Budget"]):
    """Seconds, as 60s or 5m, or a number of calls."""

    name = "budget"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Budget:
        from emu.judge.plan import Budget

        found = re.fullmatch(r"(\d{1,12}(?:\.\d{1,6})?)(s|m|h)|(\d{1,12})", str(value), re.ASCII)
        amount = float(found[1] or found[3]) if found else 0
        if not found or not amount:
            self.fail(f"`{value}` is no budget: 60s or 5m of time, or 200000 calls", param, ctx)
        if found[3]:
            return Budget(calls=int(found[3]))
        return Budget(seconds=amount * {"s": 1, "m": 60, "h": 3600}[found[2]])


@click.command("check", context_settings=CONTEXT)
@click.argument("allocators", nargs=-1, required=True, metavar="ALLOCATOR...")
@held_to
@click.option(
    "--depth", type=click.IntRange(1, 12), default=5, metavar="N", show_default=True,
    help="Calls of the longest sequences, all of which are tried.",
)  # fmt: skip
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, metavar="N", show_default=True,
    help="Of what is tried at random.",
)  # fmt: skip
@click.option(
    "--budget",
    type=_Budget(),
    metavar="60s|N",
    help="Of each allocator: time, as 60s or 5m, or a number of calls.",
)
@click.option("--trace", "traces", multiple=True, metavar="FILE", help="Play this one too.")
@of_allocators
@click.option(
    "--jobs", "-j", type=click.IntRange(1, 1024), metavar="N", help="Processes (one a core)."
)
@click.option("--scheduler", metavar="tcp://...", help="Work on a cluster of dask instead.")
@click.option("--save", metavar="DIR", help="Write each defect's shortest scenario there.")
@click.option("--points", metavar="FILE", help="Give marks by topic: see above.")
@click.option("--junit", metavar="FILE", help="Also write JUnit's XML.")
@click.option("--html", metavar="FILE", help="Also write a page.")
@click.option("--json", "as_json", is_flag=True, help="One document an allocator, one line each.")
@click.option("--quiet", "-q", is_flag=True, help="Only what is not as it should be.")
@click.pass_context
def check_command(
    context: click.Context,
    /,
    allocators: tuple[str, ...],
    prefix: str | None,
    cflags: str,
    jobs: int | None,
    scheduler: str | None,
    **given: Any,
) -> None:
    """Judge allocators: try very many calls, and tell what is wrong and why.

    An ALLOCATOR is a shipped one, or a file: assembly or C, an object, an archive, a program or a
    shared library.

    Failures with one cause are one defect, shown by the shortest scenario that has it. Of one
    allocator all is told, of several a table. The same seed and budget of calls give the same
    answer on any number of workers; a budget of time does not. The fixed topics are always
    played, whatever the budget of calls: about 2500 calls.

    Exit status: 0 no defect; 1 a defect was found; 2 the input is wrong; 3 a program
    died on its way to main; 4 a bug of ours.

    \b
    A file of points, in TOML:
        partial = true          a topic gives the share of its scenarios that passed;
                                without this, all of its points or none
        [points]
        realloc = 10            a topic, as the report names it, and what it is worth
        "failing system calls" = 2.5

    DIR is new, or holds what an earlier check saved, which is replaced; other files are safe.
    Workers of a cluster see the same files at the same paths, which is checked.

    \b
    Examples:
        emu check mine.s
        emu check mine.s --save out --budget 60s
        emu check */malloc.s --points points.toml --html class.html --junit class.xml
        emu check mine.s --contract malloc --json | jq .defects
        emu check *.s --scheduler tcp://10.0.0.1:8786
    """
    from emu.allocators import Choice
    from emu.commands.check_output import Output
    from emu.judge.plan import Budget, Plan
    from emu.scenario.load import load

    if scheduler and jobs:
        raise InputError("the scheduler has workers of its own", f"--jobs {jobs}")
    for trace in given["traces"]:
        load(trace)
    names = tuple(dict.fromkeys(allocators))
    plan = Plan(
        given["contract"], given["alignment"], given["depth"], given["seed"],
        given["budget"] or Budget(), given["traces"],
    )  # fmt: skip
    subjects = [Choice(name, cflags, prefix) for name in names]
    output = Output.asked_for(given, subjects, plan)
    workers = _Workers(jobs, scheduler)
    every = _checked(subjects, plan, workers, output)
    output.finish(every)
    context.exit(max(checked.status for checked in every))


class _Workers(NamedTuple):
    """jobs: processes of this machine; scheduler: of a cluster, instead of them."""

    jobs: int | None
    scheduler: str | None

    def __call__(
        self, subjects: Sequence[Choice], plan: Plan
    ) -> AbstractContextManager[Executor | None]:
        if self.scheduler:
            from emu.judge.cluster import Setting, cluster

            return cluster(self.scheduler, Setting.here(subjects, plan.traces))
        from emu.judge.spread import cores, processes

        return processes(self.jobs or cores())


def _checked(
    subjects: Sequence[Choice], plan: Plan, workers: _Workers, output: Output
) -> list[Checked]:
    """In the order of the subjects. Those that cannot be opened do not keep others from it."""
    from emu.judge.check import check_all, tasks
    from emu.report.progress import progress

    refused = dict(_refused(subjects, output))
    well = [subject for subject in subjects if subject not in refused]
    checked = dict(refused)
    if well:
        output.expect(list(dict.fromkeys(task.topic for task in tasks(well[0], plan))))
        what = well[0].name if len(well) == 1 else f"{len(well)} allocators"
        with workers(well, plan) as executor, progress(what) as tell:
            verdicts = check_all(well, plan, executor, tell)
            for subject, verdict in zip(well, verdicts, strict=True):
                checked[subject] = output.take(subject, verdict)
    return [checked[subject] for subject in subjects]


def _refused(subjects: Sequence[Choice], output: Output) -> Iterator[tuple[Choice, Checked]]:
    from emu.judge.subject import opened

    for subject in subjects:
        try:
            opened(subject).close()
        except (InputError, AssemblyError) as error:
            complain(error)
            yield subject, output.refuse(subject, error, WRONG_INPUT)
        except GuestDied as died:  # on its way to main
            complain(died)
            yield subject, output.refuse(subject, died, DIED)
