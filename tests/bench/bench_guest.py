"""Guest code that nobody watches, against Unicorn as it comes."""

from __future__ import annotations

from asm.assembler import assemble_cached
from asm.source import PACKAGE
from emu.process.process import Process
from tests.bench.engines import Engine, image, pieces
from tests.bench.measure import Figure, seconds

LOOP = image(
    """
    f:      lea     rsi, [rip + data]
    .Lturn: mov     rax, [rsi]              # 12 instructions, 2 loads, 2 stores
            add     rax, rdi
            mov     [rsi + 8], rax
            mov     rdx, [rsi + 16]
            add     rdx, rax
            xor     rdx, rdi
            mov     [rsi + 24], rdx
            add     r8, rdx
            rol     r8, 3
            lea     r9, [r9 + r8]
            dec     rdi
            jnz     .Lturn
            ret
            .data
    data:   .zero   4096
    """
)
_TURNS = 1_000_000
_BLOCKS = 4000
_PAIRS = 20


def figures() -> list[Figure]:
    return [*_loop(), _osmem()]


def _loop() -> list[Figure]:
    start = LOOP.symbols["f"]
    plain, virtual = Engine(pieces(LOOP)), Engine(pieces(LOOP), virtual=True)
    with Process(LOOP) as process:
        ours, default, uncounted = seconds(
            lambda: process.call("f", _TURNS),
            lambda: plain.call(start, _TURNS),
            lambda: virtual.call(start, _TURNS),
            rounds=9,
        )
    speed = f"{12 * _TURNS / ours / 1e6:.0f} M/s"
    times = default / ours
    return [
        Figure("loads and stores, counted", speed, times, "default Unicorn", ">= 3", times >= 3),
        Figure("loads and stores, counted", speed, uncounted / ours, "virtual TLB, not counted"),
    ]


def _osmem() -> Figure:
    """Each malloc searches a list of some thousand blocks, half of them free and too small."""
    osmem = assemble_cached(PACKAGE / "osmem" / "osmem.s")
    malloc, free = osmem.symbols["os_malloc"], osmem.symbols["os_free"]
    with Process(osmem) as process:
        payloads = [process.call(malloc, 16).result for _ in range(_BLOCKS)]
        for payload in payloads[::2]:
            process.call(free, payload)
        process.call(free, process.call(malloc, 1000).result)
        pair = process.call(malloc, 1000)
        process.call(free, pair.result)
        space = process.kernel.space
        heap = space.heap_start, process.memory.read(space.heap_start, space.brk - space.heap_start)
        text, data = osmem.segments
        written = process.memory.read(data.address, len(data.data))
        engine = Engine([*pieces(osmem)[:1], (data.address, written, False), (*heap, False)])
        assert text.executable
        assert engine.call(malloc, 1000) == pair.result, "the two heaps differ"
        engine.call(free, pair.result)

        def ours() -> None:
            for _ in range(_PAIRS):
                process.call(free, process.call(malloc, 1000).result)

        def theirs() -> None:
            for _ in range(_PAIRS):
                engine.call(free, engine.call(malloc, 1000))

        taken, default = seconds(ours, theirs, rounds=9)
    speed = f"{_PAIRS * pair.instructions / taken / 1e6:.0f} M/s"
    return Figure(f"osmem, {_BLOCKS} blocks", speed, default / taken, "default Unicorn")
