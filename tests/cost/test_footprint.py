"""Memory: what callers hold, what the kernel gives, and pages that are touched first."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_allocators import BUMP, RESERVING, TWICE, written

from emu.bench.bench import Bench, bench
from emu.errors import AllocatorError, ScenarioError
from emu.scenario.load import from_text
from syscalls.abi import PAGE

KIB = 1024


def _bench(text: str, allocator: Path | str = "osmem") -> Bench:
    return bench(from_text(text, "x.heap"), allocator)


def test_live_bytes_are_what_callers_asked_for_and_hold() -> None:
    done = _bench(
        "a = malloc 100\nb = calloc 3 50\na = realloc a 40\nc = malloc 0\nfree c\nfree null\n"
        "b = realloc b 0\nd = malloc 0xffffffffffff0000\na = realloc a 0xffffffffffff0000\n"
    )
    assert done.live.tolist() == [100, 250, 190, 190, 190, 190, 40, 40, 40]
    assert done.peak_live == 250
    assert not done.findings


def test_the_footprint_is_the_heap_and_the_mappings_in_whole_pages() -> None:
    done = _bench("a = malloc 100\nb = malloc 200000\nfree b\nfree a\n")
    mapping = -(-(200_000 + 32) // PAGE) * PAGE
    assert done.footprint.tolist() == [128 * KIB, 128 * KIB + mapping, 128 * KIB, 128 * KIB]
    assert done.utilization == 200_100 / (128 * KIB + mapping)


def test_the_peak_is_seen_within_a_call() -> None:
    """A mapped block moves: for a while there are both."""
    done = _bench("a = malloc 200000\na = realloc a 300000\n")
    old, new = (-(-(size + 32) // PAGE) * PAGE for size in (200_000, 300_000))
    assert done.footprint.tolist() == [old, new]
    assert done.peak_footprint == old + new


def test_what_may_not_be_accessed_is_no_footprint(tmp_path: Path) -> None:
    done = _bench("a = malloc 8192\nfree a\n", written(RESERVING, tmp_path))
    assert done.footprint.tolist() == [8192, 0]
    assert done.peak_footprint == 8192
    assert done.counts["syscalls"].tolist() == [2, 1]


def test_a_page_fault_is_a_page_that_the_kernel_gave() -> None:
    """The first call also gets a page of stack; what a heap touches lies in few pages."""
    text = "a = calloc 5000 1\nfree a\nb = malloc 8\nc = malloc 9000\nd = malloc 8\n"
    assert _bench(text).counts["faults"].tolist() == [1 + 2, 0, 1, 1, 0]


def test_a_page_that_is_read_before_it_is_written_to_is_given_twice() -> None:
    """As on Linux: first the page of zeros that all share, and then one of its own."""
    read = _bench("a = malloc 200000\na = realloc a 300000\n").counts["faults"].tolist()
    assert read == [1 + 1, 48 + 49]  # the header's page had been written to


def test_nothing_given_has_no_utilization(tmp_path: Path) -> None:
    done = _bench("a = malloc 8\n", written(TWICE, tmp_path))
    assert (done.peak_footprint, done.utilization) == (0, None)


# What a bench finds


def test_memory_that_is_given_twice_is_found(tmp_path: Path) -> None:
    done = _bench("a = malloc 8\nb = malloc 16\n", written(TWICE, tmp_path))
    (found,) = done.findings
    assert (found.rule, found.call) == ("overlap", 2)
    assert found.message.startswith("16 bytes at 0x")


@pytest.mark.parametrize("offset", [-8, 8])
def test_an_overlap_on_either_side_is_found(tmp_path: Path, offset: int) -> None:
    source = TWICE.replace("lea     rax, [rip + block]", "lea     rax, [rip + block + 64]\n"
                           "        cmp     edi, 17\n        jne     .Lgiven\n"
                           f"        add     rax, {offset}\n.Lgiven:")  # fmt: skip
    done = _bench("a = malloc 16\nb = malloc 17\n", written(source, tmp_path))
    assert [finding.call for finding in done.findings] == [2]


def test_a_register_that_is_not_kept_is_found(tmp_path: Path) -> None:
    done = _bench("a = malloc 8\nfree a\n", written(TWICE, tmp_path))
    (found,) = done.findings
    assert found.rule == "convention"
    assert found.message.startswith("rbx was")


def test_a_sound_allocator_has_no_finding(tmp_path: Path) -> None:
    text = "a = malloc 8\nb = malloc 8\nb = realloc b 100\nfree a\n"
    assert not _bench(text, written(BUMP, tmp_path)).findings


# Wrong input


@pytest.mark.parametrize(
    "statement", ["fill a 1", "write a 0 1", "fail brk 1 ENOMEM", "expect clean"]
)
def test_only_calls_can_be_replayed(statement: str) -> None:
    with pytest.raises(ScenarioError, match=r"x\.heap:2: this cannot be replayed"):
        _bench(f"a = malloc 8\n{statement}\n")


def test_an_empty_scenario_is_refused() -> None:
    with pytest.raises(ScenarioError, match="nothing to replay"):
        _bench("# nothing\n")


def test_a_function_that_is_missing_is_told(tmp_path: Path) -> None:
    source = BUMP.replace("        .globl  os_calloc\n", "")
    with pytest.raises(AllocatorError, match="os_calloc"):
        _bench("a = malloc 8\nb = calloc 2 8\n", written(source, tmp_path))
