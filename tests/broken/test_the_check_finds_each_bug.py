"""A check finds every planted bug, under its right name, as a scenario that a single run fails.

With `--hypothesis-profile=long` all bugs are hunted for, and whole checks made; else a sample is.
`python tests/broken` prints a table of all.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from every_bug import EVERY_BUG
from hunt import hunt
from hypothesis import settings
from planting import build
from pointer_bugs import HIGH_BUGS

from emu import run
from emu.allocators import Choice
from emu.judge.check import check
from emu.judge.plan import Plan
from emu.judge.subject import CALL_BUDGET
from emu.judge.topics import HIGH
from emu.scenario.load import from_text

LONG = settings().max_examples > 1000
SAMPLE = Random("planted").sample(EVERY_BUG, len(EVERY_BUG) // 4)
TO_THE_LINE = {
    "a double free gives the block back to its user",
    "a block at a multiple of 4 GiB counts as none",
    "a failed mmap is used",
    "a mapped block that is large enough stays",
    "a status of its own",
    "a new block's address is cut to 32 bits",
    "clobbers rbx",
    "errno is set where nothing failed",
    "exits when memory runs out",
    "forgets the slack",
    "free cuts what it is given to 32 bits",
    "free of NULL is a block, too",
    "half of a back pointer is written",
    "indexed: a new block's address is cut to 32 bits",
    "realloc of NULL is refused",
    "the break is remembered before the kernel agrees",
    "the direction flag stays set",
    "the rest of a split is in use",
    "the search uses a register of its caller's",
    "the stack is left a word too high",
    "the tail is longer before the kernel agrees",
    "osmem.c: the break is remembered before the kernel agrees",
    "osmem.c: the process ends where memory does",
    "osmem.c: the rest of a split follows itself",
    "sound.c: a failing mmap is ignored",
    "sound.c: calloc trusts recycled memory",
    "sound.c: free loses a register of its caller's",
    "sound.c: free of NULL is a block",
    "sound.c: free reads what it has unmapped",
    "sound.c: some sizes are refused",
    "sound.c: the process ends where memory does",
    "sound.c: the search goes round for ever",
}
"""Bugs of which a check tells the planted line itself: what they do wrong shows there. Of the
others it tells the line at which the heap became wrong, which may be in a verb that they call."""
OWN_DOING = {"double-free", "use-after-free"}
"""Findings of a scenario that misuses blocks, whatever the allocator does."""


def placed(allocator, defect):
    """As the defect is to be seen again."""
    return Choice(str(allocator), heap_start=defect.heap_start)


def is_well(scenario, allocator):
    done = run(scenario, allocator, budget=CALL_BUDGET)
    return done.outcome == "completed" and not {one.rule for one in done.findings} - OWN_DOING


@pytest.mark.parametrize("bug", EVERY_BUG if LONG else SAMPLE, ids=lambda bug: bug.name)
def test_it_is_found_by_its_name(bug, tmp_path):
    broken = build(bug, tmp_path)
    caught = hunt(bug, broken)
    assert caught is not None, f"none of {bug.caught_by}"
    scenario = from_text(caught.defect.scenario, f"{bug.name}.heap")
    assert (caught.defect.topic == HIGH) == (bug in HIGH_BUGS)
    assert is_well(scenario, placed(bug.sound, caught.defect))
    assert bug.alignment > 8 or not is_well(scenario, placed(broken, caught.defect))
    file, _, line = (caught.defect.source or "").rpartition(":")
    assert Path(file).parent == tmp_path
    assert caught.defect.evidence.instruction
    if bug.name in TO_THE_LINE:
        assert Path(file).name == bug.file
        assert int(line) in bug.lines


def test_there_are_enough_of_them_and_no_two_are_the_same():
    assert len({bug.name for bug in EVERY_BUG}) == len(EVERY_BUG) > 55
    assert {bug.name for bug in EVERY_BUG} > TO_THE_LINE
    assert len({(bug.file, bug.was, bug.is_) for bug in EVERY_BUG}) == len(EVERY_BUG)


@pytest.mark.skipif(not LONG, reason="takes hours: with --hypothesis-profile=long")
@pytest.mark.parametrize("bug", EVERY_BUG if LONG else SAMPLE[:1], ids=lambda bug: bug.name)
def test_a_whole_check_has_it_among_its_defects(bug, tmp_path):
    verdict = check(Choice(str(build(bug, tmp_path))), Plan(alignment=bug.alignment))
    assert bug.rules & {defect.rule for defect in verdict.defects}
