"""What gdb debugs: a timeline. It is looked at, in both directions of time, and not changed."""

from __future__ import annotations

from itertools import count

import numpy as np

from emu.allocators import OSMEM
from emu.closing import Closing
from emu.debug.target import Mapping, Reason, Stopped, Watch
from emu.heap import Heap
from emu.process.event import SystemCalled, Wrote
from emu.process.process import HARNESS
from emu.process.registers import CONTROL, GENERAL
from emu.timeline import Piece, Timeline
from emu.trace.questions import kernel_writes
from emu.trace.trace import Trace
from syscalls.abi import PAGE

_SEGMENTS = "cs ss ds es fs gs fs_base gs_base".split()
_X87 = {"fctrl": "fpcw", "fstat": "fpsw", "ftag": "fptag"}
_X87_POINTERS = "fiseg fioff foseg fooff fop".split()
_WIDE = [f"st{number}" for number in range(8)] + [f"xmm{number}" for number in range(16)]


class Past(Closing):
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

    def close(self) -> None:
        self._timeline.close()

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
        if words == ["blocks"] and self._heap.contract != OSMEM:
            return "nobody can walk the heap of this allocator\n"
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
        return self._went_to(here + 1, here)

    def step_back(self) -> Stopped:
        here = self._timeline.now
        if here == 0:
            return Stopped(Reason.BEGIN)
        return self._went_to(here - 1, here - 1)

    def _went_to(self, moment: int, stepped: int) -> Stopped:
        """Over the instruction at `stepped`."""
        watch = self._touched(self._timeline.piece_at(stepped)).get(stepped)
        self._timeline.go_to(moment)
        return _hit(watch) if watch else Stopped(Reason.STEPPED)

    def resume(self) -> Stopped:
        timeline, here = self._timeline, self._timeline.now
        for piece in timeline.ahead(here):
            if self._was_interrupted():
                return Stopped(Reason.INTERRUPTED)
            watches = self._touched(piece)
            touched = min((m for m in watches if m >= here), default=timeline.end)
            broken = min((m for m in self._broken(piece) if m > here), default=timeline.end)
            if touched < broken:
                timeline.go_to(touched + 1)
                return _hit(watches[touched])
            if broken < timeline.end:
                timeline.go_to(broken)
                return Stopped(Reason.BREAKPOINT)
        if self._was_interrupted():
            return Stopped(Reason.INTERRUPTED)
        timeline.go_to(timeline.end)
        return self._at_end()

    def resume_back(self) -> Stopped:
        timeline, here = self._timeline, self._timeline.now
        for piece in timeline.behind(here):
            if self._was_interrupted():
                return Stopped(Reason.INTERRUPTED)
            watches = self._touched(piece)
            touched = max((m for m in watches if m < here), default=-1)
            broken = max((m for m in self._broken(piece) if m < here), default=-1)
            if touched >= 0 and touched >= broken:
                timeline.go_to(touched)
                return _hit(watches[touched])
            if broken >= 0:
                timeline.go_to(broken)
                return Stopped(Reason.BREAKPOINT)
        if self._was_interrupted():
            return Stopped(Reason.INTERRUPTED)
        timeline.go_to(0)
        return Stopped(Reason.BEGIN)

    def _at_end(self) -> Stopped:
        signal = self._timeline.signal
        return Stopped(Reason.END) if signal is None else Stopped(Reason.SIGNAL, signal)

    def _was_interrupted(self) -> bool:
        was, self._interrupted = self._interrupted, False
        return was

    # Searching

    def _broken(self, piece: Piece) -> list[int]:
        """When instructions at breakpoints ran, in order."""
        if not self.breakpoints:
            return []
        wanted = np.array(sorted(self.breakpoints), np.uint64)
        addresses = self._timeline.trace(piece, accesses=False).addresses()
        found: list[int] = (piece.began + np.flatnonzero(np.isin(addresses, wanted))).tolist()
        return found

    def _touched(self, piece: Piece) -> dict[int, Watch]:
        """When instructions touched what is watched, and which of the watches it was."""
        found: dict[int, Watch] = {}
        for watch in sorted(self.watches):
            for moment in _moments(watch, self._timeline.trace(piece, accesses=True)):
                found.setdefault(piece.began + moment, watch)
        return found


def _hit(watch: Watch) -> Stopped:
    return Stopped(Reason.WATCHPOINT, 0, watch, watch.address)


def _moments(watch: Watch, trace: Trace) -> list[int]:
    """Instructions that touched it; a system call, by what the kernel wrote for it."""
    write = None if watch.kind == "access" else watch.kind == "write"
    start, end = watch.address, watch.address + watch.size
    touching = trace.recorded_accesses[trace.touching(start, end, write=write)]
    found: list[int] = trace.moments_of(touching).tolist()
    if write is not False:
        for index, effect in kernel_writes(trace, start, end):
            event = trace.events[index]
            if isinstance(event, SystemCalled) and isinstance(effect, Wrote):
                found.append(event.at - 1)
    return found
