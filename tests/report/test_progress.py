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


def test_what_is_printed_meanwhile_goes_to_the_standard_output(terminal, monkeypatch, capsys):
    monkeypatch.setattr(module, "PATIENCE", -1)
    with progress("big.rep") as tell:
        tell(1, 2)
        print("a result")
    said = capsys.readouterr()
    assert said.out == "a result\n"
    assert "a result" not in said.err


def test_a_total_that_grows_is_shown(terminal, monkeypatch, capsys):
    monkeypatch.setattr(module, "PATIENCE", -1)
    with progress("big.rep") as tell:
        tell(1, 2)
        tell(2, 200)
    assert "1%" in capsys.readouterr().err


def test_work_that_is_soon_done_shows_none(terminal, capsys):
    assert told(capsys) == ""


def test_no_bar_where_nobody_sees_it(monkeypatch, capsys):
    monkeypatch.setattr(module, "PATIENCE", -1)
    assert told(capsys) == ""
