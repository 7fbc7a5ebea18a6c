"""A check finds what is wrong with an allocator, and nothing wrong with a sound one."""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "broken"))
from bugs import BUGS, Bug, build
from pointer_bugs import ERRNOS, HIGH_BUGS

from emu import run
from emu.allocators import Choice
from emu.judge.check import check, check_all
from emu.judge.plan import Budget, Plan
from emu.judge.topics import HIGH, SAFETY
from emu.scenario.load import from_text

SHORT = Plan(depth=2, budget=Budget(calls=800))
COURSE = Path(__file__).parent / "course.c"

NEVER_ANY = Bug(
    "always says no", "malloc.s", "os_malloc:\n", "os_malloc:\n        xor     eax, eax\n"
    "        ret\n", "refused", "",
)  # fmt: skip
PEEPS = Bug(
    "reads the block behind", "free.s", "        mov     dword ptr [rdi + BLOCK_STATUS], FREE\n",
    "        mov     dword ptr [rdi + BLOCK_STATUS], FREE\n"
    "        mov     rax, [rdi + BLOCK_NEXT]\n        test    rax, rax\n        je      .Lblind\n"
    "        mov     rax, [rax + META]\n.Lblind:\n", "allocator-touches-live", "",
)  # fmt: skip
UNSAID = Bug(
    "does not say why", "state.s", "        mov     dword ptr [rip + os_errno], ENOMEM\n", "",
    "errno", "",
)  # fmt: skip


def named(name):
    return next(bug for bug in BUGS if bug.name == name)


def broken(bug, folder):
    return Choice(str(build(bug, folder)))


def rules(verdict):
    return {defect.rule for defect in verdict.defects}


@pytest.mark.parametrize("contract", ["osmem", "malloc"])
def test_osmem_has_no_defect(contract):
    verdict = check(Choice("osmem"), Plan(contract, depth=3, budget=Budget(calls=3000)))
    assert verdict.defects == ()
    assert all(topic.failures == 0 for topic in verdict.topics)
    assert verdict.calls > 1000
    assert verdict.status == 0


@pytest.mark.parametrize(
    ("bug", "contract"), [(NEVER_ANY, "malloc"), (PEEPS, "malloc"), (UNSAID, "osmem")]
)
def test_what_only_a_check_sees_is_found_with_its_line(bug, contract, tmp_path):
    verdict = check(broken(bug, tmp_path), replace(SHORT, contract=contract))
    defect = next(defect for defect in verdict.defects if defect.rule == bug.caught_by)
    assert defect.source is not None
    assert Path(defect.source.rpartition(":")[0]).suffix == ".s"
    assert defect.evidence.instruction
    assert defect.failures >= 1


def test_a_block_in_use_that_is_read_is_found_while_accesses_are_looked_at(tmp_path):
    verdict = check(broken(PEEPS, tmp_path), replace(SHORT, contract="malloc"))
    (defect,) = verdict.defects
    assert defect.topic == SAFETY
    assert "free.s" in (defect.source or "")
    assert "BLOCK" not in defect.evidence.source_text
    assert "[rax + META]" in defect.evidence.source_text


# High addresses


@pytest.mark.parametrize("contract", ["osmem", "malloc"])
def test_a_pointer_that_is_cut_is_found_where_the_heap_lies_high(contract, tmp_path):
    subject = broken(HIGH_BUGS[0], tmp_path)
    verdict = check(subject, replace(SHORT, contract=contract))
    assert {defect.topic for defect in verdict.defects} == {HIGH}
    defect = next(one for one in verdict.defects if one.rule == "outside")
    assert defect.heap_start is not None
    assert defect.evidence.source_text == "lea     eax, [rdi + META]"
    scenario = from_text(defect.scenario, "cut.heap")
    placed = Choice(subject.name, heap_start=defect.heap_start)
    assert {finding.rule for finding in run(scenario, placed).findings} == {"outside"}
    assert run(scenario, subject.name).status == 0
    assert f"--heap-start {defect.heap_start:#x}" in defect.scenario


def test_the_heap_of_what_is_no_assembly_is_not_moved():
    verdict = check(Choice(str(COURSE), prefix="course_", cflags="-g -O1 -DFIXED"), SHORT)
    (topic,) = (topic for topic in verdict.topics if topic.name == HIGH)
    assert (topic.calls, topic.skipped) == (0, "only assembly can be laid elsewhere")


