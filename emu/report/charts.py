"""Pictures of a run, as Altair charts; in a notebook, `heap_over_time(run("x.heap"))` shows one.

x is the number of a call: what is drawn from 12 to 15 was so after #12, until #15 changed it.
The picture of a long run is coarser than the run, and its title says by how much. A function
answers None where there is nothing to draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from emu.allocators import OSMEM
from emu.errors import InputError
from emu.report import chart_data as data
from emu.report.chart_data import Rows
from emu.report.palette import ERROR, FREE, HEADER, MAPPED, SLACK, USED
from emu.run import Run

MOST_RECTS, MOST_MAPS, MOST_LABELS = 5000, 40, 60

GREY = "#8a8a8a"
COLOURS = {"malloc": "#00796b", "calloc": "#e07a1f", "realloc": "#a23b72", "free": GREY}
CURVES = {
    "break": ("brk", GREY, [2, 2]),
    "# live": ("live", USED.colour, [1, 0]),
    ". free": ("free", FREE.colour, [1, 0]),
    ". largest free block": ("largest_free", FREE.colour, [7, 4]),
}
"""Name to (attribute of a Sample, colour, dashes)."""
_WALKED = (". free", ". largest free block")
"""What is known only where the heap can be walked."""

_STEP = "pow(2, max(3, ceil(log((domain('y')[1] - domain('y')[0]) / 9) / LN2)))"
_ROUND = f"sequence(ceil(domain('y')[0] / {_STEP}) * {_STEP}, domain('y')[1] + 1, {_STEP})"
_HEX = "'heap+0x' + format(datum.value, 'x')"
_BYTES = (
    "datum.value >= 1048576 ? format(datum.value / 1048576, '.4~') + ' MiB'"
    " : datum.value >= 1024 ? format(datum.value / 1024, '.4~') + ' KiB' : datum.value"
)


def needed(module: str) -> Any:
    """A module of the extra `report`; InputError where it is not installed."""
    try:
        return import_module(module)
    except ImportError:
        message = "the HTML page needs the extra: pip install 'osmem-emu[report]'"
        raise InputError(message) from None


# Pictures


def heap_over_time(run: Run) -> Any:
    """Address against call number: a bar for every header and payload, and for what is slack.

    It begins with the used part of the heap. Drag to move, Ctrl and wheel to zoom, double click
    to come back.
    """
    alt, top, rows, note = needed("altair"), data.used_part(run), data.bars(run), ""
    if not rows:
        return None
    if len(rows) > MOST_RECTS:
        rows, note = data.coarse(run, top, len(rows))
    zoom = alt.selection_interval(
        name="zoom", bind="scales", encodings=["y"], zoom="wheel![event.ctrlKey]"
    )
    seam = 0 if note else 0.4
    bars = _named(_chart(rows), run).mark_rect(
        clip=True, aria=len(rows) < 500, stroke="white", strokeWidth=seam
    )
    bars = bars.encode(
        _x(run), alt.X2("until"), _place_axis(top), alt.Y2("end"), _role_colours(rows),
        tooltip=_tips("role", "place", "size", "status", "requested", "since call", "until call"),
    )  # fmt: skip
    edge = _chart([{"since": x, "start": y} for x, y in data.curve(run, "brk")])
    edge = edge.mark_line(clip=True, interpolate="step-after", color=GREY, strokeDash=[2, 2])
    layers = [bars.add_params(zoom), edge.encode(x="since:Q", y="start:Q")]
    layers += [] if note else [_labels(rows, run, top)]
    return _sized(alt.layer(*layers), 440, "The heap over time", note)


def mapped(run: Run) -> Any:
    """The blocks outside the heap: a bar for every mapping that the allocator asked for."""
    rows = data.mappings(run)
    if not rows:
        return None
    alt, largest = needed("altair"), sorted(rows, key=lambda row: -row["size"])[:MOST_MAPS]
    note = f"the {MOST_MAPS} largest of {len(rows)} mappings" if len(largest) < len(rows) else ""
    kept = [row for row in rows if row in largest]
    y = alt.Y("label:N", sort=[row["label"] for row in kept], title=None)
    base = _named(_chart(kept), run).encode(_x(run), y)
    bars = base.mark_bar(color=MAPPED.colour, height={"band": 0.8}).encode(
        x2="until",
        tooltip=_tips("map", "size", "requested", "statement", "since call", "until call"),
    )
    text = base.mark_text(align="left", dx=4, color="white", clip=True, text=MAPPED.letter)
    return _sized(alt.layer(bars, text), 22 * len(kept), "Mapped blocks", note)


def curves(run: Run) -> Any:
    """Break, live bytes, free bytes and the largest free block; a click in the legend picks.

    Where free and largest free block are far apart, the heap is fragmented. A diamond is a
    request that found no block, though more bytes than it asked for were free.
    """
    if not run.history.samples:
        return None
    alt, every = needed("altair"), data.stride(len(run.history.samples))
    shown = {n: c for n, c in CURVES.items() if run.contract == OSMEM or n not in _WALKED}
    rows = [
        {"curve": name, "call": call, "bytes": size}
        for name, (attribute, _, _) in shown.items()
        for call, size in data.curve(run, attribute)
    ]
    picked = alt.selection_point(name="picked", fields=["curve"], bind="legend")
    _, colours, dashes = zip(*shown.values(), strict=True)
    legend = _legend(symbolSize=500, symbolStrokeWidth=3)
    dash = alt.StrokeDash("curve:N", scale=_scale(list(shown), dashes), legend=legend)
    axis = alt.Axis(values=alt.ExprRef(_ROUND), labelExpr=_BYTES)
    y = alt.Y("bytes:Q", title=None, axis=axis)
    lines = _chart(rows).encode(_x(run, "call"), y, dash).transform_filter(picked)
    casing = lines.mark_line(interpolate="step-after", strokeWidth=4, color="#666666")
    inner = lines.mark_line(interpolate="step-after", strokeWidth=2.5).encode(
        alt.Color("curve:N", scale=_scale(list(shown), colours), legend=legend),
        tooltip=_tips("curve", "call", "bytes"),
    )
    layers = [casing, inner.add_params(picked)]
    if missed := [
        {"call": call, "bytes": size, "why": why} for call, size, why in data.crowded(run)
    ]:
        size = 130 if len(missed) < 50 else 25
        diamond = _chart(missed).mark_point(shape="diamond", size=size, filled=True)
        diamond = diamond.encode(x="call:Q", y="bytes:Q", tooltip=_tips("why"))
        layers.append(diamond.encode(color=alt.value(ERROR.colour), opacity=alt.value(1)))
    note = f"the lowest and the highest of every {every} calls" if every > 1 else ""
    name = "Break, live, free, largest free block" if len(shown) > 2 else "Break, live"
    return _sized(alt.layer(*layers), 300, name, note)


def cost(run: Run) -> Any:
    """Instructions of each call, a bar each, coloured by function."""
    if not run.history.samples:
        return None
    alt, every = needed("altair"), data.stride(len(run.history.samples))
    dearest: dict[tuple[int, str], dict[str, Any]] = {}
    for row in data.calls(run):
        group = (row["call"] - 1) // every
        row |= {"since": group * every + 1, "until": group * every + 1 + 0.85 * every}
        other = dearest.setdefault((group, row["function"]), row)
        if other["instructions"] < row["instructions"]:
            dearest[group, row["function"]] = row
    rows = sorted(dearest.values(), key=lambda row: -row["instructions"])
    steep = rows[0]["instructions"] > 50 * rows[len(rows) // 2]["instructions"]
    scale = alt.Scale(type="log", domainMin=1, nice=False) if steep else alt.Scale(domainMin=0)
    y = alt.Y("instructions:Q", scale=scale, title=None)
    bars = _chart(rows).mark_rect().encode(
        _x(run), alt.X2("until"), y, alt.Y2Datum(1 if steep else 0), _function_colours(run),
        tooltip=_tips("call", "function", "instructions"),
    )  # fmt: skip
    unit = "instructions, on a logarithmic scale" if steep else "instructions"
    note = f"; of every {every} calls the dearest of each function" if every > 1 else ""
    return _sized(bars, 220, "Instructions of each call", unit + note)


def cost_by_blocks(run: Run) -> Any:
    """Instructions of the calls that searched the heap, by its number of blocks; lines fitted."""
    rows = data.searches(run)
    if len(rows) < 3:
        return None
    alt, every, functions = needed("altair"), data.stride(len(rows)), _functions(run)
    by_function = {name: [row for row in rows if row["function"] == name] for name in functions}
    fits = {name: fit for name, some in by_function.items() if (fit := data.fit(name, some))}
    base = _chart(rows[::every]).encode(
        alt.X("blocks:Q", title="blocks in the heap before the call", axis=alt.Axis(format="d")),
        alt.Y("instructions:Q", title=None), _function_colours(run),
    )  # fmt: skip
    points = base.mark_point(filled=True, opacity=0.7, size=45).encode(
        alt.Shape("function:N", scale=alt.Scale(domain=list(functions)), legend=_legend()),
        tooltip=_tips("call", "function", "blocks", "instructions"),
    )
    fitted = base.transform_filter(alt.FieldOneOfPredicate("function", list(fits)))
    fitted = fitted.transform_regression("blocks", "instructions", groupby=["function"])
    layers = [fitted.mark_line(strokeWidth=1.5), points] if fits else [points]
    note = [f"one of every {every} calls"] if every > 1 else []
    return _sized(
        alt.layer(*layers),
        280,
        "Cost by blocks",
        *fits.values(),
        *note,
    )


# Altair


def _chart(rows: Rows) -> Any:
    """Of data within the chart, however long: nothing is fetched, and there is no limit."""
    alt = needed("altair")
    return alt.Chart(alt.Data(values=rows))


def _named(chart: Any, run: Run) -> Any:
    """With "#12" for since, and "#15" or "the end" for until."""
    until = f"datum.until >= {data.end_of(run)} ? 'the end' : '#' + ceil(datum.until)"
    return chart.transform_calculate(**{"since call": "'#' + datum.since", "until call": until})


def _sized(chart: Any, height: int, name: str, *notes: str) -> Any:
    title = [note for note in notes if note]
    chart = chart.properties(width="container", height=height, description=name)
    return chart.properties(title=title) if title else chart


def _x(run: Run, field: str = "since") -> Any:
    alt = needed("altair")
    axis = alt.Axis(labelExpr="'#' + datum.label", tickMinStep=1, format="d", labelOverlap=True)
    return alt.X(
        f"{field}:Q",
        title="call",
        axis=axis,
        scale=alt.Scale(domain=[1, data.end_of(run)], nice=False),
    )


def _place_axis(top: int) -> Any:
    alt = needed("altair")
    axis = alt.Axis(values=alt.ExprRef(_ROUND), labelExpr=_HEX)
    return alt.Y("start:Q", title=None, axis=axis, scale=alt.Scale(domain=[0, top], nice=False))


def _role_colours(rows: Rows) -> Any:
    alt, there = needed("altair"), {row["role"] for row in rows}
    roles = [role for role in (USED, SLACK, HEADER, FREE, ERROR) if role.label in there]
    scale = _scale([role.label for role in roles], [role.colour for role in roles])
    return alt.Color("role:N", scale=scale, legend=_legend(symbolType="square", symbolSize=160))


def _functions(run: Run) -> dict[str, str]:
    """The colour of each function, by its name."""
    return {
        run.functions[kind]: colour for kind, colour in COLOURS.items() if kind in run.functions
    }


def _function_colours(run: Run) -> Any:
    scale = _scale(list(_functions(run)), list(_functions(run).values()))
    return needed("altair").Color("function:N", scale=scale, legend=_legend())


def _legend(**options: Any) -> Any:
    return needed("altair").Legend(title=None, orient="top", **options)


def _scale(names: Sequence[str], range_: Sequence[Any]) -> Any:
    return needed("altair").Scale(domain=list(names), range=list(range_))


def _tips(*fields: str) -> list[Any]:
    alt = needed("altair")
    return [alt.Tooltip(field, type="nominal") for field in fields]


def _labels(rows: Rows, run: Run, top: int) -> Any:
    """Letter and size, on the largest bars."""
    shown = [row | {"end": min(row["end"], top)} for row in rows if row["start"] < top]
    wide = [row for row in shown if row["until"] - row["since"] > 0.07 * (data.end_of(run) - 1)]
    high = [row for row in wide if row["end"] - row["start"] > 0.04 * top]
    high.sort(key=lambda row: (row["since"] - row["until"]) * (row["end"] - row["start"]))
    texts = [
        {"since": (row["since"] + row["until"]) / 2, "start": (row["start"] + row["end"]) / 2,
         "text": f"{row['role'][0]} {row['size']}",
         "ink": "black" if row["role"] in (FREE.label, SLACK.label) else "white"}
        for row in high[:MOST_LABELS]
    ]  # fmt: skip
    ink = needed("altair").ExprRef("datum.ink")
    text = _chart(texts).mark_text(clip=True, fontSize=11, color=ink)
    return text.encode(x="since:Q", y="start:Q", text="text:N")
