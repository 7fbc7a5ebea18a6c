"""A heap as text, for print() and for the reports of failed tests."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

from rich.console import Console

from emu.allocators import OSMEM
from emu.report import index
from emu.report.live import live_lines
from emu.report.terminal import WIDTH, block_lines
from emu.report.terminal import heap as heap_strip

if TYPE_CHECKING:
    from emu.heap import Heap
    from emu.process.event import Call

LAST_CALLS = 10


def picture(heap: Heap) -> str:
    """The heap to scale, its blocks, the last calls, and what was found wrong."""
    out = StringIO()
    console = Console(file=out, width=WIDTH, color_system=None, highlight=False)
    blocks = heap.blocks
    requested = {address: promise.size for address, promise in heap.ledger.live.items()}
    if heap.contract == OSMEM:
        console.print(heap_strip(blocks, requested, WIDTH))
    else:
        for line in live_lines(heap.ledger.in_order(), heap.place, WIDTH):
            console.print(line)
    if blocks:
        places = [heap.place(block.address) for block in blocks]
        givers = {address: promise.given for address, promise in heap.ledger.live.items()}
        for line in block_lines(
            blocks, places, heap.start, lambda block: givers.get(block.address)
        ):
            console.print(line)
        if (found := heap.index) is not None:
            for line in index.lines(found, heap.start):
                console.print(line)
    for call in heap.calls[-LAST_CALLS:]:
        console.print(f"#{call.index} {_spelled(heap, call)}", markup=False)
    for finding in heap.check():
        console.print(f"! {finding}", markup=False)
    return out.getvalue().rstrip()


def _spelled(heap: Heap, call: Call) -> str:
    pointer_first = call.kind in ("free", "realloc")
    args = [
        str(heap.places.pointer(arg) or "NULL") if pointer_first and index == 0 else str(arg)
        for index, arg in enumerate(call.args)
    ]
    text = f"{call.name}({', '.join(args)})"
    if call.result is None:
        return text
    return f"{text} = {heap.places.pointer(call.result) or 'NULL'}"
