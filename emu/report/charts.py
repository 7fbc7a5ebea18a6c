"""Pictures of a run, as Altair charts; in a notebook, `heap_over_time(run("x.heap"))` shows one.

x is the number of a call: what is drawn from 12 to 15 was so after #12, until #15 changed it.
The picture of a long run is coarser than the run, and its title says by how much. A function
answers None where there is nothing to draw.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from importlib import import_module
from itertools import accumulate, groupby, pairwise
from statistics import linear_regression
from typing import Any

from emu.errors import InputError
from emu.report.palette import ERROR, FREE, HEADER, MAPPED, SLACK, USED, Role, parts
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
    text = base.mark_text(align="left", dx=5, color="white").encode(text="text:N")
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
        tooltip=_tips("curve", "call", "bytes"),
    )
    missed = _chart([{"call": call, "bytes": size, "why": why} for call, size, why in crowded(run)])
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
        tooltip=_tips("call", "function", "instructions"),
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
        tooltip=_tips("call", "function", "blocks", "instructions"),
    )
    lines = base.transform_filter(alt.FieldOneOfPredicate("function", list(fits)))
    lines = lines.transform_regression("blocks", "instructions", groupby=["function"]).mark_line()
    note = [f"one of every {every} calls"] if every > 1 else []
    return _sized(alt.layer(points, lines), 280, "Cost by blocks", *fits.values(), *note)


# What they show


def used_part(run: Run, blocks: Sequence[Block] | None = None) -> int:
    """Bytes of heap worth showing: as far as blocks were in use, and the free rest if short."""
    shown = [bar.block for bar in run.history.bars] if blocks is None else blocks
    whole = max((block.end - run.heap_start for block in shown), default=0)
    ends = [block.end - run.heap_start for block in shown if block.status is not Status.FREE]
    used = max(ends, default=whole)
    return whole if whole <= 1.6 * used else int(1.1 * used) + 64


def crowded(run: Run) -> list[tuple[int, int, str]]:
    """(call, bytes asked for, sentence) of calls that found no block though enough was free."""
    found, pieces = [], _free_pieces(run)
    steps = [step for step in run.steps if step.call]
    for step, (before, now) in zip(steps[1:], pairwise(run.history.samples), strict=False):
        asked, grown = _requested(step) or 0, now.brk - before.brk
        if before.largest_free < asked <= before.free and (grown > 0 or step.result is None):
            why = (
                f"#{now.call} {step.statement.text}: {spaced(before.free)} bytes were free, but in "
                f"{pieces[before.call]} pieces, the largest of {spaced(before.largest_free)}; "
                + (f"the heap grew by {spaced(grown)}" if grown > 0 else "it was refused")
            )
            found.append((now.call, asked, why))
    return found


def spaced(number: int) -> str:
    """450 000, with spaces that do not break."""
    return f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def _free_pieces(run: Run) -> list[int]:
    """How many free blocks there were after each call; [0] is before the first."""
    change: Counter[int] = Counter()
    for bar in run.history.bars:
        if bar.block.status is Status.FREE:
            change[bar.since] += 1
            change[bar.until or _end(run)] -= 1
    return list(accumulate(change[call] for call in range(_end(run) + 1)))


def _bars(run: Run) -> Rows:
    """A row for everything a block is made of, for as long as it stayed the same."""
    start, end = run.heap_start, _end(run)
    return [
        {"role": role.label, "since": bar.since, "until": bar.until or end,
         "start": first - start, "end": last - start,
         "place": f"heap+{bar.block.address - start:#x}",
         "size": bar.block.size, "status": str(bar.block.status), "requested": bar.requested,
         "since call": f"#{bar.since}", "until call": f"#{bar.until}" if bar.until else "the end"}
        for bar in run.history.bars
        for role, first, last in parts(bar.block, bar.requested)
    ]  # fmt: skip


def _coarse(run: Run, top: int, count: int) -> tuple[Rows, str]:
    """The same as a grid; a cell has bands for the shares of what is in it."""
    every, cell = -(-(_end(run) - 1) // COLUMNS), -(-top // CELLS)
    change: dict[tuple[int, int], Counter[Role]] = defaultdict(Counter)
    for bar in run.history.bars:
        first, behind = (-(-(call - 1) // every) for call in (bar.since, bar.until or _end(run)))
        for role, low, high in parts(bar.block, bar.requested) if first < behind else ():
            start, end = low - run.heap_start, high - run.heap_start
            for row in range(start // cell, min(CELLS, -(-end // cell))):
                size = min(end, (row + 1) * cell) - max(start, row * cell)
                change[row, first][role] += size
                change[row, behind][role] -= size
    rows = [band for row in range(CELLS) for band in _bands(row, change, every, cell, _end(run))]
    note = (
        f"{count} bars, too many to draw each: cells of {every} calls by {cell} bytes, with bands"
    )
    return rows, f"{note} for what is in them"


def _bands(row: int, change: Any, every: int, cell: int, end: int) -> Iterator[dict[str, Any]]:
    """A row of cells from left to right; neighbours that look the same are one."""
    held: Counter[Role] = Counter()
    looks = []
    for column in range(COLUMNS + 1):
        for role, size in change.get((row, column), {}).items():
            held[role] += size
        looks.append((column, tuple(_quarters(held, cell))))
    for bands, group in groupby(looks, key=lambda look: look[1]):
        columns = [column for column, _ in group]
        since, until = columns[0] * every + 1, min((columns[-1] + 1) * every + 1, end)
        for role, low, high in bands if since < until else ():
            yield {
                "role": role.label, "since": since, "until": until,
                "place": f"heap+{row * cell:#x}",
                "start": row * cell + low * cell / 4, "end": row * cell + high * cell / 4,
                "size": cell, "status": f"{25 * (high - low)} % {role.name}",
                "since call": f"#{since}", "until call": f"#{until}",
            }  # fmt: skip


def _quarters(held: Counter[Role], cell: int) -> Iterator[tuple[Role, int, int]]:
    reached = 0
    for role in (USED, SLACK, HEADER, ERROR, FREE):
        start, reached = reached, reached + held[role]
        low, high = round(4 * start / cell), round(4 * reached / cell)
        if low < high:
            yield role, low, high


def _labels(rows: Rows, run: Run, top: int) -> Any:
    """Letter and size, on the largest bars."""
    shown = [row | {"end": min(row["end"], top)} for row in rows if row["start"] < top]
    wide = [row for row in shown if row["until"] - row["since"] > 0.07 * (_end(run) - 1)]
    high = [row for row in wide if row["end"] - row["start"] > 0.04 * top]
    high.sort(key=lambda row: (row["since"] - row["until"]) * (row["end"] - row["start"]))
    texts = [
        {"since": (row["since"] + row["until"]) / 2, "start": (row["start"] + row["end"]) / 2,
         "text": f"{row['role'][0]} {row['size']}",
         "ink": "black" if row["role"] in (FREE.label, SLACK.label) else "white"}
        for row in high[:MOST_LABELS]
    ]  # fmt: skip
    text = _chart(texts).mark_text(clip=True, fontSize=11)
    return text.encode(
        x="since:Q", y="start:Q", text="text:N", color=needed("altair").Color("ink:N", scale=None)
    )


def _mappings(run: Run) -> Rows:
    """A row for every mmap that was granted, until a munmap at its start."""
    rows: dict[str, dict[str, Any]] = {}
    for step in run.steps:
        index = step.call.index if step.call else 0
        for syscall in step.syscalls:
            if syscall.errno is None and syscall.name == "mmap":
                name, size = str(syscall.result).split("+")[0], syscall.args[1]
                text = f"{MAPPED.letter} {spaced(size)}   {step.statement.text}"
                rows[name] = {
                    "map": name,
                    "since": index,
                    "until": _end(run),
                    "size": size,
                    "since call": f"#{index}",
                    "until call": "the end",
                    "text": text,
                }
            elif syscall.errno is None and syscall.name == "munmap":
                row = rows.get(str(syscall.args[0]).removesuffix("+0x0"))
                if row:
                    row |= {"until": max(index, row["since"] + 0.3), "until call": f"#{index}"}
        row = rows.get(str(step.result).split("+")[0])
        if row:
            row["requested"] = _requested(step)
    return list(rows.values())  # fmt: skip


def _searches(run: Run) -> Rows:
    """The calls that took a block of the heap, and how many blocks there were before."""
    rows = _calls(run)
    for before, row in zip(run.history.samples, rows[1:], strict=False):
        row["blocks"] = before.blocks
    return [row for row in rows[1:] if row["searched"]]


def _calls(run: Run) -> Rows:
    return [
        {"call": step.call.index, "function": step.call.name,
         "instructions": step.call.instructions,
         "searched": str(step.result).startswith("heap+") and step.result != step.args[0]}
        for step in run.steps
        if step.call
    ]  # fmt: skip


def _fit(name: str, rows: Rows) -> str:
    """The fitted line in words; nothing where no line can be fitted."""
    x, y = [row["blocks"] for row in rows], [row["instructions"] for row in rows]
    if len(rows) < 3 or len(set(x)) < 2:
        return ""
    slope, start = linear_regression(x, y)
    return f"{name}: {start:.0f} instructions, and {slope:.1f} more for every block"


def _curve(run: Run, attribute: str) -> list[tuple[int, int]]:
    """(call, bytes); of a long run the lowest and the highest of every few calls."""
    samples = [(sample.call, getattr(sample, attribute)) for sample in run.history.samples]
    every = _every(len(samples))
    kept = {samples[-1]}
    for i in range(0, len(samples), every):
        few = samples[i : i + every]
        kept |= {min(few, key=_size), max(few, key=_size)}
    return [*sorted(kept), (_end(run), samples[-1][1])]


def _size(sample: tuple[int, int]) -> int:
    return sample[1]


def _every(count: int) -> int:
    return -(-count // MOST_POINTS)


def _end(run: Run) -> int:
    """One past the last call."""
    return len(run.history.samples) + 1


def _requested(step: Step) -> int | None:
    match step.statement.operation:
        case op.Malloc(_, size) | op.Realloc(_, _, size):
            return size
        case op.Calloc(_, count, size):
            return count * size
    return None


# Altair


def _chart(rows: Rows) -> Any:
    """Of data within the chart, however long: nothing is fetched, and there is no limit."""
    alt = needed("altair")
    return alt.Chart(alt.Data(values=rows))


def _sized(chart: Any, height: int, name: str, *notes: str) -> Any:
    title = [note for note in notes if note]
    chart = chart.properties(width="container", height=height, description=name)
    return chart.properties(title=title) if title else chart


def _x(run: Run, field: str = "since") -> Any:
    alt = needed("altair")
    axis = alt.Axis(labelExpr="'#' + datum.label", tickMinStep=1, format="d")
    return alt.X(
        f"{field}:Q", title="call", axis=axis, scale=alt.Scale(domain=[1, _end(run)], nice=False)
    )


def _place_axis(top: int) -> Any:
    alt = needed("altair")
    axis = alt.Axis(values=alt.ExprRef(_HEX_TICKS), labelExpr=_HEX)
    return alt.Y("start:Q", title=None, axis=axis, scale=alt.Scale(domain=[0, top], nice=False))


def _role_colours(rows: Rows) -> Any:
    alt, there = needed("altair"), {row["role"] for row in rows}
    roles = [role for role in (USED, SLACK, HEADER, FREE, ERROR) if role.label in there]
    scale = _scale([role.label for role in roles], [role.colour for role in roles])
    return alt.Color("role:N", scale=scale, legend=alt.Legend(title=None, orient="top"))


def _function_colours() -> Any:
    alt = needed("altair")
    legend = alt.Legend(title=None, orient="top")
    return alt.Color(
        "function:N", scale=_scale(list(FUNCTIONS), list(FUNCTIONS.values())), legend=legend
    )


def _scale(names: Sequence[str], range_: Sequence[Any]) -> Any:
    return needed("altair").Scale(domain=list(names), range=list(range_))


def _tips(*fields: str) -> list[Any]:
    alt = needed("altair")
    return [alt.Tooltip(field, type="nominal") for field in fields]
