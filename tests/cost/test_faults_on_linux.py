"""Page faults of each call: as many as the host's kernel counts for the same machine code."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from emu.bench.bench import bench
from emu.bench.plan import Step, plan
from emu.scenario.patterns import pattern
from tests.native.building import build, link

HERE = Path(__file__).parent


def _line(step: Step) -> str:
    match step.kind:
        case "malloc":
            return f"m {step.size}"
        case "calloc":
            return f"c {step.count} {step.size}"
        case "realloc":
            return f"r {step.of} {step.size}"
    return f"f {step.of}"


@pytest.fixture(scope="module", params=["osmem", "indexed"])
def allocator(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def counter(allocator: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Linked statically: no call loads anything."""
    made = build(tmp_path_factory.mktemp("faults"), "osmem.o", allocator)
    return link(HERE / "faults.c", made, "-static")


@pytest.mark.parametrize("name", ["uniform", "realloc-growth", "hash-table"])
def test_each_call_has_as_many_page_faults_as_on_linux(
    counter: Path, allocator: str, name: str
) -> None:
    """But for a page of our stack, which is new when it is first called."""
    scenario = pattern(name, 400, 2)
    lines = "".join(f"{_line(step)}\n" for step in plan(scenario))
    done = subprocess.run(
        [counter], input=lines, capture_output=True, text=True, check=True, timeout=60
    )
    linux = list(map(int, done.stdout.split()))
    ours = bench(scenario, allocator, accesses=False).counts["faults"].tolist()
    assert [ours[0] - 1, *ours[1:]] == linux
    assert sum(ours) > 10
