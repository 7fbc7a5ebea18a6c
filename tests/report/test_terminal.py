"""What `emu run` prints, whole: the shipped scenarios against golden files.

To see what would change: pytest --golden, and then git diff tests/scenarios.
"""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from emu import run
from emu.report import terminal
from emu.report.as_json import as_dict
from emu.scenario.load import shipped

GOLDEN = Path(__file__).parent.parent / "scenarios"


def printed(done):
    out = io.StringIO()
    console = Console(file=out, width=terminal.WIDTH, color_system=None, highlight=False)
    terminal.show(done, console)
    return out.getvalue()


def as_text(done):
    return json.dumps(as_dict(done), indent=1) + "\n"


def compare(path, text, request):
    if request.config.getoption("--golden"):
        path.write_text(text)
    assert text == path.read_text()


@pytest.fixture(params=shipped(), ids=lambda path: path.stem)
def done(request, monkeypatch):
    """A shipped scenario, run from where it lies so that no path is printed."""
    monkeypatch.chdir(request.param.parent)
    return run(request.param.name)


def test_the_terminal_shows_what_the_golden_file_has(done, request):
    compare(GOLDEN / f"{done.scenario.name}.txt", printed(done), request)


def test_the_json_is_what_the_golden_file_has(done, request):
    compare(GOLDEN / f"{done.scenario.name}.json", as_text(done), request)


def test_every_shipped_scenario_expects_something_and_only_misuse_has_findings(done):
    assert any("expect" in step.statement.text for step in done.steps)
    assert done.outcome == "completed"
    assert bool(done.findings) == (done.scenario.name == "misuse")


def test_every_shipped_scenario_is_in_the_tour():
    assert {path.stem for path in shipped()} == {p.stem for p in shipped()[0].parent.glob("*.heap")}


def test_colours_are_those_of_the_roles(done):
    out = io.StringIO()
    console = Console(file=out, width=terminal.WIDTH, color_system="truecolor", force_terminal=True)
    terminal.show(done, console)
    assert "48;2;42;111;151" in out.getvalue()  # used, #2a6f97
    assert "48;2;68;68;68" in out.getvalue()  # header, #444444
