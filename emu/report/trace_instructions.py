"""Every instruction: when, where, what it is, and what it read and wrote."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from rich.text import Text

from emu.report.palette import USED
from emu.report.trace_selection import moments_of, numbers_at
from emu.report.trace_view import (
    DIM,
    Document,
    Rows,
    Selection,
    Traced,
    View,
    access_document,
    address_text,
    code_of,
    fitted,
    source_text,
    spelled,
)
from emu.trace.blocks import Places

_CHUNK = 4096
_ROW = "{:>8}  {:<9}  {:<21} {:<13} {}"


def rows(traced: Traced, selection: Selection) -> Rows:
    moments = moments_of(traced, selection)
    return Rows(len(moments), _documents(traced, np.asarray(moments[: selection.limit], np.int64)))


def _documents(traced: Traced, moments: Places) -> Iterator[Document]:
    trace = traced.trace
    for start in range(0, len(moments), _CHUNK):
        chunk = moments[start : start + _CHUNK]
        numbers = numbers_at(trace, chunk)
        first, last = (
            np.searchsorted(trace.moments, chunk, side=side) if trace.accesses is not None
            else np.zeros(len(chunk), np.int64) for side in ("left", "right")
        )  # fmt: skip
        columns = zip(*(one.tolist() for one in (chunk, numbers, first, last)), strict=True)
        for moment, number, begin, end in columns:
            call = trace.call_at(moment)
            yield {
                "view": "instructions",
                "moment": moment,
                "call": call.index if call else None,
                **code_of(trace.listing[number]),
                "accesses": [
                    access_document(traced, trace.recorded_accesses[one], one, moment)
                    for one in range(begin, end)
                ],
            }


def heading(width: int) -> Iterator[Text]:
    row = _ROW.format("moment", "address", "function", "source", "instruction")
    yield Text(row, style=DIM)


def lines(document: Document, width: int) -> Iterator[Text]:
    address = f"{document['address']:#x}"
    symbol, source = fitted(document["symbol"], 21), fitted(source_text(document), 13)
    row = _ROW.format(document["moment"], address, symbol, source, document["text"])
    line = Text(row)
    line.stylize(DIM, 0, 21)
    touched = accessed(document)
    if touched.plain and line.cell_len + 2 + touched.cell_len <= width:
        yield line.append("  ").append(touched)
        return
    yield line
    if touched.plain:
        yield Text(" " * 60).append(touched) if touched.cell_len + 60 <= width else touched


def accessed(document: Document) -> Text:
    """What an instruction read and wrote."""
    text = Text()
    for access in document["accesses"]:
        place, value = address_text(access), spelled(access["value"])
        text.append("  " if text.plain else "")
        if access["write"]:
            text.append(f"{place} := {value}", style=USED.colour)
        else:
            text.append(f"{place} is {value}", style=DIM)
    return text


VIEW = View("instructions", rows, heading, lines)
