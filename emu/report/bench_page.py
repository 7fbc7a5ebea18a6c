"""Benches as a page: one file that fetches nothing and can be sent to anyone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from emu.bench.bench import Bench
from emu.bench.figures import Figures, by_kind
from emu.bench.growth import Growth, Situation, by_situation
from emu.report import bench_charts as charts
from emu.report.chart_data import spaced
from emu.report.charts import needed
from emu.report.html import bundle
from emu.report.palette import ROLES
from emu.report.short_names import named_shortly
from emu.report.template import template


def page(scenarios: Sequence[Sequence[Bench]], laws: Sequence[Growth]) -> str:
    """Each scenario on some allocators, and laws. InputError where `report` is not installed."""
    compared, grown = [named_shortly(benches) for benches in scenarios], named_shortly(laws)
    with needed("altair.utils.schemapi").debug_mode(False):
        parts = [_compared(number, benches) for number, benches in enumerate(compared)]
        situations = [
            _situation(number, situation, some)
            for number, (situation, some) in enumerate(by_situation(grown))
        ]
    benches = chain.from_iterable(compared)
    names = dict.fromkeys([*(b.allocator for b in benches), *(g.allocator for g in grown)])
    text = template("bench.html", {"spaced": spaced}).render(
        names=list(names), parts=parts, situations=situations, roles=ROLES, bundle=bundle()
    )
    return str(text).encode("utf-8", "backslashreplace").decode("utf-8")


@dataclass(frozen=True, slots=True)
class Row:
    """A counter of a kind of call, on an allocator. ratio: of the mean to the first one's."""

    kind: str
    counter: str
    allocator: str
    figures: Figures
    ratio: float | None


def _compared(number: int, benches: Sequence[Bench]) -> dict[str, Any]:
    pictures = {"means": charts.means, "footprint": charts.footprint, "cost": charts.cost}
    return {
        "name": f"scenario-{number}",
        "scenario": benches[0].scenario,
        "benches": benches,
        "rows": _rows(benches),
        "pictures": {name: _drawn(draw(benches)) for name, draw in pictures.items()},
    }


def _rows(benches: Sequence[Bench]) -> list[Row]:
    found = [dict(by_kind(bench)) for bench in benches]
    return [
        _row(kind, counter, bench, of[kind][counter], found[0][kind].get(counter))
        for kind, counters in found[0].items()
        for counter in counters
        for bench, of in zip(benches, found, strict=True)
        if counter in of[kind]
    ]


def _row(kind: str, counter: str, bench: Bench, one: Figures, first: Figures | None) -> Row:
    ratio = one.mean / first.mean if first and first is not one and first.mean else None
    return Row(kind, counter, bench.allocator, one, ratio)


def _situation(number: int, situation: Situation, found: Sequence[Growth]) -> dict[str, Any]:
    return {
        "name": f"growth-{number}",
        "about": situation.about,
        "ns": [n for n, _ in found[0].points],
        "laws": found,
        "picture": _drawn(charts.growth(found)),
    }


def _drawn(chart: Any) -> Any:
    return chart.to_dict(validate=False)