def test_what_is_wrong_everywhere_is_told_of_a_usual_heap(tmp_path):
    subject = broken(named("the rest of a split begins inside the block"), tmp_path)
    verdict = check(subject, SHORT)
    assert next(topic for topic in verdict.topics if topic.name == HIGH).failures
    assert verdict.defects
    assert HIGH not in {defect.topic for defect in verdict.defects}


@pytest.mark.parametrize("bug", ERRNOS[1:], ids=lambda bug: bug.name)
def test_an_errno_that_looks_like_an_address_is_told_from_one_by_any_malloc(bug, tmp_path):
    verdict = check(broken(bug, tmp_path), replace(SHORT, contract="malloc"))
    assert rules(verdict) == {"fault"}


READS_TOO_FAR = """
#include <string.h>
#include <unistd.h>

struct block { size_t size; size_t unused; };

void *malloc(size_t size)
{
    size_t rounded = (size + 15) & ~(size_t)15;
    struct block *block = sbrk(sizeof *block + rounded);
    if (block == (void *)-1)
        return NULL;
    block->size = size;
    return block + 1;
}

void free(void *pointer)
{
    (void)pointer;
}

void *realloc(void *old, size_t size)
{
    char *new = malloc(size);
    if (old && new)
        for (size_t i = 0; i < size; i++)
            new[i] = ((volatile char *)old)[i];  /* the old block may be shorter */
    return new;
}
"""


def test_what_only_a_sanitizing_heap_shows_is_told_of_the_scenario_made_small(tmp_path):
    file = tmp_path / "far.c"
    file.write_text(READS_TOO_FAR)
    subject = Choice(str(file), cflags="-g -O1")
    verdict = check(subject, replace(SHORT, contract="malloc"))
    (defect,) = [one for one in verdict.defects if one.rule == "allocator-touches-live"]
    assert "((volatile char *)old)[i]" in defect.evidence.source_text
    again = run(from_text(defect.scenario, "x.heap"), Choice(str(file), "-g -O1"), sanitize=True)
    assert defect.message in {finding.message for finding in again.findings}
    assert defect.evidence.happened == defect.message


WRITES_TO_THE_LAST = """
#include <unistd.h>

static char *last;

void *malloc(size_t size)
{
    char *block = size >> 40 ? (void *)-1 : sbrk((size + 16) & ~(size_t)15);
    if (block == (void *)-1)
        return NULL;
    if (last)
        *last ^= 1;
    last = size ? block : NULL;
    return block;
}

void free(void *pointer)
{
    (void)pointer;
    last = NULL;
}
"""


def test_a_block_in_use_that_is_written_is_one_defect_and_not_two(tmp_path):
    file = tmp_path / "last.c"
    file.write_text(WRITES_TO_THE_LAST)
    verdict = check(Choice(str(file), cflags="-g -O1"), replace(SHORT, contract="malloc"))
    told = [one for one in verdict.defects if "*last ^= 1" in one.evidence.source_text]
    assert [one.rule for one in told] == ["contents-changed"]
    safety = next(topic for topic in verdict.topics if topic.name == SAFETY)
    assert safety.failures > 0


NO_PLACE_FOR_NONE = """
#include <unistd.h>

void *malloc(size_t size)
{
    return size >> 40 ? NULL : sbrk((size + 15) & ~(size_t)15);
}

void free(void *pointer)
{
    (void)pointer;
}
"""


def test_blocks_of_no_bytes_at_one_place_are_told_with_what_was_expected_of_them(tmp_path):
    file = tmp_path / "none.c"
    file.write_text(NO_PLACE_FOR_NONE)
    defects = check(Choice(str(file)), replace(SHORT, contract="malloc")).defects
    defect = next(one for one in defects if one.rule == "overlap")
    assert "a = malloc 0" in defect.scenario
    assert defect.evidence.expected.startswith("a block of 0 bytes is NULL, or has a place")


@pytest.mark.parametrize(
    "name",
    [
        "no back pointer after a split",
        "a failing brk is ignored",
        "first fit",
    ],
)
def test_every_defect_fails_again_when_its_scenario_is_run(name, tmp_path):
    subject = broken(named(name), tmp_path)
    verdict = check(subject, SHORT)
    assert verdict.defects
    for defect in verdict.defects:
        done = run(from_text(defect.scenario, "x.heap"), subject.name, budget=10_000_000)
        assert done.status in (1, 3), defect.scenario
        assert run(from_text(defect.scenario, "x.heap")).status == 0, defect.scenario


