"""Verdicts as a page: one file that fetches nothing and can be sent to anyone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from emu.report.chart_data import spaced
from emu.report.palette import FREE, HEADER, ROLES, SLACK, USED
from emu.report.template import template
from emu.report.verdict.checked import Checked, by_rule, standing
from emu.report.verdict.defect import shortened
from emu.report.verdict.table import total

_BY_LETTER = {role.letter: role.name for role in (USED, FREE, HEADER, SLACK)}
_STRIP = re.compile(rf"\|[{re.escape(''.join(_BY_LETTER))}]+\|")


def page(every: Sequence[Checked]) -> str:
    """The whole page. InputError where the extra `report` is not installed."""
    filters = {
        "spaced": spaced, "painted": _painted, "standing": standing, "by_rule": by_rule,
        "shortened": shortened,
    }  # fmt: skip
    text = template("verdict.html", filters).render(
        every=every, roles=ROLES, graded=any(checked.marks for checked in every),
        wrong=any(checked.status for checked in every), total=total(every).plain,
    )  # fmt: skip
    return str(text).encode("utf-8", "backslashreplace").decode("utf-8")


def _painted(picture: str) -> Iterator[tuple[str, str]]:
    """A picture of a heap, cut into pieces with the role of each; "" for what is no cell."""
    for line in picture.splitlines():
        if _STRIP.fullmatch(line):
            for letter, run in groupby(line):
                yield "".join(run), _BY_LETTER.get(letter, "")
        else:
            yield line, ""
        yield "\n", ""
