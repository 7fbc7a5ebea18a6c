"""Benches and laws as lines of JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from emu.bench.bench import Bench
from emu.bench.figures import by_kind
from emu.bench.growth import Growth


def bench_document(bench: Bench) -> str:
    """One scenario on one allocator: figures by kind of call, and every count of every call."""
    return json.dumps({
        "scenario": bench.scenario.file,
        "allocator": bench.allocator,
        "calls": len(bench.steps),
        "kinds": {kind: _kind(found) for kind, found in by_kind(bench)},
        "peak_live": bench.peak_live,
        "peak_footprint": bench.peak_footprint,
        "utilization": bench.utilization,
        "findings": [asdict(finding) for finding in bench.findings],
        "each": {
            "kind": [step.kind for step in bench.steps],
            **{name: counts.tolist() for name, counts in bench.counts.items()},
            "live": bench.live.tolist(),
            "footprint": bench.footprint.tolist(),
        },
    })  # fmt: skip


def _kind(found: dict[str, Any]) -> dict[str, Any]:
    return {
        name.replace(" ", "_"): {"mean": figures.mean, **asdict(figures)}
        for name, figures in found.items()
    }


def growth_document(growth: Growth) -> str:
    """The law of one function in one situation, and the counts that it is of."""
    law = growth.law
    return json.dumps({
        "growth": growth.kind,
        "allocator": growth.allocator,
        "situation": growth.situation.about,
        "call": growth.call,
        "law": str(law),
        "order": law.order,
        "exact": law.exact,
        "from": law.start,
        "to": law.end,
        "error": law.error,
        "points": growth.points,
    })  # fmt: skip
