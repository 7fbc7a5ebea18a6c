"""Every access to memory: when, where, which value, and by what."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from emu.report.palette import USED
from emu.report.trace_selection import accesses_of
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
_ROW = "{:>8}  {:<5} {:<18} {:>4}  {:<20} {:<21} {}"


def rows(traced: Traced, selection: Selection) -> Rows:
    accesses = accesses_of(traced, selection)
    return Rows(len(accesses), _documents(traced, accesses[: selection.limit]))


def _documents(traced: Traced, accesses: Places) -> Iterator[Document]:
    trace = traced.trace
    for start in range(0, len(accesses), _CHUNK):
        chunk = accesses[start : start + _CHUNK]
        made = trace.recorded_accesses[chunk]
        moments, numbers = trace.moments_of(made).tolist(), trace.numbers_of(made).tolist()
        for index, (moment, number) in enumerate(zip(moments, numbers, strict=True)):
            call = trace.call_at(moment)
            yield {
                "view": "accesses",
                "moment": moment,
                "call": call.index if call else None,
                **access_document(traced, made[index], int(chunk[index]), moment),
                **code_of(trace.listing[number]),
            }


def heading(width: int) -> Iterator[Text]:
    yield Text(_ROW.format("moment", "", "place", "size", "value", "function", "source"), DIM)


def lines(document: Document, width: int) -> Iterator[Text]:
    what = "write" if document["write"] else "read"
    row = _ROW.format(
        document["moment"], what, fitted(address_text(document), 18), document["size"],
        spelled(document["value"]), fitted(document["symbol"], 21), source_text(document),
    )  # fmt: skip
    line = Text(row)
    line.stylize(DIM, 0, 8)
    line.stylize(USED.colour if document["write"] else DIM, 10, 15)
    yield line


VIEW = View("accesses", rows, heading, lines)
