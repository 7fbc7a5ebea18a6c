"""What a call did, in words."""

from __future__ import annotations

import pytest

from emu import run
from emu.scenario.load import from_text

THREE = "a = malloc 100\nb = malloc 100\nc = malloc 100\n"


def last_words(text):
    steps = [step for step in run(from_text(text, "x.heap")).steps if step.call]
    return ", ".join(steps[-1].changes)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a = malloc 0", "nothing asked for"),
        ("a = malloc 1000", "preallocated 128 KiB, split 1000 off 131040"),
        ("a = malloc 131039", "preallocated 128 KiB, took all 131040"),
        ("a = malloc 131040", "mapped 128 KiB"),
        ("a = malloc 131024", "preallocated 128 KiB, took all 131040"),
        ("a = malloc 131024\nb = malloc 8", "a new last block of 8"),
        ("a = malloc 130000\nb = malloc 50K", "grew the last by 50192"),
        (THREE + "free b", "104 free"),
        (THREE + "free b\nfree b", "was free already"),
        ("free null", "nothing to free"),
        ("a = malloc 128K\nfree a", "unmapped"),
        (THREE + "free b\nd = malloc 104", "took all 104, best fit of 2"),
        (
            THREE + "free a\nfree b\nd = malloc 240",
            "merged 2 into 240, took all 240, best fit of 2",
        ),
        (THREE + "free a\nfree b\nd = malloc 1000", "split 1000 off 130632, merged 2 into 240"),
        (THREE + "a = realloc a 104", "stays"),
        (THREE + "a = realloc a 8", "split 8 off 104"),
        (THREE + "free b\na = realloc a 208", "absorbed one block, now 240"),
        (THREE + "free b\na = realloc a 150", "absorbed one block, now 240, split 152 off 240"),
        (
            THREE + "free b\na = realloc a 1000",
            "absorbed one block, now 240, moved, split 1000 off 130632, the old block free",
        ),
        (THREE + "a = realloc a 200K", "moved, mapped 204832, the old block free"),
        (THREE + "a = realloc a 0", "104 free"),
        ("fail mmap 1 ENOMEM\na = malloc 1M", "out of memory"),
        ("a = malloc 131000\nfail brk 1 ENOMEM\nb = malloc 64", "out of memory"),
        ("a = calloc 0x8000000000000000 2", "refused"),
        ("a = malloc 131024\na = realloc a 131030", "stays"),
        ("a = malloc 131024\nb = malloc 8\nb = realloc b 100", "grew the last by 96"),
    ],
)
def test_the_words_say_what_changed(text, words):
    assert last_words(text) == words
