"""Where the verdicts of emu check go: terminal, JSON, files."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from asm.errors import why
from emu.commands.common import writable
from emu.errors import InputError
from emu.report.verdict.checked import Checked, Given

if TYPE_CHECKING:
    from emu.allocators import Choice
    from emu.judge.plan import Plan
    from emu.judge.points import Points
    from emu.judge.verdict import Verdict


@dataclass(frozen=True)
class Output:
    """folders: where the scenarios of each allocator are saved, if they are."""

    folders: dict[str, Path]
    points: Points | None
    junit: str | None
    html: str | None
    as_json: bool
    quiet: bool
    given: Given

    @classmethod
    def asked_for(cls, given: dict[str, Any], subjects: Sequence[Choice], plan: Plan) -> Output:
        """By the options. What is wrong with them is told before any work: InputError."""
        from emu.judge.points import load
        from emu.report.verdict.saved import prepare

        allocators = [subject.name for subject in subjects]
        points, junit, html = given["points"], given["junit"], given["html"]
        writable([*allocators, *plan.traces, *filter(None, [points])], junit, html)
        folders = _folders(given["save"], allocators)
        for folder in folders.values():
            prepare(folder)
        if html:
            from emu.report.charts import needed

            needed("jinja2")
        found = load(points) if points else None
        again = given_again(subjects[0], plan)
        return cls(folders, found, junit, html, given["as_json"], given["quiet"], again)

    def expect(self, topics: Sequence[str]) -> None:
        """Of the check that begins. InputError where points are given for anything else."""
        if self.points:
            self.points.refuse_unknown(topics)

    def take(self, subject: Choice, verdict: Verdict) -> Checked:
        """A verdict, as soon as it is there: its files are saved, its JSON is printed."""
        from emu.report.verdict.as_json import document
        from emu.report.verdict.saved import save

        marks = self.points.marks(verdict) if self.points else None
        checked = Checked(verdict.allocator, verdict, marks=marks, given=self.given)
        if subject.name in self.folders:
            checked = replace(checked, saved=save(checked, self.folders[subject.name]))
        if self.as_json:
            click.echo(document(verdict, marks))
        return checked

    def refuse(self, subject: Choice, error: Exception, status: int) -> Checked:
        """An allocator that cannot be checked, and the exit status for that."""
        marks = self.points.nothing("it cannot be checked") if self.points else None
        return Checked(subject.name, None, str(error), marks, refused_with=status)

    def finish(self, every: Sequence[Checked]) -> None:
        """All that is told when all is known."""
        if self.as_json:
            _show([checked for checked in every if checked.defects], quiet=True, stderr=True)
        else:
            _show(every, quiet=self.quiet, stderr=False)
        if self.junit:
            from emu.report.verdict.junit import document

            _write(self.junit, document(every))
        if self.html:
            from emu.report.verdict.html import page

            _write(self.html, page(every))


def _show(every: Sequence[Checked], *, quiet: bool, stderr: bool) -> None:
    from emu.report.terminal import console
    from emu.report.verdict import table, terminal

    to = console(stderr=stderr)
    if len(every) > 1 and not quiet:
        table.show(every, to)
        return
    for checked in every:
        if checked.verdict:
            (terminal.show_quietly if quiet else terminal.show)(checked, to)


def given_again(subject: Choice, plan: Plan) -> Given:
    """The options that differ from the defaults."""
    usual = type(plan)()
    budget = plan.budget
    spelled = budget.calls or (f"{budget.seconds:g}s" if budget.seconds else None)
    return Given(
        _spelled(("--prefix", subject.prefix), ("--cflags", subject.cflags)),
        _spelled(
            ("--contract", plan.contract),
            ("--alignment", plan.alignment if plan.alignment != usual.alignment else None),
        ),
        _spelled(
            ("--depth", plan.depth if plan.depth != usual.depth else None),
            ("--seed", plan.seed), ("--budget", spelled),
            *(("--trace", trace) for trace in plan.traces),
        ),
    )  # fmt: skip


def _spelled(*options: tuple[str, object]) -> str:
    return "".join(f" {name} {shlex.quote(str(value))}" for name, value in options if value)


def _folders(folder: str | None, allocators: Sequence[str]) -> dict[str, Path]:
    """One for a single allocator; for several, a folder of each in it."""
    from emu.report.verdict.saved import short_names

    if folder is None:
        return {}
    if len(allocators) == 1:
        return {allocators[0]: Path(folder)}
    return {name: Path(folder) / short for name, short in short_names(allocators).items()}


def _write(path: str, text: str) -> None:
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot be written: {why(error)}", path) from None
