"""Why a call did what it did: what it looked at, what it chose, what it changed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from rich.text import Text

from emu.explain import Explanation, explain
from emu.explain.course import Change, Look
from emu.explain.facts import spelled_value
from emu.process.event import kind_of
from emu.report.palette import ERROR, FREE
from emu.report.trace_view import (
    DIM,
    Document,
    Rows,
    Selection,
    Traced,
    View,
    arguments_of,
    call_text,
    result_of,
    source_text,
    syscall_document,
)
from emu.view.blocks import Block
from syscalls.kernel import strace_line

_MOST = 24
"""Rows of a part: what is in the middle of more is left out."""
_MOST_CANDIDATES = 6
_LOOK = "  {:<18} {:<14} {:<7} {:>10}  {}"
_CHANGE = "  {:<14} {:<7} {:>14} -> {:<14} {:<14} {}"


def explained(call: int) -> View:
    """The view of a call, by its index."""
    return View("explain", partial(_rows, call), _heading, lines)


def _rows(call: int, traced: Traced, selection: Selection) -> Rows:
    assert traced.run is not None, "only a run can be explained"
    found = explain(traced.run, call, traced.names)
    return Rows(1, [_document(traced, found)])


def _document(traced: Traced, found: Explanation) -> Document:
    span = found.span
    named = [named for event, named in traced.names.syscalls if event.call in found.syscalls]
    choice = found.choice
    return {
        "view": "explain",
        "index": span.index,
        "call": call_text(traced, span),
        "name": span.called.name,
        "args": arguments_of(traced, span),
        "result": result_of(traced, span),
        "returned": span.returned is not None,
        "instructions": span.instructions,
        "decided": list(found.sentences),
        "looked": [_look(found, look) for look in found.looks],
        "fits": [_block(found, block) for block in choice.fits] if choice else [],
        "took": _block(found, choice.chosen) if choice and choice.chosen else None,
        "changed": [_change(found, change) for change in found.changes],
        "merged": [
            {"into": _block(found, one.into), "absorbed": _block(found, one.absorbed)}
            for one in found.merges
        ],
        "syscalls": [syscall_document(one) for one in named],
        "findings": [{"rule": one.rule, "message": one.message} for one in found.findings],
    }


def _block(found: Explanation, block: Block) -> Document:
    place = found.names.place(block.address, found.span.last)
    return {"place": place, "size": block.size, "status": str(block.status)}


def _look(found: Explanation, look: Look) -> Document:
    return {
        "moment": look.moment,
        "function": look.function,
        **_block(found, look.block),
        "fields": list(look.fields),
        "reads": look.reads,
    }


def _change(found: Explanation, change: Change) -> Document:
    line = change.where.line
    return {
        "moment": change.moment,
        "what": change.what,
        "place": found.names.place(change.address, change.moment) if change.is_header else None,
        "old": None if change.old is None else spelled_value(change, change.old, found.names),
        "new": spelled_value(change, change.new, found.names),
        "symbol": change.where.symbol,
        "source": line.place if line else None,
        "text": change.where.text,
    }


def _heading(width: int) -> Iterator[Text]:
    return iter(())


def lines(document: Document, width: int) -> Iterator[Text]:
    result = document["result"] or ("null" if document["returned"] else "does not come back")
    gives = "" if kind_of(document["name"]) == "free" else f" = {result}"
    cost = f"   {document['instructions']} instructions"
    title = f"#{document['index']}  {document['call']}"
    yield Text.assemble((title, "bold"), gives, (cost, DIM))
    for sentence in document["decided"]:
        yield Text(f"  {sentence}")
    yield from _candidates(document["fits"])
    for finding in document["findings"]:
        text = f"{ERROR.letter} {finding['rule']}: {finding['message']}"
        yield Text(text, style=ERROR.colour)
    yield from _part("looked at", map(_look_line, *_shown_functions(document)))
    yield from _part("changed", map(_change_line, document["changed"]))
    for call in document["syscalls"]:
        text = strace_line(call["name"], call["args"], call["result"], call["errno"])
        yield Text(f"  {text}", style=ERROR.colour if call["errno"] else DIM)


def _candidates(blocks: list[Document]) -> Iterator[Text]:
    """The free blocks that it could choose from, where there was a choice."""
    if len(blocks) < 2:
        return
    shown = [f"{_place(block)} of {block['size']}" for block in blocks[:_MOST_CANDIDATES]]
    more = len(blocks) - len(shown)
    yield Text(f"  fit: {', '.join(shown)}" + (f" and {more} more" if more else ""), style=DIM)


def _place(document: Document) -> str:
    place = document["place"]
    return place if isinstance(place, str) else f"{place:#x}"


def _part(title: str, rows: Iterator[Text]) -> Iterator[Text]:
    every = list(rows)
    if not every:
        return
    yield Text(f"{title}, in order", style=DIM)
    left_out = len(every) - _MOST
    if left_out <= 1:
        yield from every
        return
    yield from every[: _MOST // 2]
    yield Text(f"  ... {left_out} more; --json has them all", style=DIM)
    yield from every[-(_MOST // 2) :]


def _shown_functions(document: Document) -> tuple[list[Document], list[str]]:
    """The looks, and the function where it is another one than before."""
    looks = document["looked"]
    names = [look["function"] for look in looks]
    before = ["", *names]
    return looks, [name if name != before[i] else "" for i, name in enumerate(names)]


def _look_line(look: Document, function: str) -> Text:
    row = _LOOK.format(
        function, _place(look), look["status"], look["size"], " ".join(look["fields"])
    )
    line = Text(row)
    line.stylize(DIM, 0, 20)
    if look["status"] == "free":
        at = row.index(" free") + 1
        line.stylize(f"black on {FREE.colour}", at, at + 4)
    return line


def _change_line(change: Document) -> Text:
    place = change["place"]
    if place is None:
        where, what = change["what"], ""
    else:
        where, what = _place(change), change["what"]
    old = "" if change["old"] is None else change["old"]
    symbol = change["symbol"].partition("+")[0]
    row = _CHANGE.format(where, what, old, change["new"], source_text(change), symbol)
    return Text(row, style=DIM if old == change["new"] else "")
