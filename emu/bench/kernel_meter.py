"""What each call of a replay asks of the kernel, and how much memory it has of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from emu.process.event import Effect
from emu.process.machine import NOBODY
from emu.process.process import HARNESS, CallableProcess
from emu.process.stop import Access
from emu.process.watcher import Nobody
from syscalls import SystemCall

_STACK = "stack"


class KernelMeter(Nobody):
    """Watches a process within a `with`. call: the number of the one that runs, from 0 on.

    syscalls, faults: how many each call made; a page fault is one where the kernel gave something:
    a page touched for the first time, or written to for the first time. footprint: bytes that the
    process may access and has been given since, in whole pages, after each call; peak: the most
    at any time.
    """

    def __init__(self, process: CallableProcess, calls: int, call: Callable[[], int]) -> None:
        self._process, self._call = process, call
        self.syscalls, self.faults = np.zeros(calls, np.int64), np.zeros(calls, np.int64)
        self._first = self._mapped()
        self._steps = np.zeros(calls, np.int64)
        self._now = self.peak = 0
        self._gave = False

    def __enter__(self) -> KernelMeter:
        self._process.watcher = self._process.memory.watcher = self
        return self

    def __exit__(self, *_: object) -> None:
        self._process.watcher, self._process.memory.watcher = NOBODY, None

    @property
    def footprint(self) -> NDArray[np.int64]:
        return np.cumsum(self._steps)

    def _mapped(self) -> int:
        return sum(
            region.end - region.start
            for region in self._process.kernel.space.areas.all
            if region.name != _STACK and (region.rights.read or region.rights.write)
        )

    # What the process tells

    def answered(self, call: SystemCall) -> None:
        """A system call is over."""
        number = self._call()
        self.syscalls[number] += 1
        now = self._mapped() - self._first
        self._steps[number] += now - self._now
        self._now, self.peak = now, max(self.peak, now)

    # What its memory tells

    def walking(self) -> None:
        """The CPU asks for a page."""
        self._gave = False

    def changed(self, effect: Effect) -> None:
        """Something is done to memory."""
        self._gave = True

    def walked(self, page: int, access: int, *, new: bool) -> None:
        """The CPU was given a page. Those of the code, and of the loop, do not count."""
        if (new or self._gave) and access != Access.EXECUTE and page < HARNESS:
            self.faults[self._call()] += 1
