"""The benchmarks still run, on little: what they measure is for people to read."""

from __future__ import annotations

from pathlib import Path

import pytest

from emu.judge.plan import Budget, Plan
from tests.bench import (
    bench_allocators,
    bench_check,
    bench_command,
    bench_exec,
    bench_guest,
    bench_heap,
    bench_indexed,
    bench_replay,
    bench_sanitizer,
    bench_spread,
    bench_time,
    bench_trace,
)
from tests.bench.bare_replay import in_ours, in_unicorn


def test_programs_are_played_checked_unchecked_and_bare(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench_exec, "_SIZE", "500")
    monkeypatch.setattr(bench_exec, "_COPIES", "50")
    monkeypatch.setattr(bench_exec, "_TURNS", 5)
    computing = bench_exec._compute(tmp_path, "-O2")
    assert computing.ratio > 0
    assert bench_exec._copying(tmp_path).ratio > 0
    assert bench_exec._memory().value.endswith(" us")


def test_heaps_and_guests_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_heap, "_CALLS", 3)
    monkeypatch.setattr(bench_guest, "_TURNS", 100)
    monkeypatch.setattr(bench_guest, "_BLOCKS", 40)
    assert bench_heap._malloc(0).ratio > 0
    assert len(bench_guest.figures()) > 1
    assert callable(bench_command.figures)


def test_recording_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, little in (("_TURNS", 50), ("_CALLS", 30), ("_ROUNDS", 1)):
        for prefix in ("", "_FEW", "_FEWEST", "_SLOW"):
            monkeypatch.setattr(bench_trace, prefix + name, little, raising=False)
    osmem = bench_trace._Osmem()
    heaps = osmem.bare(30), osmem.default(30), osmem.virtual(30)
    assert heaps[0] == heaps[1] == heaps[2]  # the same heap is measured on all sides
    found = bench_trace.figures()
    assert len(found) == 11
    assert all(figure.ratio > 0 for figure in found)


@pytest.mark.skipif(not bench_allocators.GLIBC.exists(), reason="no glibc where Debian has it")
def test_a_brought_allocator_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_CALLS", "_HEAPS"):
        monkeypatch.setattr(bench_allocators, name, 3)
    assert all(figure.ratio > 0 for figure in bench_allocators.figures())


def test_going_back_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, little in {"_SNAPSHOTS": 2, "_CALLS": 5, "_STEPS": 3}.items():
        monkeypatch.setattr(bench_time, name, little)
    assert all(figure.ratio > 0 for figure in bench_time.figures())


def test_spreading_work_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_spread, "_COPIES", 1)
    monkeypatch.setattr(bench_spread, "_PLAN", Plan(depth=1, budget=Budget(calls=100)))
    (figure,) = bench_spread.figures()
    assert figure.ratio > 0
    assert figure.goal == ">= 1.7"


def test_replays_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, little in {"_CALLS": 60, "_LIVE": 10, "_ROUNDS": 1}.items():
        monkeypatch.setattr(bench_replay, name, little)
    table = bench_replay._table()
    assert in_ours(table) == in_unicorn(table)
    assert all(figure.ratio > 0 for figure in bench_replay.figures())


def test_the_sanitizer_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, little in {"_WORDS": "50", "_FEW_WORDS": "20", "_BLOCKS": "20", "_CALLS": 6}.items():
        monkeypatch.setattr(bench_sanitizer, name, little)
    assert all(figure.ratio > 0 for figure in bench_sanitizer.figures())


def test_checked_calls_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, little in {"_TASKS": 1, "_CALLS": 10, "_ROUNDS": 1, "_DEPTH": 2}.items():
        monkeypatch.setattr(bench_check, name, little)
    assert bench_check._rate(bench_check.RANDOM, "osmem").ratio > 0
    assert bench_check._rate(bench_check.EVERY, "malloc").value.endswith(" calls/s")


def test_the_index_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, little in {"_BLOCKS": 30, "_LIVE": 200, "_OSMEM_LIVE": 200, "_ROUNDS": 1}.items():
        monkeypatch.setattr(bench_indexed, name, little)
    for names in ("PATTERNS", "_GROWING"):
        monkeypatch.setattr(bench_indexed, names, ["uniform"])
    found = bench_indexed.figures()
    assert len(found) == 4 + 1 + 2 * 8
    assert all(figure.ratio > 0 for figure in found)
