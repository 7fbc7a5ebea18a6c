"""`.rep` files: the traces of the malloc lab, as they are found in the wild.

    20000       suggested heap size         a header of four numbers, of two (ids, operations),
    3           ids                         or none; what it says is not needed
    4           operations
    1           weight
    a 0 512     allocate id 0
    r 0 640     reallocate it; of an id that holds nothing, it allocates
    f 0         free it; `f -1` frees a null pointer

Lines may end in CR LF; what is allocated at the end may stay so.
"""

from __future__ import annotations

import re
from typing import NoReturn

from emu.errors import ScenarioError
from emu.scenario import language
from emu.scenario import operations as op

_OPERATION = re.compile(r"([arf])\s+(-?\d{1,20})(?:\s+(\d{1,40}))?$")
_HEADERS = (0, 2, 4)
_EXPECTED = "a ID SIZE, r ID SIZE or f ID"


def parse(text: str, file: str) -> tuple[op.Statement, ...]:
    """Every operation of a trace. ScenarioError for a line that is none."""
    numbered = enumerate(language.lines(text), 1)
    lines = [(number, line.strip()) for number, line in numbered if line.strip()]
    header = 0
    while header < len(lines) and lines[header][1].isdecimal():
        header += 1
    if header not in _HEADERS:
        number, line = lines[header - 1]
        _wrong(file, number, line, f"a header of {header} numbers", "four numbers, two or none")
    held: set[str] = set()
    return tuple(
        op.Statement(number, line, _operation(file, number, line, held))
        for number, line in lines[header:]
    )


def _operation(file: str, number: int, line: str, held: set[str]) -> op.Operation:
    match = _OPERATION.match(line)
    if not match or (match[1] == "f") == bool(match[3]):
        _wrong(file, number, line, "this is no operation", _EXPECTED)
    kind, id_, size = match[1], match[2], int(match[3] or 0)
    name = f"id{id_}"
    if kind == "f":
        return op.Free(_freed(file, number, line, id_, held))
    if int(id_) < 0:
        _wrong(file, number, line, f"id {id_} cannot hold a block", "an id from 0 on")
    if size >= 1 << 64:
        _wrong(file, number, line, f"{size} does not fit in 64 bits", "0 to 2^64 - 1")
    known = name in held
    held.add(name)
    if kind == "a":
        return op.Malloc(name, size)
    return op.Realloc(name, name if known else None, size)


def _freed(file: str, number: int, line: str, id_: str, held: set[str]) -> str | None:
    if id_ == "-1":
        return None
    if f"id{id_}" not in held:
        _wrong(
            file, number, line, f"id {id_} was never allocated", "an id from a line above, or -1"
        )
    return f"id{id_}"


def _wrong(file: str, number: int, line: str, message: str, expected: str) -> NoReturn:
    raise ScenarioError(message, f"{file}:{number}", line, 0, expected)
