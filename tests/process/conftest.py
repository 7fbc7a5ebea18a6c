"""Processes that are closed behind the test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import guests
import pytest

from emu.process.process import Process


@pytest.fixture
def load() -> Iterator[guests.Load]:
    """load(source, budget=..., limits=...): a process of a program in Intel syntax."""
    with ExitStack() as stack:
        yield lambda source, **options: stack.enter_context(
            Process(guests.image(source), **options)
        )


@pytest.fixture
def pages(load: guests.Load) -> Process:
    """A guest that maps, protects, reads and writes as it is told."""
    return load(guests.PAGES)
