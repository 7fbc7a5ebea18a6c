"""A check finds what is wrong with an allocator, and nothing wrong with osmem."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "broken"))
from bugs import BUGS, build

from emu.judge.check import check
from emu.judge.plan import Budget, Plan
from emu.judge.subject import Subject

SHORT = Plan(depth=2, budget=Budget(calls=1500))


def named(name):
    return next(bug for bug in BUGS if bug.name == name)


@pytest.mark.parametrize("contract", ["osmem", "malloc"])
def test_osmem_has_no_defect(contract):
    verdict = check(Subject("osmem"), Plan(contract, depth=3, budget=Budget(calls=6000)))
    assert verdict.defects == ()
    assert all(topic.failures == 0 for topic in verdict.topics)
    assert verdict.calls > 1000


@pytest.mark.parametrize(
    "name", ["no back pointer after a split", "calloc does not clear", "exits when memory runs out"]
)
def test_a_planted_bug_is_found_by_its_name(name, tmp_path):
    bug = named(name)
    verdict = check(Subject(str(build(bug, tmp_path))), SHORT)
    assert bug.caught_by in {defect.rule for defect in verdict.defects}
