"""What the views of a trace share: what is looked at, which part of it, and how it is spelled.

A view turns a trace to documents, one a row, and documents to lines of text: what the terminal
shows is what JSON has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console
from rich.text import Text

from emu.explain.names import Names
from emu.run import Run
from emu.trace.blocks import Places
from emu.trace.toucher import calls_touching
from emu.trace.trace import Accesses, Span, Trace
from emu.trace.where import Where
from emu.view.places import NamedSyscall

Document = dict[str, Any]
DIM = "dim"
_DECIMAL = 1_000_000
"""Values from here on are shown in hexadecimal."""
_MOST = 1 << 63


@dataclass(frozen=True)
class Traced:
    """A trace and what is known around it. title: of what it is. run: of a scenario, just made."""

    title: str
    trace: Trace
    names: Names
    run: Run | None = None


@dataclass(frozen=True)
class Selection:
    """Which part: all of it where nothing is said.

    calls: those of the allocator. function: by name. range: of memory, [start, end).
    """

    calls: tuple[Span, ...] | None = None
    function: str | None = None
    range: tuple[int, int] | None = None
    limit: int | None = None

    @property
    def is_all(self) -> bool:
        """Whether nothing is left out but by the limit."""
        return self.calls is None and self.function is None and self.range is None


@dataclass(frozen=True)
class Rows:
    """How many rows there are, and the documents of the first ones."""

    total: int
    documents: Iterable[Document]


@dataclass(frozen=True)
class View:
    """A way to look at a trace. heading: over the rows. lines: of one row, in so many columns."""

    name: str
    rows: Callable[[Traced, Selection], Rows]
    heading: Callable[[int], Iterator[Text]]
    lines: Callable[[Document, int], Iterator[Text]]
    needs_accesses: bool = True


def show(view: View, traced: Traced, selection: Selection, to: Console) -> None:
    """Prints a view, and how much of it was cut off."""
    rows = view.rows(traced, selection)
    for line in view.heading(to.width):
        put(line, to)
    empty = True
    for document in rows.documents:
        empty = False
        for line in view.lines(document, to.width):
            put(line, to)
    if empty and not rows.total:
        put(Text("nothing", style=DIM), to)
    left = rows.total - (rows.total if selection.limit is None else selection.limit)
    if left > 0:
        put(Text(f"... {left} more of {rows.total}, cut off by --limit", style=DIM), to)


def put(line: Text, to: Console) -> None:
    """Prints a line. Where there are no colours, ten times as fast."""
    if to.color_system is None:
        to.file.write(line.plain.rstrip() + "\n")
    else:
        to.print(line, soft_wrap=True)


# Which part


def moments_of(traced: Traced, selection: Selection) -> Sequence[int] | Places:
    """The instructions that are meant, by moment."""
    trace = traced.trace
    spans = _stretches(trace, selection)
    if selection.function is None and selection.range is None:
        if len(spans) == 1:
            return range(*spans[0])
        return np.concatenate([np.arange(*span) for span in spans] or [np.zeros(0, np.int64)])
    if selection.range is not None:
        touching = trace.recorded_accesses[trace.touching(*selection.range)]
        found = within(np.unique(trace.moments_of(touching)), spans)
        meant: Places = found[in_function(trace, numbers_at(trace, found), selection.function)]
        return meant
    return np.concatenate([
        first + np.flatnonzero(in_function(trace, trace.numbers(first, last), selection.function))
        for first, last in _chunks(spans)
    ] or [np.zeros(0, np.int64)])  # fmt: skip


def accesses_of(traced: Traced, selection: Selection) -> Places:
    """The accesses that are meant, by number."""
    trace = traced.trace
    found = trace.touching(*(selection.range or (0, _MOST)))
    if selection.calls is not None:
        found = within_accesses(trace, found, selection.calls)
    if selection.function is not None:
        numbers = trace.numbers_of(trace.recorded_accesses[found])
        found = found[in_function(trace, numbers, selection.function)]
    return found


def within_accesses(trace: Trace, accesses: Places, calls: Sequence[Span]) -> Places:
    """Those that calls made."""
    total = len(trace.recorded_accesses)
    ends = [call.returned.accesses if call.returned else total for call in calls]
    starts = [call.called.accesses for call in calls]
    return within(accesses, list(zip(starts, ends, strict=True)))


def calls_of(traced: Traced, selection: Selection) -> list[Span]:
    """The calls that are meant: that ran the function, and touched the range."""
    trace = traced.trace
    calls = list(trace.calls if selection.calls is None else selection.calls)
    if selection.range is not None:
        touched = {one.call for one in calls_touching(trace, *selection.range)}
        calls = [call for call in calls if call.index in touched]
    if selection.function is not None:
        calls = [call for call in calls if _runs(trace, call, selection.function)]
    return calls


def _runs(trace: Trace, call: Span, function: str) -> bool:
    numbers = trace.numbers(call.first, call.last)
    return bool(in_function(trace, numbers, function).any())


def _stretches(trace: Trace, selection: Selection) -> list[tuple[int, int]]:
    if selection.calls is None:
        return [(0, len(trace))]
    return [(call.first, call.last) for call in selection.calls]


def _chunks(spans: list[tuple[int, int]], size: int = 1 << 20) -> Iterator[tuple[int, int]]:
    for first, last in spans:
        for start in range(first, last, size):
            yield start, min(last, start + size)


def within(numbers: Places, ranges: list[tuple[int, int]]) -> Places:
    """Those, of sorted numbers, that lie in one of some sorted ranges."""
    parts = [numbers[slice(*np.searchsorted(numbers, bounds))] for bounds in ranges]
    return np.concatenate(parts or [np.zeros(0, np.int64)])


def in_function(trace: Trace, numbers: Places, function: str | None) -> Any:
    """Which instructions, by number, stand in a function."""
    if function is None:
        return np.ones(len(numbers), bool)
    places = trace.blocks.places[numbers]
    found = np.zeros(len(numbers), bool)
    for symbol in trace.sources.symbols:
        if symbol.name == function:
            found |= (places >= symbol.address) & (places < symbol.address + symbol.size)
    return found


def numbers_at(trace: Trace, moments: Places) -> Places:
    """The instructions of some moments, by number."""
    entries = np.searchsorted(trace.starts, moments, side="right") - 1
    found: Places = trace.blocks.first[trace.entries[entries]] + moments - trace.starts[entries]
    return found


# How it is spelled


def code_of(where: Where) -> Document:
    """An instruction, in a document."""
    line = where.line
    return {
        "address": where.address,
        "symbol": where.symbol,
        "source": line.place if line else None,
        "text": where.text,
    }


def access_document(traced: Traced, access: Accesses, number: int, moment: int) -> Document:
    """An access, in a document. name: of a variable of the program's."""
    address = traced.trace.shown.virtual(int(access["address"]), number)
    size = int(access["size"])
    value = int(access["value"]) & (1 << 8 * size) - 1
    place = traced.names.place(address, moment)
    symbol = traced.trace.sources.symbol_at(address)
    return {
        "place": place,
        "name": traced.trace.sources.spelled(address) if symbol else None,
        "size": size,
        "value": value_of(traced, value, size, moment),
        "write": bool(access["write"]),
    }