def test_a_defect_says_what_was_expected_what_happened_and_which_instruction_did_it(tmp_path):
    verdict = check(broken(named("calloc clears whole words only"), tmp_path), SHORT)
    (defect,) = verdict.defects
    evidence = defect.evidence
    assert "b = calloc" in defect.scenario
    assert evidence.expected == "every byte is zero"
    assert evidence.happened == defect.message
    assert "calloc.s:" in (evidence.source or "")
    assert "rep" in evidence.instruction
    assert "heap+0x20" in evidence.before
    assert "calloc-not-zero" in evidence.after


def test_the_verdict_is_the_same_on_any_number_of_workers(tmp_path):
    subject = broken(named("no back pointer after a split"), tmp_path)
    here = check(subject, SHORT)
    assert len(here.defects) > 1
    assert here == check(subject, SHORT)
    for workers in (1, 2):
        with ProcessPoolExecutor(workers) as executor:
            assert check(subject, SHORT, executor) == here
    assert check(subject, replace(SHORT, seed=1)).seed == 1


def test_many_allocators_share_an_executor_and_keep_their_order(tmp_path):
    folders = [tmp_path / str(number) for number in range(3)]
    for folder in folders:
        folder.mkdir()
    names = ("exits when memory runs out", "calloc does not clear", "clobbers rbx")
    subjects = [
        *(broken(named(name), folder) for name, folder in zip(names, folders, strict=True)),
        *[Choice("osmem")] * 3,
    ]
    plan = Plan("malloc", depth=1, budget=Budget(calls=400))
    told = []
    with ProcessPoolExecutor(2) as executor:
        verdicts = list(check_all(subjects, plan, executor, lambda done, all_: told.append(all_)))
    assert [verdict.allocator for verdict in verdicts] == [one.name for one in subjects]
    assert verdicts == [check(subject, plan) for subject in subjects]
    assert [bool(verdict.defects) for verdict in verdicts] == [True] * 3 + [False] * 3
    assert len(told) >= len(subjects)


def test_a_budget_is_kept_and_what_was_left_out_is_said():
    few = check(Choice("osmem"), Plan(depth=5, budget=Budget(calls=1000)))
    assert not few.complete
    assert few.calls < 3300
    least = check(Choice("osmem"), Plan(budget=Budget(calls=1)))
    assert not least.complete
    assert 2400 < least.calls < 2600  # the fixed topics: as the help says
    none = check(Choice("osmem"), Plan(budget=Budget(seconds=0)))
    assert not none.complete
    assert none.calls == 0


def test_alignment_is_what_the_plan_says():
    sixteen = Plan("malloc", alignment=16, depth=2, budget=Budget(calls=400))
    assert rules(check(Choice("osmem"), sixteen)) == {"misaligned"}


def test_a_trace_is_played_too(tmp_path):
    trace = tmp_path / "small.rep"
    trace.write_text("a 0 512\na 1 64\nr 0 640\nf 1\nf 0\n")
    plan = Plan(depth=1, budget=Budget(calls=100), traces=(str(trace),))
    topics = {topic.name: topic for topic in check(Choice("osmem"), plan).topics}
    assert topics["traces"].calls == 5
    assert topics["traces"].failures == 0


def test_an_allocator_of_a_course_that_passes_its_traces_is_seen_through():
    subject = Choice(str(COURSE), prefix="course_", cflags="-g -O1")
    verdict = check(subject, Plan(depth=2, budget=Budget(calls=4000)))
    assert verdict.contract == "malloc"
    assert {"exit", "calloc-overflow", "fault"} <= rules(verdict)
    assert rules(verdict) & {"overlap", "contents-changed"}
    lines = {defect.rule: defect.evidence.source_text for defect in verdict.defects}
    assert "_exit(1)" in lines["exit"]
    assert any("memcpy(q, p, size)" in text for text in lines.values())


def test_the_same_allocator_put_right_has_no_defect():
    subject = Choice(str(COURSE), prefix="course_", cflags="-g -O1 -DFIXED")
    assert check(subject, Plan(depth=2, budget=Budget(calls=1500))).defects == ()


def test_clearing_much_takes_its_time_and_is_no_endless_loop(tmp_path):
    trace = tmp_path / "large.heap"
    trace.write_text("a = calloc 1 8M\nb = realloc a 16M\nc = calloc 1 4G\n")
    plan = Plan("malloc", depth=1, budget=Budget(calls=20), traces=(str(trace),))
    verdict = check(Choice("osmem"), plan)
    assert verdict.defects == ()
    assert next(topic for topic in verdict.topics if topic.name == "traces").calls >= 2
