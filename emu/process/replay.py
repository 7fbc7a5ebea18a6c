"""Many calls at once: the loop of asm/replay.s makes them, as a table says.

    table = [Planned(malloc, 100), Planned(malloc, 24), Planned(free, of=0)]
    replay(process, table).results

Between two calls the host has nothing to do, so that a trace of ten thousand of them takes the
time that its instructions take. The loop's own count as none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from asm.assembler import assemble
from asm.image import Image
from asm.layout import numbers
from asm.source import PACKAGE
from emu.errors import GuestDied
from emu.process.process import LAID, CallableProcess, Returned

_SOURCE = PACKAGE / "replay.s"
TABLE = LAID + (1 << 20)
_WORD = (1 << 64) - 1
_ROW = np.dtype([(name, "<u8") for name in ("function", "first", "second", "value", "result")])
_LAYOUT = numbers(_SOURCE)
_SIZE, _VALUE, _RESULT = _LAYOUT["ROW_SIZE"], _LAYOUT["VALUE"], _LAYOUT["RESULT"]


class Planned(NamedTuple):
    """A call to make. function: an address.

    of: the first argument is what that call answered, by its number from 0 on, and not `first`.
    """

    function: int
    first: int = 0
    second: int | None = None
    of: int | None = None


@dataclass(frozen=True, eq=False)
class Replayed:
    """What came of it.

    results: rax of each call that was made. returned: of all of them together; a register that it
    names was broken by one of them. complete: whether all were made: after one that came back with
    another rsp, the last of `results`, no other can be.
    """

    results: NDArray[np.uint64]
    returned: Returned
    complete: bool


@cache
def loop() -> Image:
    """The loop, where it is laid."""
    return assemble(_SOURCE, LAID)


def replay(process: CallableProcess, table: Sequence[Planned]) -> Replayed:
    """Makes the calls of a table, in order. Each may take the process's budget, at most twice.

    GuestDied where one does not come back; its `scene` says which.
    """
    image = loop()
    _lay(process, image, table)
    end = TABLE + _SIZE * len(table)
    try:
        returned = process.call(
            image.symbols["replay"], TABLE, end, goes_on=_Progress(process).is_made
        )
    except GuestDied as died:
        died.scene = replace(died.scene, running=_spelled(process, table, running(process)))
        raise
    made = (returned.result - TABLE) // _SIZE
    complete = made == len(table)
    return Replayed(_results(process, made + (not complete)), returned, complete)


def results(rows: bytes) -> NDArray[np.uint64]:
    """What each call of a table answered, from its rows after the replay."""
    found: NDArray[np.uint64] = np.frombuffer(rows, _ROW)["result"]
    return found


def running(process: CallableProcess) -> int:
    """The number of the call that a replay is at, from 0 on."""
    row = process.memory.read(loop().symbols["row"], 8)
    return (int.from_bytes(row, "little") - TABLE) // _SIZE


def _lay(process: CallableProcess, image: Image, table: Sequence[Planned]) -> None:
    text, data = image.segments
    process.cpu.uncounted |= frozenset(range(text.address, text.end))
    process.lay(text.address, text.data, "rx")
    process.lay(data.address, data.data, "rw")
    process.lay(TABLE, laid_out(table), "rw")


def laid_out(table: Sequence[Planned]) -> bytes:
    """The rows of a table, as they lie at TABLE for the loop."""
    rows = np.zeros(len(table), _ROW)
    rows["function"] = [call.function for call in table]
    rows["value"] = [call.first & _WORD for call in table]
    rows["second"] = [(call.second or 0) & _WORD for call in table]
    here = range(TABLE, TABLE + _SIZE * len(table), _SIZE)
    rows["first"] = [
        row + _VALUE if call.of is None else TABLE + _SIZE * call.of + _RESULT
        for row, call in zip(here, table, strict=True)
    ]
    return rows.tobytes()


def _results(process: CallableProcess, count: int) -> NDArray[np.uint64]:
    return results(process.memory.read(TABLE, _SIZE * count))


def _spelled(process: CallableProcess, table: Sequence[Planned], number: int) -> str:
    """os_free(0x402020), call 17."""
    call = table[number]
    first = call.first if call.of is None else int(_results(process, number)[call.of])
    values = [first] if call.second is None else [first, call.second]
    shown = (hex(value) if value > 0xFFFF else str(value) for value in values)
    name = process.sources.function_at(call.function)
    return f"{name}({', '.join(shown)}), call {number + 1} of the replay"


class _Progress:
    """Whether the loop has come further since it was last asked."""

    def __init__(self, process: CallableProcess) -> None:
        self._process, self._last = process, -1

    def is_made(self) -> bool:
        last, self._last = self._last, running(self._process)
        return self._last != last
