"""A defect as lines: its rule, what was expected, what happened, where, and how to see it again."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from emu.judge.verdict import Defect, Evidence
from emu.report.palette import ERROR
from emu.report.terminal import counted
from emu.report.verdict.checked import Checked, statements

_MOST_LINES = 40
_LABEL = 12


def lines(checked: Checked, index: int) -> Iterator[Text]:
    """All there is to say of a defect."""
    defect = checked.defects[index]
    yield Text(f"{ERROR.letter} {index + 1}  {defect.rule}: {defect.message}", ERROR.colour)
    failures = counted(defect.failures, "scenario")
    yield from _labelled("shown by", f"{failures}, first of the topic {defect.topic}")
    yield from _told(defect.evidence)
    yield from _labelled("scenario", *shortened(defect))
    yield from _labelled("heap before", *defect.evidence.before.splitlines())
    yield from _labelled("heap after", *defect.evidence.after.splitlines())
    yield from _labelled("again", *checked.again(index))


def _told(evidence: Evidence) -> Iterator[Text]:
    yield from _labelled("expected", *evidence.expected.splitlines())
    yield from _labelled("happened", *evidence.happened.splitlines())
    yield from _labelled("instruction", *evidence.instruction.splitlines())
    if evidence.source:
        text = " ".join(evidence.source_text.split())
        yield from _labelled("source", f"{evidence.source}: {text}")


def shortened(defect: Defect) -> list[str]:
    """The lines of its scenario; of very many, the first and the last."""
    found = statements(defect)
    left_out = len(found) - _MOST_LINES
    if left_out <= 0:
        return found
    half = _MOST_LINES // 2
    return [*found[:half], f"# ... {counted(left_out, 'line')} more", *found[-half:]]


def _labelled(label: str, *texts: str) -> Iterator[Text]:
    """The first line behind the label, the others under it; nothing, without lines."""
    for index, text in enumerate(texts):
        name = label if index == 0 else ""
        yield Text.assemble((f"     {name:<{_LABEL}}", "dim"), text)
