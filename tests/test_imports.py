"""Imports point down only: the tree of the packages, as a test."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = [
    ["emu.cli"],
    ["emu.commands", "emu.pytest_plugin"],
    ["emu.native"],
    ["emu.report", "emu.debug"],
    ["emu.judge"],
    ["emu.timeline"],
    ["emu.explain"],
    ["emu.run", "emu.launch", "emu.bench"],
    ["emu.heap"],
    ["emu.view", "emu.trace", "emu.sanitizer"],
    ["emu.allocators"],
    ["emu.process"],
    ["emu.scenario"],
    ["emu.errors", "emu.closing"],
    ["asm", "syscalls"],
]
"""From the top down. Rooms of one floor do not know of each other."""

ALLOWED = {("emu.heap", "emu.report")}
"""print(heap) draws it: imported when it is called for."""

ONLY_HERE = {"unicorn": "emu/process/binding.py", "keystone": "asm/machine_code.py"}


def modules():
    for package in ("asm", "syscalls", "emu"):
        for path in sorted((ROOT / package).rglob("*.py")):
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts), path


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(module):
    """(floor, room) of a module; None for what is on no floor."""
    for floor, rooms in enumerate(FLOORS):
        for name in rooms:
            if module == name or module.startswith(name + "."):
                return floor, name
    return None


@pytest.mark.parametrize(("module", "path"), list(modules()), ids=str)
def test_a_module_imports_only_from_below(module, path):
    here = room(module)
    if here is None:
        assert module.split(".")[-1] == "__init__"
        return
    for name in imported(path):
        there = room(name)
        if there is None or there[1] == here[1] or (here[1], there[1]) in ALLOWED:
            continue
        assert there[0] > here[0], f"{module} imports {name}"


@pytest.mark.parametrize("library", ONLY_HERE)
def test_an_engine_is_imported_in_one_file_only(library):
    users = {
        path.relative_to(ROOT).as_posix()
        for _, path in modules()
        if any(name.split(".")[0] == library for name in imported(path))
    }
    assert users == {ONLY_HERE[library]}


def test_a_plain_run_begins_without_what_others_need():
    """Each takes as long to load as a scenario takes to run."""
    heavy = "numpy", "elftools", "hypothesis", "altair", "jinja2", "emu.process.started"
    code = f"import sys, emu.run; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
