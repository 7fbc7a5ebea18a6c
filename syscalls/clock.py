"""The clock of a process: instructions, or the host's clocks for those who want them.

An instruction takes a nanosecond. Who sleeps, sleeps no time at all: the clock is put forward. So
two runs tell the same times.
"""

from __future__ import annotations

import time
from typing import Protocol

from syscalls.processor import Processor

NANOSECONDS = 1_000_000_000
EPOCH = 946_684_800 * NANOSECONDS
"""When a deterministic process starts: 2000-01-01, 00:00 UTC."""


class Clock(Protocol):
    """All times are in nanoseconds."""

    def monotonic(self) -> int:
        """Since the system was started, which is when the process was."""

    def realtime(self) -> int:
        """Since 1970-01-01, 00:00 UTC."""

    def cpu(self) -> int:
        """What the process has spent computing."""

    def sleep(self, duration: int) -> None:
        """Until so much later."""


class InstructionClock:
    """Time is the count of instructions, and what was slept."""

    def __init__(self, processor: Processor) -> None:
        self._processor = processor
        self._slept = 0

    def monotonic(self) -> int:
        return self._processor.instructions() + self._slept

    def realtime(self) -> int:
        return EPOCH + self.monotonic()

    def cpu(self) -> int:
        return self._processor.instructions()

    def sleep(self, duration: int) -> None:
        self._slept += duration


class HostClock:
    """The host's clocks."""

    def monotonic(self) -> int:
        return time.monotonic_ns()

    def realtime(self) -> int:
        return time.time_ns()

    def cpu(self) -> int:
        return time.process_time_ns()

    def sleep(self, duration: int) -> None:
        time.sleep(duration / NANOSECONDS)
