"""Going back: what a snapshot costs, and a step into the past."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from emu import Heap
from emu.timeline import ScenarioTimeline
from syscalls.abi import PAGE
from tests.bench.engines import Engine, image, pieces
from tests.bench.measure import Figure, seconds

_HALT = image("f: hlt")
_PAGES, _SNAPSHOTS = 50, 200
_CALLS, _STEPS = 450, 40


def figures() -> list[Figure]:
    return [_snapshot(), _reverse_step()]


def _bare() -> Callable[[], object]:
    engine = Engine(pieces(_HALT))
    return lambda: engine.start(_HALT.symbols["f"])


def _snapshot() -> Figure:
    """Taken, pages written to, and gone back to: the writing is measured apart, and taken off."""
    with Heap("osmem") as heap:
        payload = heap.calloc(_PAGES, PAGE)

        def dirty() -> None:
            for page in range(_PAGES):
                heap.process.memory.write(payload + page * PAGE, b"x")

        def there_and_back() -> None:
            snapshot = heap.snapshot()
            dirty()
            heap.restore(snapshot)

        ours, writing, bare = seconds(there_and_back, dirty, _bare(), rounds=_SNAPSHOTS)
    taken = ours - writing
    what = f"snapshot, {_PAGES} dirty pages, and back"
    return Figure(
        what, f"{taken * 1e3:.2f} ms", taken / bare, "bare emu_start", "< 1 ms", taken < 1e-3
    )


def _reverse_step() -> Figure:
    """In the middle of a run of a million instructions."""
    with tempfile.TemporaryDirectory() as folder:
        scenario = Path(folder) / "long.heap"
        scenario.write_text("".join(f"p{number} = malloc 24\n" for number in range(_CALLS)))
        with ScenarioTimeline(scenario) as timeline:
            timeline.go_to(timeline.end)
            ours, bare = seconds(lambda: timeline.go_to(timeline.now - 1), _bare(), rounds=_STEPS)
            size = f"{timeline.end / 1e6:.1f} M"
    what, value = f"reverse-step, run of {size}", f"{ours * 1e3:.2f} ms"
    return Figure(what, value, ours / bare, "bare emu_start", "< 50 ms", ours < 50e-3)
