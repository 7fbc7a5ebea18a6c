"""Who wrote it: every write to a place before the end, the last one first."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from rich.text import Text

from emu.report.trace_view import (
    DIM,
    Document,
    Rows,
    Selection,
    Traced,
    View,
    fitted,
    source_text,
    spelled,
    value_of,
)
from emu.trace.questions import Write, writes

_ROW = "{:>8}  {:>5}  {:<14} {:<21} {:<13} {}"


def who_wrote(name: str, start: int, end: int) -> View:
    """The view of a place, as it was given: [start, end)."""
    return View("who-wrote", partial(_rows, name, start, end), partial(_heading, name), lines)


def _rows(name: str, start: int, end: int, traced: Traced, selection: Selection) -> Rows:
    found = writes(traced.trace, start, end)
    last_first = range(len(found) - 1, -1, -1)
    chosen = [i for i in last_first if selection.is_all or _is_meant(found[i], selection)]
    documents = (_document(name, traced, found[index]) for index in chosen[: selection.limit])
    return Rows(len(chosen), documents)


def _is_meant(write: Write, selection: Selection) -> bool:
    if selection.calls is not None and write.call not in {call.index for call in selection.calls}:
        return False
    function = write.where.function if write.where else None
    if selection.function not in (None, function):
        return False
    start, end = selection.range or (write.address, write.address + write.size)
    return write.address < end and write.address + write.size > start


def _document(name: str, traced: Traced, write: Write) -> Document:
    where, value = write.where, write.value
    small = value is not None and write.size <= 8
    return {
        "view": "who-wrote",
        "of": name,
        "moment": write.moment,
        "call": write.call,
        "place": traced.names.place(write.address, write.moment),
        "size": write.size,
        "value": value_of(traced, value or 0, write.size, write.moment) if small else None,
        "kernel": write.kernel,
        "address": where.address if where else None,
        "symbol": where.symbol if where else None,
        "source": where.line.place if where and where.line else None,
        "line": where.line.text.strip() if where and where.line else None,
        "text": where.text if where else None,
    }


def _heading(name: str, width: int) -> Iterator[Text]:
    yield Text(f"who wrote {name}, the last one first", style="bold")
    yield Text(_ROW.format("moment", "call", "value", "function", "source", "line"), style=DIM)


def lines(document: Document, width: int) -> Iterator[Text]:
    call = f"#{document['call']}" if document["call"] else ""
    size = document["size"]
    value = f"{size} bytes" if document["value"] is None else spelled(document["value"])
    by = document["symbol"] or f"kernel: {document['kernel']}"
    code = str(document["line"] or document["text"] or "").partition("#")[0]
    row = _ROW.format(
        document["moment"],
        call,
        value,
        fitted(by, 21),
        source_text(document),
        " ".join(code.split()),
    )
    line = Text(fitted(row.rstrip(), width))
    line.stylize(DIM, 0, 8)
    yield line