def value_of(traced: Traced, value: int, size: int, moment: int) -> int | str:
    """A value; the place that it is an address of."""
    return traced.names.place(value, moment) if size == 8 else value


def spelled(value: object) -> str:
    """A place or a number, for people: addresses in hexadecimal."""
    if not isinstance(value, int):
        return str(value)
    return str(value) if abs(value) < _DECIMAL else f"{value:#x}"


def fitted(text: str, width: int) -> str:
    """A text in a column: what is too long ends in an ellipsis."""
    return text if len(text) <= width else text[: width - 1] + "…"


def address_text(document: Document) -> str:
    """Where an access was."""
    place = document["place"]
    if isinstance(place, str):
        return place
    return document["name"] or f"{place:#x}"


def source_text(document: Document) -> str:
    """search.s:44, without its folders."""
    return str(document["source"] or "").rpartition("/")[2]


def syscall_document(call: NamedSyscall) -> Document:
    return {"name": call.name, "args": list(call.args), "result": call.result, "errno": call.errno}


def call_text(traced: Traced, call: Span) -> str:
    """A call as the scenario has it, or as C would."""
    from emu.report.terminal import spelled as of_step

    steps = traced.run.steps if traced.run else []
    for step in steps:
        if step.call and step.call.index == call.index:
            return of_step(step)
    if traced.run and traced.run.running and call.returned is None:
        return of_step(traced.run.running)
    return f"{call.called.name}({', '.join(str(arg) for arg in arguments_of(traced, call))})"


def arguments_of(traced: Traced, call: Span) -> list[int | str | None]:
    """With places for pointers, and None for NULL."""
    args: list[int | str | None] = list(call.called.args)
    if call.called.name in ("os_free", "os_realloc"):
        pointer = call.called.args[0]
        args[0] = traced.names.place(pointer, call.first) if pointer else None
    return args


def result_of(traced: Traced, call: Span) -> int | str | None:
    """The payload that it gave as a place; None for NULL, and of what gives none."""
    if call.returned is None or call.called.name == "os_free" or not call.returned.result:
        return None
    return traced.names.place(call.returned.result, call.last)
