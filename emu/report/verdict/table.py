"""Many verdicts for the terminal: a row an allocator, and what is wrong with each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from emu.report.terminal import counted
from emu.report.verdict.checked import Checked, Standing, by_rule
from emu.report.verdict.terminal import STYLES, brief

Row = tuple[str, str, str, str]


def show(every: Sequence[Checked], to: Console) -> None:
    """Prints the table, and under it a line a defect."""
    for line in rows(every):
        to.print(line, soft_wrap=True)
    to.print()
    for checked in every:
        for line in brief(checked):
            to.print(line, soft_wrap=True)
        if checked.unmarked:
            told = f"  {checked.allocator}: failed without points: {', '.join(checked.unmarked)}"
            to.print(Text(told, "dim"), soft_wrap=True)
    to.print(total(every), soft_wrap=True)


def rows(every: Sequence[Checked]) -> Iterator[Text]:
    """The table: allocator, calls, points, defects by rule."""
    head: Row = ("allocator", "calls", "points", "defects")
    cells = [head, *map(_row, every)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    graded = any(checked.marks for checked in every)
    yield Text(f"       {_line(head, widths, graded=graded)}", "dim")
    for checked, row in zip(every, cells[1:], strict=True):
        standing = (f"{checked.standing:<7}", STYLES[checked.standing])
        yield Text.assemble(standing, _line(row, widths, graded=graded))


def total(every: Sequence[Checked]) -> Text:
    """How many are well, and how many are not."""
    passed = sum(checked.standing is Standing.PASS for checked in every)
    text = f"{counted(len(every), 'allocator')}: {passed} without a defect"
    for standing, what in ((Standing.FAIL, "with defects"), (Standing.ERROR, "not checked")):
        if number := sum(checked.standing is standing for checked in every):
            text += f", {number} {what}"
    return Text(text, "bold")


def _row(checked: Checked) -> Row:
    verdict, marks = checked.verdict, checked.marks
    calls = str(verdict.calls) if verdict else ""
    points = f"{marks.points:f} of {marks.of:f}" if marks else ""
    told = by_rule(checked.defects) if verdict else checked.outcome
    unfinished = "" if verdict is None or verdict.complete else "budget spent"
    return checked.allocator, calls, points, "; ".join(filter(None, (told, unfinished)))


def _line(row: Row, widths: list[int], *, graded: bool) -> str:
    name, calls, points, defects = row
    text = f"{name:<{widths[0]}}  {calls:>{widths[1]}}"
    return f"{text}  {f'{points:>{widths[2]}}  ' if graded else ''}{defects}".rstrip()
