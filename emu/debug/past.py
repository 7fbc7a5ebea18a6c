"""What gdb debugs: a timeline. It is looked at, in both directions of time, and not changed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import count

import numpy as np

from emu.debug.target import Mapping, Reason, Stopped, Watch
from emu.heap import Heap
from emu.process.event import SystemCalled, Wrote
from emu.process.process import HARNESS
from emu.process.registers import CONTROL, GENERAL
from emu.timeline import Search, Timeline
from emu.trace.trace import Trace
from syscalls.abi import PAGE

_SEGMENTS = "cs ss ds es fs gs fs_base gs_base".split()
_X87 = {"fctrl": "fpcw", "fstat": "fpsw", "ftag": "fptag"}
_X87_POINTERS = "fiseg fioff foseg fooff fop".split()
_WIDE = [f"st{number}" for number in range(8)] + [f"xmm{number}" for number in range(16)]


class Past:
    """A Target (emu/debug/target.py) that stands at the timeline's moment.

    file: the ELF file for gdb, and its path. auxv: the auxiliary vector. heap: of a scenario.
    """

    def __init__(
        self,
        timeline: Timeline,
        file: tuple[str, bytes],
        auxv: bytes = b"",
        heap: Heap | None = None,
    ) -> None:
        self.breakpoints: set[int] = set()
        self.watches: set[Watch] = set()
        self._timeline, self._file, self._auxv, self._heap = timeline, file, auxv, heap
        self._interrupted = False

    # Looking

    def registers(self) -> dict[str, int]:
        cpu = self._timeline.machine.cpu
        general = cpu.state()
        values = {name: general[name] for name in GENERAL if name != "rflags"}
        values |= {"eflags": general["rflags"], "mxcsr": general["mxcsr"]}
        values |= {theirs: general[ours] for theirs, ours in _X87.items()}
        values |= {name: cpu.get(name) for name in _SEGMENTS} | dict.fromkeys(_X87_POINTERS, 0)
        words = cpu.floating()[len(CONTROL) :]
        low, high = words[::2], words[1::2]
        return values | {n: low[i] | high[i] << 64 for i, n in zip(count(), _WIDE, strict=False)}

    def set_register(self, name: str, value: int) -> None:
        raise ValueError(f"{name} cannot be set to {value:#x}: what has happened cannot be changed")

    def read(self, address: int, size: int) -> bytes:
        end = address
        for mapping in self.memory_map():
            if mapping.start <= end < mapping.end:
                end = min(mapping.end, address + size)
        return self._timeline.machine.memory.read(address, end - address) if end > address else b""

    def write(self, address: int, data: bytes) -> bool:
        return False

    def memory_map(self) -> list[Mapping]:
        space = self._timeline.machine.kernel.space
        rows = [Mapping(r.start, r.end, str(r.rights), space.name_of(r)) for r in space.regions]
        if self._heap is not None:
            rows.append(Mapping(HARNESS, HARNESS + PAGE, "r-x", "way in, way out"))
        return rows

    def auxv(self) -> bytes:
        return self._auxv

    def executable(self) -> tuple[str, bytes]:
        return self._file

    def moment(self) -> str:
        return self._timeline.where(self._timeline.now)

    def monitor(self, words: list[str]) -> str:
        if self._heap is None:
            return ""
        if words == ["help"]:
            return "monitor blocks    the heap's blocks at this moment\n"
        if words == ["blocks"]:
            return "".join(f"{b.address:#x} {b.size} {b.status}\n" for b in self._heap.blocks)
        return ""

    def interrupt(self) -> None:
        self._interrupted = True

    # Moving

    def step(self) -> Stopped:
        here = self._timeline.now
        if here == self._timeline.end:
            return self._at_end()
        hit = self._watched(here) if self.watches else None
        self._timeline.go_to(here + 1)
        return hit or Stopped(Reason.STEPPED)

    def step_back(self) -> Stopped:
        here = self._timeline.now
        if here == 0:
            return Stopped(Reason.BEGIN)
        hit = self._watched(here - 1) if self.watches else None
        self._timeline.go_to(here - 1)
        return hit or Stopped(Reason.STEPPED)

    def resume(self) -> Stopped:
        timeline, here = self._timeline, self._timeline.now
        broken = self._search(timeline.first_after, here + 1, self._breakpoints(), accesses=False)
        touched = self._search(timeline.first_after, here, self._touched, accesses=True)
        if self._interrupted:
            self._interrupted = False
            return Stopped(Reason.INTERRUPTED)
        if touched is not None and (broken is None or touched < broken):
            hit = self._watched(touched)
            timeline.go_to(touched + 1)
            return hit or Stopped(Reason.STEPPED)
        if broken is not None:
            timeline.go_to(broken)
            return Stopped(Reason.BREAKPOINT)
        timeline.go_to(timeline.end)
        return self._at_end()

    def resume_back(self) -> Stopped:
        timeline, here = self._timeline, self._timeline.now
        broken = self._search(timeline.last_before, here, self._breakpoints(), accesses=False)
        touched = self._search(timeline.last_before, here, self._touched, accesses=True)
        if self._interrupted:
            self._interrupted = False
            return Stopped(Reason.INTERRUPTED)
        if touched is not None and (broken is None or touched >= broken):
            hit = self._watched(touched)
            timeline.go_to(touched)
            return hit or Stopped(Reason.STEPPED)
        if broken is not None:
            timeline.go_to(broken)
            return Stopped(Reason.BREAKPOINT)
        timeline.go_to(0)
        return Stopped(Reason.BEGIN)

    def _at_end(self) -> Stopped:
        signal = self._timeline.signal
        return Stopped(Reason.END) if signal is None else Stopped(Reason.SIGNAL, signal)

    # Searching

    def _search(
        self,
        where: Callable[..., int | None],
        moment: int,
        search: Search,
        *,
        accesses: bool,
    ) -> int | None:
        wanted = self.watches if accesses else self.breakpoints
        return where(moment, search, accesses=accesses) if wanted else None

    def _breakpoints(self) -> Search:
        wanted = np.array(sorted(self.breakpoints), np.uint64)
        return lambda trace: np.flatnonzero(np.isin(trace.addresses(), wanted)).tolist()

    def _touched(self, trace: Trace) -> list[int]:
        """The instructions that touched something watched."""
        found = {moment for watch in self.watches for moment in _moments(watch, trace)}
        return sorted(found)

    def _watched(self, moment: int) -> Stopped | None:
        """What the instruction at a moment touches of what is watched."""
        for watch in sorted(self.watches):
            hit = self._timeline.first_after(moment, partial(_moments, watch), accesses=True)
            if hit == moment:
                return Stopped(Reason.WATCHPOINT, 0, watch, watch.address)
        return None


def _moments(watch: Watch, trace: Trace) -> list[int]:
    """Instructions that touched it; a system call, by what the kernel wrote for it."""
    write = None if watch.kind == "access" else watch.kind == "write"
    start, end = watch.address, watch.address + watch.size
    found: list[int] = trace.moments[trace.touching(start, end, write=write)].tolist()
    if write is not False:
        found += [call.at - 1 for call in trace.of_kind(SystemCalled) if _wrote(call, start, end)]
    return sorted(found)


def _wrote(call: SystemCalled, start: int, end: int) -> bool:
    return any(
        isinstance(effect, Wrote)
        and effect.address < end
        and start < effect.address + len(effect.data)
        for effect in call.effects
    )
