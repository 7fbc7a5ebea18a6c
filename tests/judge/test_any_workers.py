"""The same seed gives the same verdicts here, in two processes and on a cluster."""

from __future__ import annotations

import sys
from pathlib import Path

import dask_cluster
import pytest
from click.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parent.parent / "broken"))
from bugs import BUGS, build
from pointer_bugs import HIGH_BUGS

from emu.allocators import Choice
from emu.cli import main
from emu.judge import cluster as module
from emu.judge.check import check_all
from emu.judge.cluster import Setting, cluster
from emu.judge.plan import Budget, Plan
from emu.judge.spread import processes
from emu.report.verdict.as_json import document

PLAN = Plan(depth=2, seed=3, budget=Budget(calls=400))


BUG = next(bug for bug in BUGS if bug.name == "the rest of a split begins inside the block")
ANY = (BUG, HIGH_BUGS[0])
"""One ends most scenarios early, one shows only at high addresses."""


@pytest.fixture(scope="module")
def subjects(tmp_path_factory):
    return [Choice(str(build(bug, tmp_path_factory.mktemp("one")))) for bug in ANY]


@pytest.fixture(scope="module")
def here(subjects):
    verdicts = list(check_all(subjects, PLAN))
    for bug, verdict in zip(ANY, verdicts, strict=True):
        assert bug.caught_by in {defect.rule for defect in verdict.defects}
    return verdicts


def test_two_processes_give_the_same_verdicts(here, subjects):
    told = []
    with processes(2) as executor:
        verdicts = check_all(subjects, PLAN, executor, lambda done, total: told.append(done))
        assert list(verdicts) == here
    assert max(told) == len(told)


def test_a_cluster_gives_the_same_verdicts_and_the_command_too(
    here, subjects, tmp_path, monkeypatch
):
    monkeypatch.setattr(module, "PATIENCE", 60)  # the machine may be busy
    setting = Setting.here(subjects, [])
    with dask_cluster.running(tmp_path, 2) as running:
        with cluster(running.address, setting) as executor:
            assert list(check_all(subjects, PLAN, executor)) == here
        arguments = ["--depth", "2", "--seed", "3", "--budget", "400", "--json"]
        command = ["check", subjects[1].name, "--scheduler", running.address, *arguments]
        done = CliRunner().invoke(main, command)
    assert done.exit_code == 1
    assert done.stdout == document(here[1]) + "\n"
