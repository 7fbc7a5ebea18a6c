"""emu demo: the scenarios that come with it."""

from __future__ import annotations

import click

from emu.commands.common import ALLOCATOR, CONTEXT


@click.command("demo", context_settings=CONTEXT)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@ALLOCATOR
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
