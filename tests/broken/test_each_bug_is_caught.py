"""Every named check fires on an allocator with the bug that it is for, and none on a sound one."""

from __future__ import annotations

import pytest
from bugs import BUGS, build
from index_bugs import INDEX_BUGS

from emu import run
from emu.errors import BudgetSpent, GuestExited, GuestFault
from emu.run import FAILED
from emu.scenario.load import from_text
from emu.view.index_invariants import CHECKS as INDEX_CHECKS
from emu.view.invariants import CHECKS

BUDGET = 100_000
OWN_DOING = {
    "double-free",
    "invalid-free",
    "use-after-free",
    "write-past-end",
    "write-before-start",
}


def played(bug, allocator):
    done = run(from_text(bug.scenario, "bug.heap"), allocator, budget=BUDGET)
    met = {finding.rule for finding in done.findings} | {done.outcome}
    return met | ({"result"} if FAILED in met else set())


@pytest.mark.parametrize("bug", BUGS + INDEX_BUGS, ids=lambda bug: bug.name)
def test_the_bug_is_caught(bug, tmp_path):
    assert bug.rules & played(bug, build(bug, tmp_path))


@pytest.mark.parametrize("allocator", ["osmem", "indexed"])
@pytest.mark.parametrize("bug", BUGS + INDEX_BUGS, ids=lambda bug: bug.name)
def test_the_sound_ones_are_clean_on_the_same_calls(bug, allocator):
    assert played(bug, allocator) == {"completed"}


def test_every_rule_has_a_bug_that_it_catches():
    from emu.view import ledger

    promised = {line.split()[0] for line in ledger.__doc__.splitlines() if line.startswith("    ")}
    deaths = {error.rule for error in (GuestFault, BudgetSpent, GuestExited)}
    every = set(CHECKS) | promised | deaths | {"convention"}
    assert every - OWN_DOING == {bug.caught_by for bug in BUGS} - {"result"}


def test_every_rule_of_an_index_has_a_bug_that_it_catches():
    caught_by = {bug.caught_by for bug in INDEX_BUGS}
    assert set(INDEX_CHECKS) == {rule for rule in caught_by if rule.startswith("index-")}
