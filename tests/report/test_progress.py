"""The progress bar: for people who wait, and for nobody else."""

from __future__ import annotations

import pytest

from emu.report import progress as module
from emu.report.progress import progress


def told(capsys):
    with progress("big.rep") as tell:
        for done in (1, 2):
            tell(done, 2)
    return capsys.readouterr().err


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")


def test_work_that_takes_long_shows_a_bar(terminal, monkeypatch, capsys):
    monkeypatch.setattr(module, "PATIENCE", -1)
    assert "big.rep" in told(capsys)


def test_work_that_is_soon_done_shows_none(terminal, capsys):
    assert told(capsys) == ""


def test_no_bar_where_nobody_sees_it(monkeypatch, capsys):
    monkeypatch.setattr(module, "PATIENCE", -1)
    assert told(capsys) == ""
