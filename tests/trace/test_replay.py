"""The memory trace played onto the memory at its beginning gives the memory at its end."""

from __future__ import annotations

import sys
from collections import deque
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path += [str(Path(__file__).parent.parent / folder) for folder in ("process", "programs")]

import accessing
import guests
from compiled import ENVIRONMENT, SOURCES, compiled

from emu import Heap
from emu.launch import launch
from emu.process.event import (
    Called,
    Discarded,
    Interrupted,
    Moved,
    Owned,
    PageFaulted,
    Refilled,
    Shown,
    SystemCalled,
    Wrote,
)
from emu.process.frames import FRAMES
from emu.process.process import Process
from emu.trace.recorder import Recorder
from syscalls.abi import PAGE
from syscalls.world import Capture, World


class Replay:
    """Pages with bytes of their own, pages that show frames, and frames; nothing of the Mmu's."""

    def __init__(self, machine) -> None:
        memory = machine.memory
        self.own = {page: bytearray(memory.read(page, PAGE)) for page in memory.pages.written}
        self.shown = dict(memory.pages.shown)
        self.frames = {f: bytearray(memory.frame_bytes(f)) for f in self.shown.values()}

    def play(self, trace) -> None:
        events = deque(trace.events)
        written = np.flatnonzero(trace.accesses["write"])
        rows = trace.accesses[["address", "size", "value"]][written].tolist()
        for index, (address, size, value) in zip(written.tolist(), rows, strict=True):
            while events and events[0].accesses <= index:
                self._happened(events.popleft())
            self._write(address, value.to_bytes(8, "little")[:size])
        for event in events:
            self._happened(event)

    def _write(self, address: int, data: bytes) -> None:
        while data:
            offset = address % PAGE
            part = data[: PAGE - offset]
            self._bytes(address)[offset : offset + len(part)] = part
            address, data = address + len(part), data[len(part) :]

    def _bytes(self, address: int) -> bytearray:
        page = address & -PAGE
        if page >= FRAMES:
            return self.frames[page]
        if page in self.shown:
            return self.frames[self.shown[page]]
        return self.own.setdefault(page, bytearray(PAGE))

    def _happened(self, event) -> None:
        if isinstance(event, Called | SystemCalled | PageFaulted | Interrupted):
            for effect in event.effects:
                self._take(effect)

    def _take(self, effect) -> None:
        match effect:
            case Wrote(address, data):
                self._write(address, data)
            case Discarded(start, end):
                self._drop(start, end)
            case Moved(start, end, to):
                own, shown = self._drop(start, end)
                self.own |= {page - start + to: data for page, data in own.items()}
                self.shown |= {page - start + to: frame for page, frame in shown.items()}
            case Shown(page, frame, data):
                self.shown[page] = frame
                self.frames[frame] = bytearray(data)
            case Owned(page):
                frame = self.shown.pop(page, None)
                self.own[page] = bytearray(PAGE) if frame is None else bytearray(self.frames[frame])
            case Refilled(frame, data):
                if frame in self.frames:
                    self.frames[frame][: len(data)] = data

    def _drop(self, start, end):
        own = {page: self.own.pop(page) for page in list(self.own) if start <= page < end}
        shown = {page: self.shown.pop(page) for page in list(self.shown) if start <= page < end}
        return own, shown

    def assert_is(self, machine) -> None:
        memory = machine.memory
        assert set(self.own) == set(memory.pages.written)
        assert self.shown == dict(memory.pages.shown)
        for page in (*self.own, *self.shown):
            assert bytes(self._bytes(page)) == memory.read(page, PAGE), hex(page)


def _replayed(machine, act) -> None:
    replay = Replay(machine)
    with Recorder(machine, accesses=True) as recorder:
        act()
    replay.play(recorder.trace)
    replay.assert_is(machine)


@given(accessing.returning)
@settings(max_examples=40, deadline=None)
def test_of_random_programs(source):
    with Process(guests.image(source)) as process:
        _replayed(process, lambda: process.call("f"))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 300_000)), max_size=40))
@settings(max_examples=20, deadline=None)
def test_of_random_calls_of_the_allocator(steps):
    def act() -> None:
        held = []
        for kind, size in steps:
            if kind == 0 or not held:
                held.append(heap.malloc(size))
            elif kind == 1:
                held.append(heap.calloc(1, size))
            elif kind == 2:
                heap.free(held.pop(size % len(held)))
            else:
                held.append(heap.realloc(held.pop(size % len(held)), size))
            heap.fill(held[-1] if held else 0, size % 256, min(size, 5) if held else 0)

    with Heap("osmem") as heap:
        _replayed(heap.process, act)


@pytest.mark.parametrize("way", ["glibc, static", "glibc, dynamic pie", "musl, static"])
@pytest.mark.parametrize("name", ["signals", "probes"])
def test_of_real_programs(name, way, tmp_path):
    streams = {"stdin": Capture(b"one\ntwo\n"), "stdout": Capture(), "stderr": Capture()}
    with launch(
        str(compiled(name, way, tmp_path)),
        [str(SOURCES / "library.c"), "37", "two words", ""],
        environment=ENVIRONMENT,
        world=World(root=Path("/"), **streams),
    ) as program:
        _replayed(program, program.play)
