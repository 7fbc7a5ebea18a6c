"""What is explained is what happened: against other readings of the same calls, and of bugs."""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent.parent / "broken"))

from bugs import BUGS, build

from asm import layout
from emu import run
from emu.errors import InputError
from emu.explain import Explanation, explain
from emu.run import Run
from emu.scenario.load import from_text, shipped
from emu.view.blocks import Status, Walk

BUG = {bug.name: bug for bug in BUGS}


def _explained(done: Run) -> list[Explanation]:
    assert done.trace is not None
    return [explain(done, call.index) for call in done.trace.calls]


@pytest.fixture(params=shipped(), ids=lambda path: path.stem)
def done(request: pytest.FixtureRequest) -> Run:
    return run(request.param, accesses=True)


def test_the_blocks_before_and_after_are_those_that_memory_had(
    done: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    walks: list[tuple[Walk, Walk]] = []
    running = sys.modules["emu.run"]  # `emu.run` is the function
    describe = running.describe

    def listening(call, before, after):
        walks.append((before, after))
        return describe(call, before, after)

    monkeypatch.setattr(running, "describe", listening)
    run(done.scenario)
    assert len(walks) == len(done.trace.calls)
    for found, (before, after) in zip(_explained(done), walks, strict=True):
        assert (found.before.blocks, found.after.blocks) == (before.blocks, after.blocks)


def test_the_choice_is_the_one_that_the_blocks_before_and_after_tell_of(done: Run) -> None:
    for found in _explained(done):
        phrases = [one for one in found.step.changes if one.startswith("best fit of ")]
        fitting = int(phrases[0].removeprefix("best fit of ")) if phrases else None
        if fitting:
            assert found.choice is not None
            assert len(found.choice.fits) == fitting
            assert any(f"the smallest of {fitting} that fit" in one for one in found.sentences)
        for phrase in found.step.changes:
            if phrase.startswith("split "):
                kept = phrase.split()[1]
                assert any(one.startswith(f"split: {kept} are kept") for one in found.sentences)
            if phrase.startswith("grew the last by "):
                grown = phrase.split()[-1]
                assert any(f"grew by {grown} through brk" in one for one in found.sentences)


def test_what_is_looked_at_is_what_a_plain_scan_of_the_reads_finds(done: Run) -> None:
    trace = done.trace
    for found in _explained(done):
        headers = {block.header for walk in (found.before, found.after) for block in walk.blocks}
        span = found.span
        end = span.returned.accesses if span.returned else len(trace.accesses)
        reads = []
        for number in range(span.called.accesses, end):
            access = trace.accesses[number]
            address = int(access["address"])
            hit = [one for one in headers if one <= address < one + layout.META]
            if hit and not access["write"]:
                moment = int(trace.moments[number])
                (place,) = trace.addresses(moment, moment + 1).tolist()
                reads.append((hit[0], trace.sources.function_at(place)))
        in_heap = [one for one in found.looks if one.block.header in headers]
        assert [(one.block.header, one.function) for one in in_heap] == [
            key for key, _ in groupby(reads)
        ]
        assert sum(one.reads for one in in_heap) == len(reads)


def test_changes_lead_from_the_blocks_before_to_the_blocks_after(done: Run) -> None:
    for found in _explained(done):
        state = {
            (block.address, word): value
            for block in found.before.blocks
            for word, value in _words(block)
        }
        for change in found.changes:
            if (
                change.is_header
                and change.old is not None
                and (change.address, change.what) in state
            ):
                assert change.old == state[change.address, change.what]
            state[change.address, change.what] = change.new
        for block in found.after.blocks:
            for word, value in _words(block):
                assert state[block.address, word] == value


def _words(block):
    return [
        ("size", block.size), ("status", block.word), ("prev", block.prev), ("next", block.next)
    ]  # fmt: skip


def test_a_change_names_the_line_that_made_it() -> None:
    done = run(shipped(["reuse"])[0], accesses=True)
    (change,) = explain(done, 3).changes
    assert (change.what, change.old, change.new) == ("status", layout.ALLOC, layout.FREE)
    assert change.where.line is not None
    assert change.where.line.place.endswith("free.s:18")


def test_blocks_that_are_merged_are_named_with_what_they_had() -> None:
    done = run(shipped(["coalescing"])[0], accesses=True)
    merges = explain(done, 11).merges
    assert {one.absorbed.status for one in merges} == {Status.FREE}
    first = done.heap_start + layout.META
    assert [one.into.address for one in merges] == [first] * 3


@pytest.mark.parametrize(
    ("bug", "call", "words"),
    [
        ("first fit", 10, "not the smallest of 4 that fit, but the first"),
        ("first fit", 10, "heap+0x450 of 304 would fit with 696 less left over"),
        ("merges across a live block", 5, "heap+0x20 took in heap+0xa8 of 104, which was in use"),
        ("no coalescing", 6, "the smallest of 3 that fit, and the lowest of 2 equals"),
        ("calloc does not clear", 3, "wrote zeros to 0 of its 64 bytes"),
        ("calloc clears whole words only", 3, "wrote zeros to 8 of its 13 bytes"),
        ("calloc's product wraps", 1, "which is too small for 18446744073709551618"),
        ("realloc copies too little", 2, "copied 8 bytes"),
        (
            "realloc into a smaller block copies too much", 5,
            "copied 8000 bytes, 7976 of them beyond the end of the new block",
        ),
        ("realloc copies too much", 2, "page fault: read of"),
        ("splits off blocks without a payload", 4, "the rest is heap+0x48, free with 0"),
        ("the rest of a split begins inside the block", 1, "130936 are in no block any more"),
        ("a status of its own", 2, "heap+0x20 is of status 7 now"),
        ("searches for ever", 1, "did not come back, after 100000 instructions"),
        ("exits when memory runs out", 1, "the process ended itself with exit status 1"),
    ],
)  # fmt: skip
def test_the_words_tell_what_a_broken_allocator_did(
    bug: str, call: int, words: str, tmp_path: Path
) -> None:
    scenario = from_text(BUG[bug].scenario, "bug.heap")
    broken = run(scenario, build(BUG[bug], tmp_path), accesses=True, budget=100_000)
    assert any(words in one for one in explain(broken, call).sentences)
    sound = run(scenario, accesses=True)
    assert not any(words in one for one in explain(sound, call).sentences) or bug == "no coalescing"


def test_blocks_that_were_never_looked_at_are_named(tmp_path: Path) -> None:
    bug = BUG["first fit"]
    allocator = build(bug, tmp_path)
    malloc = tmp_path / "malloc.s"
    malloc.write_text(malloc.read_text().replace("        call    merge_free_runs\n", ""))
    found = explain(run(from_text(bug.scenario, "bug.heap"), allocator, accesses=True), 10)
    assert "it never looked at heap+0x450 and 2 more, which fit too" in found.sentences
    assert [look.block.status for look in found.looks][:1] == [Status.FREE]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_every_call_of_every_broken_allocator_is_explained(bug, tmp_path: Path) -> None:
    done = run(
        from_text(bug.scenario, "bug.heap"), build(bug, tmp_path), accesses=True, budget=100_000
    )
    for found in _explained(done):
        assert found.sentences
        assert set(found.findings) <= set(done.findings)


def test_a_call_that_is_none_is_refused_and_says_which_there_are() -> None:
    done = run(shipped(["reuse"])[0], accesses=True)
    for call in (0, 6, -1):
        with pytest.raises(InputError, match="a call from 1 to 5"):
            explain(done, call)


def test_without_accesses_nothing_is_explained() -> None:
    with pytest.raises(ValueError, match="no accesses"):
        explain(run(shipped(["reuse"])[0], trace=True), 1)
