"""A run as a page: one file that fetches nothing and can be sent to anyone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from asm import layout
from emu.allocators import OSMEM
from emu.report import chart_data, charts
from emu.report import index as indexes
from emu.report.chart_data import spaced
from emu.report.charts import needed
from emu.report.palette import ERROR, FREE, ROLES, USED, Role, parts
from emu.report.template import template
from emu.run import Run, Step
from emu.view.blocks import Block, Status
from emu.view.finding import Finding

MOST_ROWS, MOST_TOLD, MOST_PIECES, MAP_ROWS = 1000, 200, 6000, 40
MOST_EDGES, MOST_BINS = 2000, 200

_MEANING = {
    0: "all is well",
    1: "an expectation failed or a finding was made",
    3: "the program under test died",
}
_PICTURES = {
    "heap": charts.heap_over_time,
    "mapped": charts.mapped,
    "curves": charts.curves,
    "cost": charts.cost,
    "cost-by-blocks": charts.cost_by_blocks,
}


def page(run: Run) -> str:
    """The whole page. InputError where the extra `report` is not installed."""
    rows, told = _rows(run), _told(run)
    text = template("page.html", _FILTERS).render(
        run=run, outcome=_outcome(run), figures=_figures(run), roles=ROLES, layout=layout,
        told=told[:MOST_TOLD], untold=max(0, len(told) - MOST_TOLD), rows=rows,
        shown={row.step.call.index for row in rows if row.step and row.step.call},
        pictures=_pictures(run),
        live=_live(run),
        crowded=[why for _, _, why in chart_data.crowded(run)], map=_map(run), blocks=_blocks(run),
        bins=_bins(run), index=run.index and indexes.summary(run.index),
        output=run.output[:10_000].decode("utf-8", "backslashreplace"), bundle=bundle(),
    )  # fmt: skip
    return str(text).encode("utf-8", "backslashreplace").decode("utf-8")


def _pictures(run: Run) -> dict[str, Any]:
    """As Vega-Lite, or None. Altair is not to validate every number: it takes twice as long."""
    with needed("altair.utils.schemapi").debug_mode(False):
        drawn = {name: draw(run) for name, draw in _PICTURES.items()}
        return {name: chart and chart.to_dict(validate=False) for name, chart in drawn.items()}


@cache
def bundle() -> str:
    """Vega, Vega-Lite and vega-embed, once for all pictures of a page."""
    major, minor = needed("altair").SCHEMA_VERSION.removeprefix("v").split(".")[:2]
    bundle: str = needed("vl_convert").javascript_bundle(vl_version=f"{major}.{minor}")
    return re.sub(r"<(?=/script|!--)", r"\\x3c", bundle, flags=re.IGNORECASE)


# The top


def _outcome(run: Run) -> str:
    """How it ended, in a sentence, and what the exit status means."""
    counts = {"failed expectation": len(run.failures), "finding": len(run.findings)}
    wrong = [_count(number, noun) for noun, number in counts.items() if number]
    ended = f"Died: {run.died.what}" if run.died else "Completed"
    found = " and ".join(wrong) or "No finding"
    return f"{ended}. {found}. Exit status {run.status}: {_MEANING[run.status]}."


def _figures(run: Run) -> list[tuple[str, str]]:
    free = [block.size for block in run.blocks if block.status is Status.FREE]
    used = [block.size for block in run.blocks if block.status is not Status.FREE]
    calls = [step for step in run.steps if step.call]
    made = [
        ("calls", spaced(len(calls))),
        ("instructions", spaced(run.instructions)),
        ("system calls", spaced(sum(len(step.syscalls) for step in calls))),
        ("bytes of heap", spaced(run.brk - run.heap_start)),
    ]
    if run.contract != OSMEM:
        live = sum(one.size for one in run.live)
        return [*made, (f"asked for, in {_count(len(run.live), 'block')}", spaced(live))]
    return [
        *made,
        (f"in use, in {_count(len(used), 'block')}", spaced(sum(used))),
        ("headers", spaced(len(run.blocks) * layout.META)),
        (f"free, in {_count(len(free), 'block')}", spaced(sum(free))),
        ("largest free block", spaced(max(free, default=0))),
    ]


@dataclass(frozen=True, slots=True)
class Told:
    """Something that went wrong. line: of the scenario, 0 where it is in none."""

    rule: str
    message: str
    line: int
    call: int | None = None


def _told(run: Run) -> list[Told]:
    """Failed expectations and findings, in the order of the scenario."""
    told, left = [], list(run.findings)
    for step in run.steps:
        line = step.statement.line
        if step.failure:
            message = f"`{step.statement.text}`: {step.failure}"
            told.append(Told("expectation failed", message, line))
        for finding in step.findings:
            told.append(_finding(finding, line))
            left.remove(finding)
    line = run.running.statement.line if run.running else 0
    return told + [_finding(finding, line) for finding in left]


def _finding(finding: Finding, line: int) -> Told:
    return Told(finding.rule, finding.message, line, finding.call)


def _pieces(text: object, shown: set[int]) -> Iterator[tuple[str, int | None]]:
    """Text cut at calls (#12) whose rows are shown, with their numbers."""
    for piece in re.split(r"(#\d{1,9}\b)", str(text)):
        call = int(piece[1:]) if re.fullmatch(r"#\d{1,9}", piece, re.ASCII) else None
        yield piece, call if call in shown else None


# The tables


@dataclass(frozen=True, slots=True)
class Row:
    """A statement, or `left_out` of them."""

    step: Step | None
    left_out: int = 0
    died: bool = False


def _rows(run: Run) -> list[Row]:
    """A row a statement; of many the first, the last, and those where something went wrong."""
    steps, half = run.steps, MOST_ROWS // 2
    wrong = [i for i, step in enumerate(steps) if step.findings or step.failure][:half]
    kept = {*range(min(half, len(steps))), *range(max(0, len(steps) - half), len(steps)), *wrong}
    rows, behind = [], 0
    for index in sorted(kept):
        if index > behind:
            rows.append(Row(None, index - behind))
        rows.append(Row(steps[index]))
        behind = index + 1
    return rows + ([Row(run.running, died=True)] if run.running else [])


def _call(step: Step) -> str:
    """The call as it was made: os_realloc(heap+0x20, 2048)."""
    if step.call is None:
        return ""
    args = ("NULL" if arg is None else str(arg) for arg in step.args)
    return f"{step.call.name}({', '.join(args)})"


def _result(step: Step) -> str:
    if step.call is None or step.call.result is None:
        return ""
    return "NULL" if step.result is None else str(step.result)


@dataclass(frozen=True, slots=True)
class BlockRow:
    place: int | str
    block: Block
    role: Role
    prev: str
    next: str
    since: int | None


def _blocks(run: Run) -> tuple[list[BlockRow], list[BlockRow], int]:
    """The first rows, the last ones, and how many are left out between them."""
    rows = [
        BlockRow(place, block, _role(block), _link(run, block.prev), _link(run, block.next),
                 run.history.since(block))
        for place, block in zip(run.block_places, run.blocks, strict=True)
    ]  # fmt: skip
    if len(rows) <= MOST_ROWS:
        return rows, [], 0
    half = MOST_ROWS // 2
    return rows[:half], rows[-half:], len(rows) - MOST_ROWS


def _live(run: Run) -> list[tuple[str, int, int]]:
    """(place, bytes asked for, call) of blocks in use, where the heap cannot be walked."""
    if run.contract == OSMEM:
        return []
    places = (run.live_places[one.address] for one in run.live)
    spelled = (place if isinstance(place, str) else f"{place:#x}" for place in places)
    return [(place, one.size, one.given) for place, one in zip(spelled, run.live, strict=True)]


def _role(block: Block) -> Role:
    return {Status.FREE: FREE, Status.UNKNOWN: ERROR}.get(block.status, USED)


def _link(run: Run, header: int) -> str:
    if run.heap_start <= header < run.brk:
        return f"heap+{header - run.heap_start:#x}"
    return f"{header:#x}" if header else "\N{EN DASH}"


# The heap at the end


@dataclass(frozen=True, slots=True)
class Map:
    """The heap to scale, cut into rows of `unit` bytes: (row, x, bytes, role, title).

    edges: of an index's trees, from (x, row) to (x, row), and what they are.
    """

    unit: int
    rows: list[str]
    pieces: Sequence[tuple[int, int, int, Role, str]]
    left_out: int
    edges: Sequence[tuple[int, int, int, int, str]] = ()


def _map(run: Run) -> Map | None:
    if not run.blocks:
        return None
    whole, top = run.blocks[-1].end - run.heap_start, chart_data.used_part(run, run.blocks)
    unit = max(512, 1 << ((top - 1) // MAP_ROWS).bit_length())
    pieces = list(_map_pieces(run, unit, top))
    shown = pieces[:MOST_PIECES]
    if len(shown) < len(pieces):
        top = shown[-1][0] * unit
    rows = [f"heap+{row * unit:#x}" for row in range(-(-top // unit))]
    edges = list(_map_edges(run, unit, len(rows)))[:MOST_EDGES]
    return Map(unit, rows, shown, max(0, whole - len(rows) * unit), edges)


def _map_edges(run: Run, unit: int, rows: int) -> Iterator[tuple[int, int, int, int, str]]:
    """Those that begin and end in a row that is drawn."""
    for edge in indexes.edges(run.index, run.heap_start) if run.index else ():
        above, below = edge.above - run.heap_start, edge.below - run.heap_start
        if max(above, below) < rows * unit:
            yield above % unit, above // unit, below % unit, below // unit, edge.title


def _bins(run: Run) -> list[tuple[str, int, int, str]]:
    """(sizes, blocks, depth, the first of them) of the bins that are not empty."""
    trees = run.index.trees[:MOST_BINS] if run.index else ()
    return [
        (indexes.sizes(tree), len(tree.nodes), tree.depth,
         f"heap+{tree.nodes[0].address - run.heap_start:#x}" if tree.nodes else "")
        for tree in trees
    ]  # fmt: skip


def _map_pieces(run: Run, unit: int, top: int) -> Iterator[tuple[int, int, int, Role, str]]:
    rows = -(-top // unit)
    for block, place in zip(run.blocks, run.block_places, strict=True):
        title = f"{place}: {block.status} {block.size}"
        for role, low, high in parts(block, run.requested.get(block.address)):
            start, end = low - run.heap_start, min(high - run.heap_start, rows * unit)
            for row in range(start // unit, -(-end // unit)):
                left, right = max(start - row * unit, 0), min(end - row * unit, unit)
                yield row, left, right - left, role, f"{title}, {role.name}"


def _count(number: int, noun: str) -> str:
    return f"{spaced(number)} {noun}" + "s" * (number != 1)


_FILTERS = {"spaced": spaced, "pieces": _pieces, "call": _call, "result": _result}
