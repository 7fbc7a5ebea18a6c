"""What the views of a trace share: what is looked at, which part of it, and how it is spelled.

A view turns a trace to documents, one a row, and documents to lines of text: what the terminal
shows is what JSON has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.text import Text

from emu.explain.names import Names
from emu.run import Run
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
    if call.called.kind in ("free", "realloc"):
        pointer = call.called.args[0]
        args[0] = traced.names.place(pointer, call.first) if pointer else None
    return args


def result_of(traced: Traced, call: Span) -> int | str | None:
    """The payload that it gave as a place; None for NULL, and of what gives none."""
    if call.returned is None or call.called.kind == "free" or not call.returned.result:
        return None
    return traced.names.place(call.returned.result, call.last)
