"""Every system call: who made it, and what it did to memory."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from emu.process.event import (
    Discarded,
    Effect,
    Moved,
    Owned,
    Refilled,
    Shown,
    SystemCalled,
    Wrote,
)
from emu.report.palette import ERROR
from emu.report.trace_view import (
    DIM,
    Document,
    Rows,
    Selection,
    Traced,
    View,
    code_of,
    fitted,
    source_text,
    syscall_document,
)
from emu.trace.where import Where
from emu.view.places import NamedSyscall
from syscalls.abi import PAGE
from syscalls.kernel import strace_line

_ROW = "{:>8}  {:>5}  {:<18} {:<13} {}"


def rows(traced: Traced, selection: Selection) -> Rows:
    chosen = [one for one in traced.names.syscalls if _is_meant(traced, selection, one[0])]
    return Rows(len(chosen), _documents(traced, chosen[: selection.limit]))


def _is_meant(traced: Traced, selection: Selection, event: SystemCalled) -> bool:
    if selection.calls is not None and _call(traced, event) not in {
        call.index for call in selection.calls
    }:
        return False
    if selection.function is not None:
        where = asked_by(traced, event)
        if where is None or where.function != selection.function:
            return False
    if selection.range is None:
        return True
    start, end = selection.range
    return any(low < end and start < high for low, high in map(_range, event.effects))


def asked_by(traced: Traced, event: SystemCalled) -> Where | None:
    """The instruction that a system call was."""
    return traced.trace.where(event.at - 1) if event.at else None


def _call(traced: Traced, event: SystemCalled) -> int | None:
    """The call of the allocator that it belongs to."""
    call = traced.trace.call_at(event.at - 1)
    return call.index if call else None


def _documents(
    traced: Traced, chosen: list[tuple[SystemCalled, NamedSyscall]]
) -> Iterator[Document]:
    for event, named in chosen:
        where = asked_by(traced, event)
        yield {
            "view": "syscalls",
            "moment": event.at - 1,
            "call": _call(traced, event),
            **syscall_document(named),
            **(code_of(where) if where else {"address": None, "symbol": None, "source": None}),
            "effects": [_effect(traced, one, event.at) for one in event.effects],
        }


def _effect(traced: Traced, effect: Effect, moment: int) -> Document:
    start, end = _range(effect)
    place = traced.names.place(start, moment)
    found = {"kind": type(effect).__name__.lower(), "place": place, "size": end - start}
    if isinstance(effect, Moved):
        found["from"] = traced.names.place(effect.start, moment)
    return found


def _range(effect: Effect) -> tuple[int, int]:
    match effect:
        case Wrote(address, data):
            return address, address + len(data)
        case Discarded(start, end):
            return start, end
        case Moved(start, end, to):
            return to, to + end - start
        case Shown(page) | Owned(page):
            return page, page + PAGE
        case Refilled(frame, data):
            return frame, frame + len(data)


def heading(width: int) -> Iterator[Text]:
    yield Text(_ROW.format("moment", "call", "function", "source", "system call"), DIM)


def lines(document: Document, width: int) -> Iterator[Text]:
    call = f"#{document['call']}" if document["call"] else ""
    symbol = fitted(str(document["symbol"] or "").partition("+")[0], 18)
    front = _ROW.format(document["moment"], call, symbol, source_text(document), "")
    errno = document["errno"]
    text = strace_line(document["name"], document["args"], document["result"], errno)
    yield Text.assemble((front, DIM), (text, ERROR.colour if errno else ""))
    for effect in document["effects"]:
        yield Text(" " * len(front) + _spelled(effect), style=DIM)


def _spelled(effect: Document) -> str:
    place = effect["place"]
    place = place if isinstance(place, str) else f"{place:#x}"
    where = f"{effect['kind']} {effect['size']} bytes at {place}"
    return where if "from" not in effect else f"{where} from {effect['from']}"


VIEW = View("syscalls", rows, heading, lines, needs_accesses=False)
