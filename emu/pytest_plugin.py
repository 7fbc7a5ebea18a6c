"""The pytest plugin: the fixture `heap`, the option `--allocator`, failures that draw the heap."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from emu.heap import Heap

_HEAPS = pytest.StashKey[list["Heap"]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("emu", "allocators under emulation")
    group.addoption(
        "--allocator",
        default="osmem",
        metavar="NAME|PATH",
        help="what the fixture `heap` runs: a shipped allocator or a .s file (default: osmem)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """A wrong --allocator is said once, before any test."""
    name = config.getoption("--allocator")
    if name == "osmem":  # what is shipped is right; most runs of pytest want no heap at all
        return
    from asm import AssemblyError
    from emu import allocators
    from emu.errors import InputError

    try:
        allocators.find(name)
    except (InputError, AssemblyError) as error:
        raise pytest.UsageError(f"--allocator: {error}") from None


@pytest.fixture
def heap(request: pytest.FixtureRequest) -> Iterator[Heap]:
    """A fresh process with the allocator of --allocator; closed after the test."""
    from emu.heap import Heap

    made = Heap(request.config.getoption("--allocator"))
    request.node.stash.setdefault(_HEAPS, []).append(made)
    with made:
        yield made


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Iterator[None]:
    """A failed test shows the heap's picture and the last calls."""
    outcome: Any = yield
    report = outcome.get_result()
    if report.when != "call" or not report.failed:
        return
    for made in item.stash.get(_HEAPS, []):
        picture = "(closed by the test)" if made.closed else str(made)
        report.sections.append(("heap", picture))
