"""What each call cost, in a table, and all of it together."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from emu.report.trace_selection import calls_of
from emu.report.trace_view import (
    DIM,
    Document,
    Rows,
    Selection,
    Traced,
    View,
    arguments_of,
    call_text,
    fitted,
    result_of,
)
from emu.trace.costs import Cost, costs, whole_cost

_ROW = "{:>5}  {:<28} {:>12} {:>8} {:>7} {:>7} {:>6} {:>6} {:>8}"
_COLUMNS = ("instructions", "blocks", "reads", "writes", "lines", "pages", "syscalls")


def rows(traced: Traced, selection: Selection) -> Rows:
    chosen = {call.index for call in calls_of(traced, selection)}
    found = [one for one in costs(traced.trace) if one.span and one.span.index in chosen]
    whole = whole_cost(traced.trace) if selection.is_all else None
    return Rows(len(found), _documents(traced, found[: selection.limit], whole))


def _documents(traced: Traced, found: list[Cost], whole: Cost | None) -> Iterator[Document]:
    for cost in found:
        call = cost.span
        assert call is not None
        yield {
            "view": "calls",
            "index": call.index,
            "name": call.called.name,
            "args": arguments_of(traced, call),
            "result": result_of(traced, call),
            "returned": call.returned is not None,
            "call": call_text(traced, call),
            **_numbers(cost),
        }
    if whole:
        yield {"view": "calls", "index": None, "name": None, "call": "all", **_numbers(whole)}


def _numbers(cost: Cost) -> Document:
    return {name: getattr(cost, name) for name in _COLUMNS}


def heading(width: int) -> Iterator[Text]:
    yield Text(_ROW.format("#", "call", *_COLUMNS), style=DIM)


def lines(document: Document, width: int) -> Iterator[Text]:
    numbers = ["-" if document[name] is None else document[name] for name in _COLUMNS]
    call = fitted(str(document["call"]), 28)
    line = Text(_ROW.format(document["index"] or "", call, *numbers))
    line.stylize(DIM, 0, 5)
    if document["index"] is None:
        line.stylize("bold")
    yield line


VIEW = View("calls", rows, heading, lines)
