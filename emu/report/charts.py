"""Pictures of a run, as Altair charts; in a notebook, `heap_over_time(run("x.heap"))` shows one.

x is the number of a call: what is drawn from 12 to 15 was so after #12, until #15 changed it.
The picture of a long run is coarser than the run, and its title says by how much. A function
answers None where there is nothing to draw.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import accumulate, groupby, pairwise
from statistics import correlation, linear_regression
from typing import Any

from emu.errors import InputError
from emu.report.palette import ERROR, FREE, HEADER, MAPPED, SLACK, USED, Role
from emu.run import Run, Step
from emu.scenario import operations as op
from emu.view.blocks import Block, Status

Rows = list[dict[str, Any]]

MOST_RECTS, MOST_POINTS, MOST_MAPS, MOST_LABELS = 5000, 1000, 60, 60
COLUMNS, CELLS = 160, 64
"""The grid of a heap over time that has more than MOST_RECTS."""

GREY = "#8a8a8a"
FUNCTIONS = {
    "os_malloc": "#00796b", "os_calloc": "#e07a1f", "os_realloc": "#a23b72", "os_free": GREY,
}  # fmt: skip
CURVES = {
    "break": ("brk", GREY, [2, 2]),
    "# live": ("live", USED.colour, [1, 0]),
    ". free": ("free", FREE.colour, [1, 0]),
    ". largest free block": ("largest_free", FREE.colour, [7, 4]),
}
"""Name to (attribute of a Sample, colour, dashes)."""

_STEP = "pow(2, max(3, ceil(log((domain('y')[1] - domain('y')[0]) / 9) / LN2)))"
_HEX_TICKS = f"sequence(ceil(domain('y')[0] / {_STEP}) * {_STEP}, domain('y')[1] + 1, {_STEP})"
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
    alt, top, rows, note = needed("altair"), used_part(run), _bars(run), ""
    if not rows:
        return None
    if len(rows) > MOST_RECTS:
        rows, note = _coarse(run, top, len(rows))
    zoom = alt.selection_interval(
        name="zoom", bind="scales", encodings=["y"], zoom="wheel![event.ctrlKey]"
    )
    bars = _chart(rows).mark_rect(clip=True, aria=len(rows) < 500).encode(
        _x(run), alt.X2("until"), _place_axis(top), alt.Y2("end"), _role_colours(rows),
        tooltip=_tips("role", "place", "size", "status", "requested", "since call", "until call"),
    )  # fmt: skip
    edge = _chart([{"since": x, "start": y} for x, y in _curve(run, "brk")])
    edge = edge.mark_line(clip=True, interpolate="step-after", color=GREY, strokeDash=[2, 2])
    layers = [bars.add_params(zoom), edge.encode(x="since:Q", y="start:Q")]
    layers += [] if note else [_labels(rows, run, top)]
    return _sized(alt.layer(*layers), 440, "The heap over time", note)


def mapped(run: Run) -> Any:
    """The blocks outside the heap: a bar for every mapping that the allocator asked for."""
    rows = _mappings(run)
    if not rows:
        return None
    alt, largest = needed("altair"), sorted(rows, key=lambda row: -row["size"])[:MOST_MAPS]
    note = f"the {MOST_MAPS} largest of {len(rows)} mappings" if len(largest) < len(rows) else ""
    kept = [row for row in rows if row in largest]
    y = alt.Y("map:N", sort=[row["map"] for row in kept], title=None)
    base = _chart(kept).encode(_x(run), y)
    bars = base.mark_bar(color=MAPPED.colour, height={"band": 0.8}).encode(
        x2="until", tooltip=_tips("map", "size", "requested", "since call", "until call")
    )
    text = base.mark_text(align="left", dx=5, color="white").encode(text="text")
    return _sized(alt.layer(bars, text), 26 * len(kept), "Mapped blocks", note)


def curves(run: Run) -> Any:
    """Break, live bytes, free bytes and the largest free block; a click in the legend picks.

    Where free and largest free block are far apart, the heap is fragmented. A diamond is a
    request that found no block, though more bytes than it asked for were free.
    """
    if not run.history.samples:
        return None
    alt, every = needed("altair"), _every(len(run.history.samples))
    rows = [
        {"curve": name, "call": call, "bytes": size}
        for name, (attribute, _, _) in CURVES.items()
        for call, size in _curve(run, attribute)
    ]
    picked = alt.selection_point(name="picked", fields=["curve"], bind="legend")
    _, colours, dashes = zip(*CURVES.values(), strict=True)
    legend = alt.Legend(title=None, orient="top", symbolSize=500, symbolStrokeWidth=3)
    dash = alt.StrokeDash("curve:N", scale=_scale(list(CURVES), dashes), legend=legend)
    y = alt.Y("bytes:Q", title=None, axis=alt.Axis(labelExpr=_BYTES))
    lines = _chart(rows).encode(_x(run, "call"), y, dash).transform_filter(picked)
    casing = lines.mark_line(interpolate="step-after", strokeWidth=4, color="#666666")
    inner = lines.mark_line(interpolate="step-after", strokeWidth=2.5).encode(
        alt.Color("curve:N", scale=_scale(list(CURVES), colours), legend=legend),
        tooltip=["curve", "call", "bytes"],
    )
    missed = _chart([{"call": c.call, "bytes": c.asked, "why": str(c)} for c in crowded(run)])
    missed = missed.mark_point(shape="diamond", size=130, filled=True, color=ERROR.colour)
    missed = missed.encode(x="call:Q", y="bytes:Q", tooltip="why:N")
    note = f"the lowest and the highest of every {every} calls" if every > 1 else ""
    layers = alt.layer(casing, inner.add_params(picked), missed)
    return _sized(layers, 300, "Break, live bytes, free bytes and the largest free block", note)


def cost(run: Run) -> Any:
    """Instructions of each call, a bar each, coloured by function."""
    if not run.history.samples:
        return None
    alt, every = needed("altair"), _every(len(run.history.samples))
    dearest: dict[tuple[int, str], dict[str, Any]] = {}
    for row in _calls(run):
        group = (row["call"] - 1) // every
        row |= {"since": group * every + 1, "until": group * every + 1 + 0.85 * every}
        other = dearest.setdefault((group, row["function"]), row)
        if other["instructions"] < row["instructions"]:
            dearest[group, row["function"]] = row
    rows = sorted(dearest.values(), key=lambda row: -row["instructions"])
    steep = rows[0]["instructions"] > 50 * rows[len(rows) // 2]["instructions"]
    scale = alt.Scale(type="log", domainMin=1, nice=False) if steep else alt.Scale(domainMin=0)
    y = alt.Y("instructions:Q", scale=scale, title="instructions" + " (log)" * steep)
    bars = _chart(rows).mark_rect().encode(
        _x(run), alt.X2("until"), y, alt.Y2Datum(1 if steep else 0), _function_colours(),
        tooltip=["call", "function", "instructions"],
    )  # fmt: skip
    note = f"of every {every} calls the dearest of each function" if every > 1 else ""
    return _sized(bars, 220, "Instructions of each call", note)


def cost_by_blocks(run: Run) -> Any:
    """Instructions of the calls that searched the heap, by its number of blocks; lines fitted."""
    rows = _searches(run)
    if len(rows) < 3:
        return None
    alt, every = needed("altair"), _every(len(rows))
    by_function = {name: [row for row in rows if row["function"] == name] for name in FUNCTIONS}
    fits = {name: fit for name, some in by_function.items() if (fit := _fit(name, some))}
    base = _chart(rows[::every]).encode(
        alt.X("blocks:Q", title="blocks in the heap before the call", axis=alt.Axis(format="d")),
        alt.Y("instructions:Q"), _function_colours(),
    )  # fmt: skip
    points = base.mark_point(filled=True, opacity=0.6).encode(
        alt.Shape("function:N", scale=alt.Scale(domain=list(FUNCTIONS)), legend=None),
        tooltip=["call", "function", "blocks", "instructions"],
    )
    lines = base.transform_filter(alt.FieldOneOfPredicate("function", list(fits)))
    lines = lines.transform_regression("blocks", "instructions", groupby=["function"]).mark_line()
    note = [f"one of every {every} calls"] if every > 1 else []
    return _sized(alt.layer(points, lines), 280, "Cost by blocks", *fits.values(), *note)


# What they show


def label(role: Role) -> str:
    return f"{role.letter} {role.name}"


def parts(block: Block, asked: int | None) -> list[tuple[Role, int, int]]:
    """What a block is made of: (role, start, end) in address order."""
    used = block.size if asked is None else min(asked, block.size)
    kinds = {Status.FREE: FREE, Status.UNKNOWN: ERROR}
    found = [(HEADER, block.header, block.address)]
    if block.status in kinds:
        found += [(kinds[block.status], block.address, block.end)]
    else:
        found += [(USED, block.address, block.address + used)]
        found += [(SLACK, block.address + used, block.end)]
    return [part for part in found if part[1] < part[2]]


def used_part(run: Run, blocks: Sequence[Block] | None = None) -> int:
    """Bytes of heap worth showing: as far as blocks were in use, and the free rest if short."""
    shown = [bar.block for bar in run.history.bars] if blocks is None else blocks
    whole = max((block.end for block in shown), default=run.heap_start) - run.heap_start
    ends = [block.end - run.heap_start for block in shown if block.status is not Status.FREE]
    used = max(ends, default=whole)
    return whole if whole <= 1.6 * used else int(1.1 * used) + 64


@dataclass(frozen=True, slots=True)
class Crowded:
    """A call that found no block, though more than it asked for was free, in `pieces`."""

    call: int
    text: str
    asked: int
    free: int
    pieces: int
    largest: int
    grown: int

    def __str__(self) -> str:
        so = f"the heap grew by {self.grown:,}" if self.grown else "it was refused"
        return (
            f"#{self.call} {self.text}: {self.free:,} bytes were free, in {self.pieces:,} "
            f"pieces; the largest had {self.largest:,}, so {so}"
        ).replace(",", "\u202f").replace(";", ",", 0)


def crowded(run: Run) -> list[Crowded]:
    """The calls that fragmentation made fail, or made the heap grow."""
    found, pieces = [], _free_pieces(run)
    steps = [step for step in run.steps if step.call]
    for step, (before, now) in zip(steps[1:], pairwise(run.history.samples), strict=False):
        asked, grown = requested(step), max(0, now.brk - before.brk)
        if before.largest_free < asked <= before.free and (grown or step.result is None):
            found.append(Crowded(
                now.call, step.statement.text, asked, before.free, pieces[before.call],
                before.largest_free, grown,
            ))  # fmt: skip
    return found
