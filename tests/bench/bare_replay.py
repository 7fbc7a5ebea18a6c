"""The replay loop and its table on a plain engine, which answers brk and nothing else."""

from __future__ import annotations

import gc

from emu import allocators
from emu.process.process import Process
from emu.process.replay import TABLE, Planned, laid_out, loop, replay, results
from tests.bench.engines import Engine, pieces

OSMEM = allocators.find("osmem")
_HEAP_ROOM = 4 << 20


def in_unicorn(table: list[Planned], *, hooked: bool = False, virtual: bool = False) -> list[int]:
    """What osmem answers there. hooked: each instruction calls a function that does nothing."""
    with Process(OSMEM) as process:
        start = process.kernel.space.heap_start
    rows = laid_out(table)
    heap = start, bytes(_HEAP_ROOM), False
    memory = [*pieces(OSMEM), *pieces(loop()), (TABLE, rows, False), heap]
    engine = Engine(memory, virtual=virtual)
    engine.answer_brk(start)
    if hooked:
        engine.hook_instructions()
    engine.call(loop().symbols["replay"], TABLE, TABLE + len(rows))
    answers = results(engine.read(TABLE, len(rows)))
    del engine
    gc.collect()  # the binding's engines are cycles; here, not in another's time
    return answers.tolist()


def in_ours(table: list[Planned]) -> list[int]:
    """The same in a process of ours, that nobody watches."""
    with Process(OSMEM) as process:
        return replay(process, table).results.tolist()
