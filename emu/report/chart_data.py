"""What the pictures of a run show, as rows of plain data: nothing here knows of Altair."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import accumulate, groupby, pairwise
from statistics import linear_regression
from typing import Any

from emu.report.palette import ERROR, FREE, HEADER, SLACK, USED, Role, parts
from emu.run import Run, Step
from emu.scenario import operations as op
from emu.view.blocks import Block, Status

Rows = list[dict[str, Any]]

MOST_POINTS = 1000
COLUMNS, CELLS = 120, 56
"""The grid of a heap over time that has too many bars to draw each."""


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
        asked, grown = requested(step) or 0, now.brk - before.brk
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
            change[bar.until or end_of(run)] -= 1
    return list(accumulate(change[call] for call in range(end_of(run) + 1)))


def bars(run: Run) -> Rows:
    """A row for everything a block is made of, for as long as it stayed the same."""
    start, end = run.heap_start, end_of(run)
    return [
        {"role": role.label, "since": bar.since, "until": bar.until or end,
         "start": first - start, "end": last - start,
         "place": f"heap+{bar.block.address - start:#x}",
         "size": bar.block.size, "status": str(bar.block.status), "requested": bar.requested}
        for bar in run.history.bars
        for role, first, last in parts(bar.block, bar.requested)
    ]  # fmt: skip


def coarse(run: Run, top: int, count: int) -> tuple[Rows, str]:
    """The same as a grid; a cell has bands for the shares of what is in it."""
    every, cell = -(-(end_of(run) - 1) // COLUMNS), -(-top // CELLS)
    change: dict[tuple[int, int], Counter[Role]] = defaultdict(Counter)
    for bar in run.history.bars:
        first, behind = (-(-(call - 1) // every) for call in (bar.since, bar.until or end_of(run)))
        for role, low, high in parts(bar.block, bar.requested) if first < behind else ():
            start, end = low - run.heap_start, high - run.heap_start
            for row in range(start // cell, min(CELLS, -(-end // cell))):
                size = min(end, (row + 1) * cell) - max(start, row * cell)
                change[row, first][role] += size
                change[row, behind][role] -= size
    rows = [band for row in range(CELLS) for band in _bands(row, change, every, cell, end_of(run))]
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
            }  # fmt: skip


def _quarters(held: Counter[Role], cell: int) -> Iterator[tuple[Role, int, int]]:
    reached = 0
    for role in (USED, SLACK, HEADER, ERROR, FREE):
        start, reached = reached, reached + held[role]
        low, high = round(4 * start / cell), round(4 * reached / cell)
        if low < high:
            yield role, low, high


def mappings(run: Run) -> Rows:
    """A row for every mmap that was granted, until a munmap at its start."""
    rows: dict[str, dict[str, Any]] = {}
    for step in run.steps:
        index = step.call.index if step.call else 0
        for syscall in step.syscalls:
            if syscall.errno is None and syscall.name == "mmap":
                name, size = str(syscall.result).split("+")[0], syscall.args[1]
                rows[name] = {
                    "map": name, "label": f"{name} {spaced(size)}", "size": size, "since": index,
                    "until": end_of(run), "statement": step.statement.text,
                }  # fmt: skip
            elif syscall.errno is None and syscall.name == "munmap":
                row = rows.get(str(syscall.args[0]).removesuffix("+0x0"))
                if row:
                    row |= {"until": max(index, row["since"] + 0.3)}
        row = rows.get(str(step.result).split("+")[0])
        if row:
            row["requested"] = requested(step)
    return list(rows.values())


def searches(run: Run) -> Rows:
    """The calls that took a block of the heap, and how many blocks there were before."""
    rows = calls(run)
    for before, row in zip(run.history.samples, rows[1:], strict=False):
        row["blocks"] = before.blocks
    return [row for row in rows[1:] if row["searched"]]


def calls(run: Run) -> Rows:
    return [
        {"call": step.call.index, "function": step.function,
         "instructions": step.call.instructions,
         "searched": str(step.result).startswith("heap+") and step.result != step.args[0]}
        for step in run.steps
        if step.call
    ]  # fmt: skip


def fit(name: str, rows: Rows) -> str:
    """The fitted line in words; nothing where no line can be fitted."""
    x, y = [row["blocks"] for row in rows], [row["instructions"] for row in rows]
    if len(rows) < 3 or len(set(x)) < 2:
        return ""
    slope, start = linear_regression(x, y)
    return f"{name}: {start:.0f} instructions, and {slope:.1f} more for every block"


def curve(run: Run, attribute: str) -> list[tuple[int, int]]:
    """(call, bytes); of a long run the lowest and the highest of every few calls."""
    samples = [(sample.call, getattr(sample, attribute)) for sample in run.history.samples]
    every = stride(len(samples))
    kept = {samples[-1]}
    for i in range(0, len(samples), every):
        few = samples[i : i + every]
        kept |= {min(few, key=_size), max(few, key=_size)}
    return [*sorted(kept), (end_of(run), samples[-1][1])]


def _size(sample: tuple[int, int]) -> int:
    return sample[1]


def stride(count: int) -> int:
    return -(-count // MOST_POINTS)


def end_of(run: Run) -> int:
    """One past the last call."""
    return len(run.history.samples) + 1


def requested(step: Step) -> int | None:
    match step.statement.operation:
        case op.Malloc(_, size) | op.Realloc(_, _, size):
            return size
        case op.Calloc(_, count, size):
            return count * size
    return None
