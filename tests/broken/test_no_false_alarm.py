"""A check finds nothing wrong with allocators that are sound: ours, and those of the world."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hunt import short_check
from hypothesis import settings
from sound import SOUND

from emu.allocators import Choice
from emu.judge.check import check

LONG = settings().max_examples > 1000
LIMIT = 4
"""Calls of each task. `python tests/broken --sound` makes whole checks."""


@pytest.fixture(params=SOUND)
def sound(request):
    one = SOUND[request.param]
    if not one.exists:
        pytest.skip(f"no {one.allocator}")
    return one


def test_nothing_is_found_in_a_short_check(sound):
    verdict = short_check(Choice(sound.allocator), replace(sound.plan, depth=2), LIMIT)
    assert verdict.contract == sound.contract
    assert verdict.defects == ()
    assert verdict.calls > 300


@pytest.mark.skipif(not LONG, reason="takes minutes: with --hypothesis-profile=long")
def test_nothing_is_found_in_a_whole_check(sound):
    verdict = check(Choice(sound.allocator), sound.plan)
    assert verdict.complete
    assert verdict.defects == ()
