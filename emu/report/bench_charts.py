"""Pictures of benches, as Altair charts. A colour is an allocator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from emu.bench.bench import Bench, Counts
from emu.bench.figures import by_kind
from emu.bench.growth import Growth
from emu.process.event import KINDS
from emu.report.charts import needed

Rows = list[dict[str, Any]]
COLOURS = ("#2a6f97", "#e07a1f", "#00796b", "#a23b72", "#8a8a8a", "#7b5ea7", "#c1121f")
MOST_POINTS = 800
"""Of a curve; where there are more calls, a point stands for the highest of some."""
_LIVE = "#f4d58d"
_STEEP = 50
_SHAPES = dict(zip(KINDS, ("circle", "diamond", "triangle-up", "square"), strict=True))
_DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3])


def footprint(benches: Sequence[Bench]) -> Any:
    """What the kernel gave, a line an allocator; the area is what callers hold."""
    alt = needed("altair")
    y = alt.Y("bytes:Q", title="bytes", axis=alt.Axis(format="~s"))
    live = _curve(benches[0].live, "bytes", "callers hold")
    area = _chart(live).mark_area(interpolate="step-after", color=_LIVE, opacity=0.8)
    lines = _chart([row for b in benches for row in _curve(b.footprint, "bytes", b.allocator)])
    lines = lines.mark_line(interpolate="step-after", strokeWidth=2)
    layers = [
        area.encode(_calls(benches[0]), y, tooltip=_tips("call", "bytes")),
        lines.encode(_calls(benches[0]), y, _colour([b.allocator for b in benches], "of"),
                     tooltip=_tips("of", "call", "bytes")),
    ]  # fmt: skip
    return _sized(alt.layer(*layers), 260, "Footprint over time")


def cost(benches: Sequence[Bench]) -> Any:
    """Instructions of each call, a point each."""
    alt = needed("altair")
    rows = [row for bench in benches for row in _points(bench)]
    counts = sorted(row["instructions"] for row in rows)
    there = {row["kind"] for row in rows}
    shapes = {kind: shape for kind, shape in _SHAPES.items() if kind in there}
    steep = counts[-1] > _STEEP * max(1, counts[len(counts) // 2])
    scale = alt.Scale(type="log") if steep else alt.Scale(domainMin=0)
    points = _chart(rows).mark_point(filled=True, size=18, opacity=0.7)
    chart = points.encode(
        _calls(benches[0]), alt.Y("instructions:Q", scale=scale, axis=alt.Axis(format="~s")),
        _colour([bench.allocator for bench in benches], "of"),
        alt.Shape("kind:N", scale=_scale(list(shapes), list(shapes.values())), legend=_legend()),
        tooltip=_tips("of", "call", "kind", "instructions"),
    )  # fmt: skip
    return _sized(chart, 260, "Instructions of each call")


def means(benches: Sequence[Bench]) -> Any:
    """Instructions in the mean, a bar a kind of call and allocator."""
    alt = needed("altair")
    rows = [
        {"kind": kind, "of": bench.allocator, "mean": round(found["instructions"].mean, 3)}
        for bench in benches
        for kind, found in by_kind(bench)
    ]
    names = [bench.allocator for bench in benches]
    kinds = list(dict.fromkeys(row["kind"] for row in rows))
    base = _chart(rows).encode(
        alt.Y("kind:N", sort=kinds, title=None), alt.YOffset("of:N", sort=names),
        alt.X("mean:Q", title="instructions of a call, in the mean"),
    )  # fmt: skip
    bars = base.mark_bar().encode(_colour(names, "of"), tooltip=_tips("of", "kind", "mean"))
    texts = base.mark_text(align="left", dx=4, color=alt.ExprRef("'currentColor'"))
    height = 26 * len(rows) + 10 * len(kinds)
    return _sized(alt.layer(bars, texts.encode(text=alt.Text("mean:Q", format=",.1f"))), height,
                  "Instructions of a call")  # fmt: skip


def growth(found: Sequence[Growth]) -> Any:
    """Instructions by number of blocks: points are counts, lines are laws; both axes in powers."""
    alt = needed("altair")
    names = list(dict.fromkeys(one.allocator for one in found))
    points = [_at(one, n, count) for one in found for n, count in one.points]
    lines = [_at(one, n, value) for one in found for n, value in _law_points(one)]
    x = alt.X("n:Q", scale=alt.Scale(type="log"), title="n, blocks", axis=alt.Axis(format="~s"))
    y = alt.Y("instructions:Q", scale=alt.Scale(type="log"), axis=alt.Axis(format="~s"))
    dash = alt.StrokeDash("of:N", scale=_scale(names, _DASHES), legend=_legend())
    layers = [
        _chart(lines).mark_line(strokeWidth=1.5).encode(x, y, _colour(KINDS, "kind"), dash),
        _chart(points).mark_point(filled=True, size=40).encode(
            x, y, _colour(KINDS, "kind"), tooltip=_tips("of", "kind", "n",
                                                                "instructions")),
    ]  # fmt: skip
    return _sized(alt.layer(*layers), 300, "Instructions by number of blocks")


# Data


def _curve(values: Counts, what: str, of: str) -> Rows:
    found = _highest(values, np.arange(len(values)))
    return [{"call": call, what: int(values[call - 1]), "of": of} for call in found]


def _points(bench: Bench) -> Rows:
    """Of each kind of call, since the dear ones would hide the others."""
    counts = bench.counts["instructions"]
    return [
        {"call": call, "instructions": int(counts[call - 1]), "kind": kind, "of": bench.allocator}
        for kind in KINDS
        for call in _highest(counts, bench.of_kind(kind))
    ]


def _highest(values: Counts, among: Counts) -> list[int]:
    """Calls, from 1 on: of each of MOST_POINTS pieces the one with the highest value."""
    pieces = np.array_split(among, max(1, min(len(among), MOST_POINTS)))
    return [int(piece[values[piece].argmax()]) + 1 for piece in pieces if len(piece)]


def _at(one: Growth, n: float, instructions: float) -> dict[str, Any]:
    named = {"of": one.allocator, "kind": one.kind}
    return {"n": n, "instructions": instructions, **named}


def _law_points(one: Growth) -> list[tuple[float, float]]:
    at = np.geomspace(max(one.law.start, 1), one.law.end, 40).tolist()
    return [(n, value) for n in at if (value := one.law.at(n)) > 0]


# Altair


def _chart(rows: Rows) -> Any:
    alt = needed("altair")
    return alt.Chart(alt.Data(values=rows))


def _sized(chart: Any, height: int, name: str) -> Any:
    return chart.properties(width="container", height=height, description=name)


def _calls(bench: Bench) -> Any:
    alt = needed("altair")
    axis = alt.Axis(labelExpr="'#' + datum.label", tickMinStep=1, format="d", labelOverlap=True)
    scale = alt.Scale(domain=[1, max(2, len(bench.steps))], nice=False)
    return alt.X("call:Q", title="call", axis=axis, scale=scale)


def _colour(names: Sequence[str], field: str) -> Any:
    scale = _scale(names, [COLOURS[i % len(COLOURS)] for i in range(len(names))])
    return needed("altair").Color(f"{field}:N", scale=scale, legend=_legend())


def _legend() -> Any:
    return needed("altair").Legend(title=None, orient="top")


def _scale(names: Sequence[str], range_: Sequence[Any]) -> Any:
    return needed("altair").Scale(domain=list(names), range=list(range_))


def _tips(*fields: str) -> list[Any]:
    alt = needed("altair")
    return [alt.Tooltip(field, type="nominal") for field in fields]
