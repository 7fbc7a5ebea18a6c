"""bench(scenario, allocator) -> Bench: a scenario replayed, and what each of its calls cost."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emu.allocators import Choice
from emu.bench.code import Code
from emu.bench.copiers import chosen
from emu.bench.kernel_meter import KernelMeter
from emu.bench.live import Live
from emu.bench.meter import Meter
from emu.bench.plan import Step, plan, table
from emu.errors import ScenarioError
from emu.heap import Heap
from emu.process.process import BUDGET, CallableProcess
from emu.process.replay import Replayed, loop, replay, running
from emu.scenario.load import load
from emu.scenario.operations import Scenario
from emu.view.finding import Finding

Counts = NDArray[np.int64]
COUNTERS = ("instructions", "accesses", "lines", "pages", "faults", "syscalls")


@dataclass(frozen=True, eq=False)
class Bench:
    """What the calls of a scenario cost on an allocator.

    steps: the calls. counts: by name (COUNTERS, and `copying`, which is a part of the
    instructions), a number for each call; without those of accesses where they were not asked for.
    live: bytes that callers hold after each call; footprint: bytes that the kernel has given since
    the first call, in whole pages: what a library takes when it is loaded is not seen.
    peak_footprint: at any time, also within a call. findings: what a program that
    uses the allocator could not live with.
    """

    scenario: Scenario
    allocator: str
    steps: tuple[Step, ...]
    counts: dict[str, Counts]
    live: Counts
    footprint: Counts
    peak_footprint: int
    findings: tuple[Finding, ...] = ()

    @property
    def peak_live(self) -> int:
        return int(self.live.max(initial=0))

    @property
    def utilization(self) -> float | None:
        """Peak live bytes over peak footprint; None where the kernel gave nothing."""
        return self.peak_live / self.peak_footprint if self.peak_footprint else None

    def of_kind(self, kind: str) -> Counts:
        """The numbers of the calls of a kind, from 0 on."""
        return np.flatnonzero([step.kind == kind for step in self.steps])


def bench(
    scenario: Scenario | Path | str,
    allocator: str | Path | Choice = "osmem",
    *,
    accesses: bool = True,
    budget: int = BUDGET,
) -> Bench:
    """Replays a scenario, or the file it is in, on an allocator in a fresh process.

    accesses: counts them too, and the cache lines and pages that they touch, which takes three
    times as long. budget: instructions that one call may take. InputError and AssemblyError where
    there is nothing to replay; GuestDied where the program dies.
    """
    if not isinstance(scenario, Scenario):
        scenario = load(scenario)
    steps = plan(scenario)
    if not steps:
        raise ScenarioError("there is nothing to replay", scenario.file, expected="a call")
    with Heap(allocator, budget=budget) as heap, ExitStack() as stack:
        process = heap.process
        for kind in {step.kind for step in steps}:
            heap.description.function(kind)  # or it is told what is missing
        code = _code(process)
        kernel = stack.enter_context(KernelMeter(process, len(steps), partial(running, process)))
        meter = stack.enter_context(Meter(process.cpu, code, len(steps), accesses=accesses))
        replayed = replay(process, table(steps, functions_of(heap)))
    live = Live(steps, replayed.results.tolist())
    counts = {**meter.counts, "faults": kernel.faults, "syscalls": kernel.syscalls}
    return Bench(
        scenario, heap.allocator, steps, counts, np.array(live.bytes, np.int64), kernel.footprint,
        kernel.peak, (*live.findings, *_broken(replayed)),
    )  # fmt: skip


def _code(process: CallableProcess) -> Code:
    mark, cpu = loop().symbols["next_row"], process.cpu
    return Code(mark, cpu.read_code, process.sources.function_at, chosen(process))


def functions_of(heap: Heap) -> dict[str, int]:
    """The addresses of the allocator's functions, by kind."""
    found = {kind: heap.process.address_of(n) for kind, n in heap.description.functions.items()}
    return {kind: address for kind, address in found.items() if address is not None}


def _broken(replayed: Replayed) -> list[Finding]:
    """Promises of the calling convention that some call did not keep."""
    found = [Finding("convention", one.message) for one in replayed.returned.violations]
    if not replayed.complete:
        message = "it came back with another rsp, and no call could follow"
        found.append(Finding("convention", message, len(replayed.results)))
    return found
