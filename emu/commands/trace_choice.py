"""Which part of a trace is meant: places, ranges, calls and functions, as they are given."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

from emu.errors import InputError
from emu.scenario.number import parse

if TYPE_CHECKING:
    from emu.report.trace_view import Selection, Traced
    from emu.run import Run
    from emu.trace.trace import Span

_PLACE = re.compile(r"(?P<base>[A-Za-z_.$][\w.$]*)(?:\+(?P<offset>\w+))?$")
_PLACES = "a place: heap+0x20, map1+0x8, a number, a name of the scenario or of the program"
_WORD = 1 << 64


def selection(
    traced: Traced,
    calls: str | None,
    function: str | None,
    within: str | None,
    limit: int | None,
) -> Selection:
    """What --call, --function, --range and --limit say. InputError where that is nothing."""
    from emu.report.trace_view import Selection

    return Selection(
        None if calls is None else calls_of(traced, calls),
        None if function is None else function_of(traced, function),
        None if within is None else range_of(traced, within, "--range"),
        limit,
    )


def calls_of(traced: Traced, text: str) -> tuple[Span, ...]:
    """N, or N-M."""
    first, dash, last = text.partition("-")
    low = call_of(traced, first, f"--call {text}")
    high = call_of(traced, last, f"--call {text}") if dash else low
    if high < low:
        raise InputError("the last call is before the first", f"--call {text}")
    return traced.trace.calls[low - 1 : high]


def call_of(traced: Traced, text: str, option: str) -> int:
    """The index of a call."""
    from emu.explain.explanation import numbers_of

    expected = numbers_of(traced.trace)
    try:
        call = int(text.removeprefix("#"))
    except ValueError:
        raise InputError(f"`{text}` is no number of a call", option, expected=expected) from None
    if not 1 <= call <= len(traced.trace.calls):
        raise InputError(f"there is no call #{call}", option, expected=expected)
    return call


def function_of(traced: Traced, name: str) -> str:
    """A function that is known, whether it ran or not."""
    known = {symbol.name for symbol in traced.trace.sources.symbols}
    if name in known:
        return name
    near = get_close_matches(name, known, 3)
    expected = f"{', '.join(near)}" if near else "the name of a function"
    raise InputError(f"unknown function `{name}`", f"--function {name}", expected=expected)


def range_of(traced: Traced, text: str, option: str) -> tuple[int, int]:
    """START-END; END does not belong to it. A single place is one byte."""
    start_text, dash, end_text = text.partition("-")
    place = f"{option} {text}"
    start = place_of(traced, start_text, place)
    end = place_of(traced, end_text, place, is_end=True) if dash else start + 1
    if end <= start:
        raise InputError("the range ends before it begins", place, expected="START-END")
    return start, end


def place_of(traced: Traced, text: str, option: str, *, is_end: bool = False) -> int:
    """The address of a place. is_end: behind the last byte of a range."""
    text = text.strip()
    if text[:1].isdigit():
        return _number(text, option)
    found = _PLACE.match(text)
    if found is None:
        raise InputError(f"`{text}` is no place", option, expected=_PLACES)
    offset = _number(found["offset"], option) if found["offset"] else 0
    base = _base(traced, found["base"], option)
    _check_heap(traced, found["base"], base + offset - is_end, option)
    return base + offset


def _number(text: str, option: str) -> int:
    try:
        number = parse(text)
    except ValueError:
        raise InputError(f"`{text}` is no number", option, expected=_PLACES) from None
    if not 0 <= number < _WORD:
        raise InputError(f"{text} does not fit in 64 bits", option, expected=_PLACES)
    return number


def _base(traced: Traced, name: str, option: str) -> int:
    names, bound = traced.names, _bound(traced.run)
    address = names.address(name, 0) if re.fullmatch(r"heap|map\d+", name) else bound.get(name)
    if address is None:
        address = names.address(name, 0)
    if address is not None:
        return address
    known = ["heap", *(f"map{n}" for n in range(1, names.mappings + 1)), *bound]
    known += [symbol.name for symbol in traced.trace.sources.symbols]
    near = get_close_matches(name, known, 3)
    expected = f"{_PLACES}; near: {', '.join(near)}" if near else _PLACES
    raise InputError(f"there is no place `{name}`", option, expected=expected)


def _check_heap(traced: Traced, base: str, address: int, option: str) -> None:
    """A place of the heap lies below the highest break there was."""
    names = traced.names
    if base == "heap" and address >= names.heap_end:
        size = names.heap_end - (names.heap_start or 0)
        raise InputError(
            "the heap does not reach so far", option,
            expected=f"a place below heap+{size:#x}" if size else "a heap that is used",
        )  # fmt: skip


def _bound(run: Run | None) -> dict[str, int]:
    """Names of the scenario, and the payloads that they are bound to at the end."""
    found: dict[str, int] = {}
    for step in run.steps if run else ():
        name = getattr(step.statement.operation, "name", None)
        if step.call and isinstance(name, str) and step.call.result:
            found[name] = step.call.result
    return found
