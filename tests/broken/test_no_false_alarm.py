"""A check finds nothing wrong with allocators that are sound: ours, and those of the world."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hunt import short_check
from planting import HERE

from emu.judge.plan import Budget, Plan
from emu.judge.subject import Subject

LIBRARIES = Path("/usr/lib/x86_64-linux-gnu")
SOUND = {
    "osmem": ("osmem", "osmem", 8),
    "osmem as any malloc": ("osmem", "malloc", 8),
    "indexed": ("indexed", "osmem", 8),
    "osmem.c": (HERE / "osmem.c", "osmem", 8),
    "osmem.c as any malloc": (HERE / "osmem.c", "malloc", 8),
    "sound.c": (HERE / "sound.c", "malloc", 16),
    "glibc": (LIBRARIES / "libc.so.6", "malloc", 16),
    "musl": ("/lib/ld-musl-x86_64.so.1", "malloc", 16),
    "jemalloc": (LIBRARIES / "libjemalloc.so.2", "malloc", 16),
    "mimalloc": (LIBRARIES / "libmimalloc.so.2", "malloc", 16),
    "tcmalloc": (LIBRARIES / "libtcmalloc_minimal.so.4", "malloc", 16),
}
SHORT = Plan(depth=2, budget=Budget(calls=20_000))
LIMIT = 4
"""Calls of each task. Whole checks are made by `python tests/broken --sound`."""


@pytest.mark.parametrize("name", SOUND)
def test_nothing_is_found(name):
    allocator, contract, alignment = SOUND[name]
    if str(allocator).startswith("/") and not Path(allocator).exists():
        pytest.skip(f"{name} is not installed")
    plan = replace(SHORT, contract=contract, alignment=alignment)
    verdict = short_check(Subject(str(allocator)), plan, LIMIT)
    assert verdict.contract == contract
    assert verdict.defects == ()
    assert verdict.calls > 300
