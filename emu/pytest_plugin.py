"""The pytest plugin: the fixture `heap`, the option `--allocator`, failures that draw the heap."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from emu.allocators import Choice
    from emu.heap import Heap

_HEAP_START = "--allocator-heap-start"
_HEAPS = pytest.StashKey[list["Heap"]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("emu", "allocators under emulation")
    group.addoption(
        "--allocator",
        default="osmem",
        metavar="NAME|PATH",
        help="what the fixture `heap` runs: a shipped allocator, a .s or .c file, an object, an "
        "archive, a program or a shared library (default: osmem)",
    )
    group.addoption(
        "--allocator-cflags",
        default="",
        metavar="FLAGS",
        help="for the host's cc, of C and objects",
    )
    group.addoption(
        "--allocator-prefix",
        metavar="TEXT",
        help="what its functions' names begin with",
    )
    group.addoption(
        _HEAP_START,
        type=address,
        metavar="ADDRESS",
        help="where the heap of an allocator in assembly begins",
    )


def address(text: str) -> int:
    """Decimal, or 0x.. ."""
    return int(text, 0)


def pytest_configure(config: pytest.Config) -> None:
    """A wrong --allocator is said once, before any test."""
    if config.getoption("--allocator") == "osmem" and config.getoption(_HEAP_START) is None:
        return  # what is shipped is right; most runs of pytest want no heap at all
    from asm import AssemblyError
    from emu.allocators import ready
    from emu.errors import GuestDied, InputError

    try:
        ready(_choice(config))
    except (InputError, AssemblyError, GuestDied) as error:
        raise pytest.UsageError(f"--allocator: {error}") from None


def _choice(config: pytest.Config) -> Choice:
    from emu.allocators import Choice

    name, flags = config.getoption("--allocator"), config.getoption("--allocator-cflags")
    prefix, heap_start = config.getoption("--allocator-prefix"), config.getoption(_HEAP_START)
    return Choice(name, flags, prefix, heap_start)


@pytest.fixture
def heap(request: pytest.FixtureRequest) -> Iterator[Heap]:
    """A fresh process with the allocator of --allocator; closed after the test."""
    from emu.heap import Heap

    made = Heap(_choice(request.config))
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
