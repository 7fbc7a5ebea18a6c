"""A call in its trace: its accesses and events, and the payloads that it was given and gave."""

from __future__ import annotations

from emu.process.event import Event, SystemCalled
from emu.trace.trace import Span, Trace


def accesses_of(trace: Trace, span: Span) -> tuple[int, int]:
    """The first access of a call, and the first behind it."""
    total = len(trace.recorded_accesses)
    return span.called.accesses, span.returned.accesses if span.returned else total


def pointers(span: Span) -> tuple[int, ...]:
    """The payload that a call was given."""
    return span.called.args[:1] if span.called.kind in ("free", "realloc") else ()


def result_of(span: Span) -> int:
    """The payload that a call gave; 0 for none. free gives none, whatever is in rax."""
    gives = span.returned is not None and span.called.kind != "free"
    return span.returned.result if gives and span.returned else 0


def events_of(trace: Trace, span: Span, first: int) -> tuple[Event, ...]:
    """From when it was called until it returned; first: the index of the first."""
    events = trace.events[first:]
    return events if span.returned is None else events[: events.index(span.returned) + 1]


def break_after(event: Event, brk: int) -> int:
    if isinstance(event, SystemCalled) and event.call.name == "brk" and event.call.result:
        return event.call.result
    return brk
