"""Verdicts made by hand, for tests of reports."""

from __future__ import annotations

from emu.judge.verdict import Defect, Evidence, TopicResult, Verdict
from emu.report.verdict.checked import Checked

OVERLAP = Defect(
    rule="overlap",
    message="100 bytes at heap+0x20 overlap 100 bytes at heap+0x20 (given by #1), which is in use",
    scenario="a = malloc 100\nb = malloc 100\nfree a\nc = malloc 100\nfree a\nd = malloc 100\n",
    topic="misuse",
    evidence=Evidence(
        expected="no block in use shares a byte with another",
        happened="os_malloc(100) gave heap+0x20",
        before="heap  128 KiB   in use 208\n|H##H##H....|\n H  header    #  used",
        after="heap  128 KiB   in use 312\n|H##H##H#...|\n H  header    #  used",
        instruction="0x400123 (find_best+0x12): cmp dword ptr [rdx + 8], 0",
        source="search.s:44",
        source_text="        cmp     dword ptr [rdx + BLOCK_STATUS], FREE",
    ),
    failures=12,
)
FAULT = Defect(
    rule="fault",
    message="page fault: read of 0x0",
    scenario="# fault: page fault: read of 0x0\nfail brk 1 ENOMEM\na = malloc 8\n",
    topic="no memory",
    evidence=Evidence("NULL, and os_errno is ENOMEM", "page fault: read of 0x0"),
)
TOPICS = (
    TopicResult("sizes", 40, 812, 0),
    TopicResult("misuse", 48, 300, 12),
    TopicResult("no memory", 4, 9, 1),
    TopicResult("traces", 0, 0, 0, "the budget was spent"),
)
BROKEN = Verdict("mine.s", "osmem", 1121, TOPICS, (OVERLAP, FAULT), complete=False, seed=7)
SOUND = Verdict("good.s", "malloc", 40_000, (TopicResult("sizes", 40, 812, 0),))
REFUSED = Checked("bad.s", None, "bad.s:1: invalid mnemonic\n    frob <rax>")
