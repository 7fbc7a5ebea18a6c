"""original.c answers as osmem does wherever a course looks, and a check sees through it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hunt import hunt_for
from planting import HERE

from emu import run
from emu.allocators import Choice
from emu.judge.plan import Plan
from emu.judge.subject import CALL_BUDGET
from emu.scenario.load import from_text, shipped

ORIGINAL = str(HERE / "original.c")
LOOKED_AT = [path for path in shipped() if path.stem != "out-of-memory"]
DEFECTS = {
    "calloc-overflow": "size_t total = nmemb * size;",
    "fault": "memcpy(new, PAYLOAD(block), size);",
    "exit": "DIE(",
    "overlap": "block->size = size;",
}
"""How each is told, and the line that it is told with."""


def answers(path, allocator):
    """What a trace compares: results, and system calls."""
    return [(step.result, step.syscalls) for step in run(path, allocator).steps if step.call]


@pytest.mark.parametrize("path", LOOKED_AT, ids=lambda path: path.stem)
def test_it_answers_as_osmem_does(path):
    assert answers(path, ORIGINAL) == answers(path, "osmem")


@pytest.mark.parametrize("contract", ["malloc", "osmem"])
@pytest.mark.parametrize("rule", DEFECTS)
def test_each_of_its_four_defects_is_told_alone_with_its_line(rule, contract):
    caught = hunt_for({rule}, Choice(ORIGINAL), Plan(contract))
    assert caught is not None
    evidence = caught.defect.evidence
    assert Path((evidence.source or "").rpartition(":")[0]).name == "original.c"
    assert DEFECTS[rule] in evidence.source_text
    scenario = from_text(caught.defect.scenario, "defect.heap")
    done = run(scenario, ORIGINAL, budget=CALL_BUDGET)
    assert rule in {finding.rule for finding in done.findings}
    assert run(scenario, str(HERE / "osmem.c")).status == 0
