"""A verdict for the terminal: what was tried, what went wrong, and the marks."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from emu.judge.points import Mark, Marks
from emu.judge.verdict import TopicResult
from emu.report.palette import ERROR
from emu.report.verdict import defect
from emu.report.verdict.checked import Checked, Standing, standing

_DIM = "dim"
_LONGEST = 120
"""Letters of a message that is told in a line."""
STYLES = {
    Standing.PASS: "bold #23703f", Standing.SKIP: _DIM,
    Standing.FAIL: f"bold {ERROR.colour}", Standing.ERROR: f"bold {ERROR.colour}",
}  # fmt: skip


def show(checked: Checked, to: Console) -> None:
    """Prints the whole verdict."""
    for line in lines(checked):
        to.print(line, soft_wrap=True)


def show_quietly(checked: Checked, to: Console) -> None:
    """Prints the defects, a line each, the marks, and the outcome."""
    for line in (*brief(checked), *marks(checked)):
        to.print(line, soft_wrap=True)
    to.print(outcome(checked), soft_wrap=True)


def lines(checked: Checked) -> Iterator[Text]:
    """The report, line by line; nothing for an allocator that could not be checked."""
    verdict = checked.verdict
    if verdict is None:
        return
    about = f"  contract {verdict.contract}, seed {verdict.seed}"
    yield Text(checked.allocator, "bold") + Text(about, _DIM)
    yield from _topics(verdict.topics)
    for index in range(len(verdict.defects)):
        yield Text()
        yield from defect.lines(checked, index)
    if checked.marks:
        yield Text()
        yield from marks(checked)
    yield Text()
    yield outcome(checked)


def brief(checked: Checked) -> Iterator[Text]:
    """A line a defect."""
    for found in checked.defects:
        place = f"  {found.source}" if found.source else ""
        told = f"{ERROR.letter} {checked.allocator}: {found.rule}: {_shortened(found.message)}"
        yield Text.assemble((told, ERROR.colour), (place, _DIM))


def _shortened(message: str) -> str:
    return message if len(message) <= _LONGEST else message[: _LONGEST - 3] + "..."


def outcome(checked: Checked) -> Text:
    """The last line."""
    return Text.assemble(
        (checked.standing, STYLES[checked.standing]), f"  {checked.allocator}: {checked.outcome}"
    )


def _topics(topics: tuple[TopicResult, ...]) -> Iterator[Text]:
    width = max([20, *(len(topic.name) for topic in topics)])
    yield Text(f"      {'topic':<{width}} {'scenarios':>10} {'calls':>9} {'failures':>9}", _DIM)
    for topic in topics:
        how = standing(topic)
        counts = f"{topic.scenarios:>10} {topic.calls:>9} {topic.failures or '':>9}"
        skipped = f"   {topic.skipped}" if topic.skipped else ""
        text = f"  {topic.name:<{width}} {counts}".rstrip()
        yield Text.assemble((f"{how:<4}", STYLES[how]), text, (skipped, _DIM))


def marks(checked: Checked) -> Iterator[Text]:
    """A line a topic that has points, and their sum; nothing without points."""
    if checked.marks is None:
        return
    given = checked.marks
    width = max([20, *(len(mark.topic) for mark in given.marks)])
    yield Text("      points", _DIM)
    for mark in given.marks:
        why = f"   {mark.why}" if mark.why else ""
        yield Text.assemble(f"      {mark.topic:<{width}} {_of(mark):>14}", (why, _DIM))
    yield Text(f"      {'in all':<{width}} {_of(given):>14}", "bold")
    if checked.unmarked:
        yield Text(f"      failed without points: {', '.join(checked.unmarked)}", ERROR.colour)


def _of(mark: Mark | Marks) -> str:
    return f"{mark.points:f} of {mark.of:f}"
