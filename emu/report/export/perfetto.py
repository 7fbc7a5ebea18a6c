"""A timeline for ui.perfetto.dev and chrome://tracing: the Trace Event Format, as JSON.

An instruction takes a nanosecond. Runs of functions are complete events, within one another;
system calls and exceptions of the CPU instants; bytes in use by the allocator's callers a counter.
https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from emu.process.event import Called, Faulted, Returned, SystemCalled
from emu.report.export.target import Target, write_lines
from emu.trace.callstack import call_stack
from emu.trace.trace import Span, Trace

_Row = dict[str, Any]
_WHO: _Row = {"pid": 1, "tid": 1}
_WORD = (1 << 64) - 1


def perfetto(trace: Trace, target: Target) -> None:
    """Writes a whole trace, an event a line."""
    write_lines(_document(trace), target)


def _document(trace: Trace) -> Iterator[str]:
    yield '{"displayTimeUnit": "ns", "traceEvents": ['
    yield json.dumps({"ph": "M", "name": "process_name", **_WHO, "args": {"name": "osmem-emu"}})
    for rows in (_functions(trace), _instants(trace), _live(trace)):
        yield from (f",{json.dumps(row)}" for row in rows)
    yield "]}"


def _at(moment: int) -> float:
    """Microseconds."""
    return moment / 1000


def _functions(trace: Trace) -> Iterator[_Row]:
    stack = call_stack(trace)
    calls = {call.first_entry: call for call in trace.calls}
    begun = {call.first: calls[call.first_entry] for call in trace.calls}
    columns = (stack.function, stack.begin, stack.end, stack.paths.caller[stack.path])
    for function, begin, end, caller in zip(*(c.tolist() for c in columns), strict=True):
        row: _Row = {"name": stack.functions.name(function), "cat": "function", "ph": "X"}
        row |= {"ts": _at(begin), "dur": _at(end - begin), **_WHO}
        call = begun.get(begin) if caller == 0 else None
        yield {**row, "args": _asked(call)} if call else row


def _asked(call: Span) -> _Row:
    result = call.returned and hex(call.returned.result)
    arguments = [hex(argument & _WORD) for argument in call.called.args]
    return {"call": call.index, "arguments": arguments, "result": result}


def _instants(trace: Trace) -> Iterator[_Row]:
    for event in trace.events:
        if isinstance(event, SystemCalled):
            yield _instant(event.at, event.call.name, "system call", repr(event.call))
        elif isinstance(event, Faulted):
            where = trace.sources.spelled(event.rip)
            yield _instant(event.at, event.what, "exception", f"{event.what} at {where}")


def _instant(moment: int, name: str, category: str, text: str) -> _Row:
    row = {"name": name, "cat": category, "ph": "i", "s": "t", "ts": _at(moment), **_WHO}
    return {**row, "args": {"text": text}}


def _live(trace: Trace) -> Iterator[_Row]:
    """Bytes that callers of malloc and its like asked for and did not free."""
    sizes: dict[int, int] = {}
    total = 0
    for call in trace.calls:
        if call.returned is None:
            continue
        before, after = _change(call.called, call.returned)
        total += after[1] if after else 0
        total -= sizes.pop(before, 0) if before else 0
        if after:
            sizes[after[0]] = after[1]
        yield {"name": "bytes in use", "ph": "C", "ts": _at(call.last), **_WHO,
               "args": {"bytes": total}}  # fmt: skip


def _change(called: Called, returned: Returned) -> tuple[int, tuple[int, int] | None]:
    """The block that a call took back, 0 for none; address and size of the one it gave."""
    result, arguments = returned.result, called.args
    match called.kind, arguments:
        case "free", (block, *_):
            return block, None
        case "malloc", (size, *_):
            return 0, (result, size) if result else None
        case "calloc", (count, size, *_):
            return 0, (result, count * size) if result else None
        case "realloc", (block, size, *_):
            if result:
                return block, (result, size)
            return (block if size == 0 else 0), None
    return 0, None
