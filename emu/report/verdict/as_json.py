"""A verdict as one line of JSON."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from emu.judge.points import Marks
from emu.judge.verdict import Defect, Verdict


def document(verdict: Verdict, marks: Marks | None = None) -> str:
    """The verdict; its marks too, where there are points."""
    return json.dumps(as_dict(verdict, marks), ensure_ascii=False)


def as_dict(verdict: Verdict, marks: Marks | None = None) -> dict[str, Any]:
    """The same before it is text."""
    found: dict[str, Any] = {
        "allocator": verdict.allocator,
        "contract": verdict.contract,
        "calls": verdict.calls,
        "defects": [_defect(defect) for defect in verdict.defects],
    }
    return found | ({"marks": _marks(marks)} if marks else {})


def _defect(defect: Defect) -> dict[str, Any]:
    return {
        "rule": defect.rule,
        "message": defect.message,
        "scenario": defect.scenario,
        "source": defect.source,
    }


def _marks(marks: Marks) -> dict[str, Any]:
    topics = [
        {"topic": mark.topic, "points": _number(mark.points), "of": _number(mark.of)}
        for mark in marks.marks
    ]
    return {"topics": topics, "points": _number(marks.points), "of": _number(marks.of)}


def _number(points: Decimal) -> int | float:
    return int(points) if points == int(points) else float(points)
