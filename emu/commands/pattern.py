"""emu pattern: traces from generators."""

from __future__ import annotations

import click

from emu.commands.common import CONTEXT


@click.command("pattern", context_settings=CONTEXT)
@click.argument("name", default="", metavar="[NAME]")
@click.option("--size", "-n", type=click.IntRange(1), metavar="N", help="Blocks (1000).")
@click.option("--seed", type=int, default=0, metavar="N", show_default=True)
@click.option("--rep", "as_rep", is_flag=True, help="As a trace of the malloc lab, not a scenario.")
def pattern_command(name: str, size: int | None, seed: int, as_rep: bool) -> None:
    """Print a pattern: calls that are hard on one part of an allocator. Without NAME, list them.

    The same NAME, N and seed give the same calls everywhere.

    \b
    Examples:
        emu pattern
        emu pattern needle -n 100 > needle.heap
        emu pattern power-law --seed 7 --rep > power-law.rep
    """
    from emu.scenario import patterns

    if not name:
        for known in patterns.PATTERNS:
            click.echo(f"{known:<16} {patterns.about(known)}")
        return
    scenario = patterns.pattern(name, size or patterns.DEFAULT_N, seed)
    written = patterns.as_rep if as_rep else patterns.as_heap
    click.echo(written(scenario), nl=False)
