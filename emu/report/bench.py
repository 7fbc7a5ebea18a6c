"""Benches for the terminal: allocators side by side, and pictures of letters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from rich.text import Text

from emu.bench.bench import Bench
from emu.bench.figures import NOT_COPYING, Figures, by_kind, figures
from emu.bench.growth import Growth, by_situation
from emu.bench.law import Point
from emu.report.palette import FREE, USED
from emu.report.plot import HEIGHT, Area, plot
from emu.report.short_names import named_shortly

_DIM = "dim"
_BARS = 24
_FIRST = ("instructions", NOT_COPYING)
_NAMES = {"faults": "page faults", "syscalls": "system calls"}
_WIDE, _NARROW = 14, 10


def compared(benches: Sequence[Bench]) -> Iterator[Text]:
    """One scenario on some allocators: figures by kind of call, and pictures."""
    benches = named_shortly(benches)
    first = benches[0]
    title = Text(first.scenario.file, style="bold")
    yield title + Text(f"  {len(first.steps)} calls", style=_DIM)
    if first.scenario.about:
        yield Text(first.scenario.about, style="italic")
    yield from _costs(benches)
    yield from _memory(benches)
    yield from _pictures(benches)


# Costs


def _costs(benches: Sequence[Bench]) -> Iterator[Text]:
    width = _name_width(benches)
    heading = f"{'':{_WIDE}}  {'':{width}}{_row('mean', 'median', 'p99', 'worst')}"
    found = [dict(by_kind(bench)) for bench in benches]
    most = _most(found)
    for kind, counters in found[0].items():
        calls = counters["instructions"].calls
        yield Text.assemble((f"{kind} x {calls}".ljust(_WIDE), "bold"), (heading[_WIDE:], _DIM))
        names = [name for name in most if any(name in of[kind] for of in found)]
        for name in names:
            some = [of[kind].get(name, of[kind]["instructions"]) for of in found]
            yield from _compared_counter(name, benches, some, most[name], width)


def _most(found: Sequence[dict[str, dict[str, Figures]]]) -> dict[str, float]:
    """The highest mean of each counter, of all kinds of calls: bars are to this scale."""
    means: dict[str, float] = {}
    for kinds in found:
        for counters in kinds.values():
            for name, one in counters.items():
                means[name] = max(means.get(name, 0), one.mean)
    if NOT_COPYING in means:
        means[NOT_COPYING] = means["instructions"]
    return {name: means[name] for name in (*_FIRST, *means) if name in means}


def _compared_counter(
    name: str, benches: Sequence[Bench], some: Sequence[Figures], most: float, width: int
) -> Iterator[Text]:
    label, first = _NAMES.get(name, name), some[0]
    for bench, one in zip(benches, some, strict=True):
        numbers = _row(_mean(one.mean), one.median, one.p99, one.worst)
        at = f" #{one.worst_call}" if one.worst else ""
        yield Text.assemble(
            f"  {label:{_WIDE - 2}}  {bench.allocator:{width}}{numbers}",
            (f"{at:<8} ", _DIM),
            (_bar(one.mean, most), USED.colour),
            "" if one is first else f"  {_ratio(one.mean, first.mean)}",
        )
        label = ""


def _row(*cells: object) -> str:
    return "".join(f"{cell!s:>{_NARROW}}" for cell in cells)


def _mean(mean: float) -> str:
    return f"{mean:.1f}" if mean >= 10 else f"{mean:.3f}"


def _bar(value: float, most: float) -> str:
    return "#" * round(_BARS * value / most) if most else ""


def _ratio(value: float, of: float) -> str:
    return f"{value / of:.2f} x" if of else ""


def _name_width(benches: Sequence[Bench]) -> int:
    return max(len(bench.allocator) for bench in benches)


# Memory


def _memory(benches: Sequence[Bench]) -> Iterator[Text]:
    width = _name_width(benches)
    columns = _row("peak live", "footprint", "used")
    yield Text.assemble(("memory".ljust(_WIDE), "bold"), (f"  {'':{width}}{columns}", _DIM))
    for bench in benches:
        numbers = _row(bench.peak_live, bench.peak_footprint, _used(bench))
        bar = "#" * round(_BARS * (bench.utilization or 0))
        line = f"{'':{_WIDE}}  {bench.allocator:{width}}{numbers}"
        yield Text.assemble(line, " " * (_NARROW + 9), (bar, USED.colour))


def _used(bench: Bench) -> str:
    return "" if bench.utilization is None else f"{100 * bench.utilization:.1f} %"


def _pictures(benches: Sequence[Bench]) -> Iterator[Text]:
    width = 80
    top = max(max(bench.peak_footprint, bench.peak_live) for bench in benches)
    dearest = max(int(bench.counts["instructions"].max()) for bench in benches)
    for bench in benches:
        areas = [Area(FREE.letter, bench.footprint), Area(USED.letter, bench.live)]
        title = f"{bench.allocator}: footprint after each call, in bytes; # of it live"
        yield from _picture(title, plot(areas, top, width), top, len(bench.steps), width)
    for bench in benches:
        title = f"{bench.allocator}: instructions of each call"
        areas = [Area(USED.letter, bench.counts["instructions"])]
        yield from _picture(title, plot(areas, dearest, width), dearest, len(bench.steps), width)


def _picture(title: str, rows: list[str], top: int, calls: int, width: int) -> Iterator[Text]:
    yield Text(title, style="bold")
    for number, row in enumerate(rows):
        label = top if number == 0 else ""
        yield Text.assemble((f"{label!s:>{_WIDE}} |", _DIM), (row, USED.colour))
    assert len(rows) == HEIGHT
    last = f"#{calls}"
    yield Text(f"{0:>{_WIDE}} +{'#1':-<{width - len(last)}}{last}", style=_DIM)


# Several scenarios


def summary(scenarios: Sequence[Sequence[Bench]]) -> Iterator[Text]:
    """A line for each scenario and allocator."""
    compared = [named_shortly(benches) for benches in scenarios]
    width = max(_name_width(benches) for benches in compared)
    long = max(20, *(len(benches[0].scenario.file) for benches in compared))
    heading = _row("calls", "mean", "p99", "worst", "used")
    yield Text(f"{'instructions of a call':{long}}  {'':{width}}{heading}", style=_DIM)
    for benches in compared:
        means = [float(bench.counts["instructions"].mean()) for bench in benches]
        for bench, mean in zip(benches, means, strict=True):
            name = bench.scenario.file if bench is benches[0] else ""
            yield Text.assemble(
                f"{name:{long}}  {bench.allocator:{width}}{_summed(bench)}  ",
                (_bar(mean, max(means)), USED.colour),
                "" if bench is benches[0] else f"  {_ratio(mean, means[0])}",
            )


def _summed(bench: Bench) -> str:
    one = figures(bench.counts["instructions"], np.arange(len(bench.steps)))
    return _row(one.calls, f"{one.mean:.1f}", one.p99, one.worst, _used(bench))


# Growth


def laws(found: Sequence[Growth]) -> Iterator[Text]:
    """The law of every function in every situation, and some of the counts."""
    found = named_shortly(found)
    width = max(len(growth.allocator) for growth in found)
    for situation, some in by_situation(found):
        at = _some_points(found[0])
        heading = _row(*(f"n = {n}" for n, _ in at))
        yield Text.assemble((f"{situation.about:{width + 61}}", "bold"), (heading, _DIM))
        before = ""
        for growth in some:
            yield _law(growth, width, "" if growth.call == before else growth.call)
            before = growth.call


def _law(growth: Growth, width: int, call: str) -> Text:
    counts = _row(*(count for _, count in _some_points(growth)))
    return Text.assemble(
        f"  {call:18} {'=' if call else ' '} ",
        (f"{growth.law!s:18}", "bold"),
        f" {growth.allocator:{width}}  {growth.said:18}",
        counts,
    )


def _some_points(growth: Growth) -> list[Point]:
    points = growth.points
    return [points[0], points[len(points) // 2], points[-1]] if len(points) > 2 else list(points)
