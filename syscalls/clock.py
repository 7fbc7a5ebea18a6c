"""The clock of a process: instructions, or the host's clocks for those who want them.

An instruction takes a nanosecond. Who sleeps, sleeps no time at all: the clock is put forward. So
two runs tell the same times.
"""

from __future__ import annotations

import time
from typing import Protocol

from syscalls.cannot_keep import CannotKeep
from syscalls.processor import Processor

NANOSECONDS, MICROSECONDS = 1_000_000_000, 1_000_000
"""In a second."""
MICROSECOND = 1_000
"""In nanoseconds."""
TICK = NANOSECONDS // 100
"""The unit of times(2), USER_HZ."""
EPOCH = 946_684_800 * NANOSECONDS
"""When a deterministic process starts: 2000-01-01, 00:00 UTC."""
END_OF_TIME = (1 << 63) - 1
"""The latest time that Linux knows (KTIME_MAX): who sleeps longer, sleeps until then."""
_HOST_SLEEP = 3600 * NANOSECONDS


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
        return min(self._processor.instructions() + self._slept, END_OF_TIME)

    def realtime(self) -> int:
        return min(EPOCH + self.monotonic(), END_OF_TIME)

    def cpu(self) -> int:
        return self._processor.instructions()

    def sleep(self, duration: int) -> None:
        self._slept = min(self._slept + duration, END_OF_TIME)


class HostClock:
    """The host's clocks."""

    def kept(self) -> None:
        """CannotKeep: they go on."""
        raise CannotKeep("the host's clocks cannot be put back")

    def monotonic(self) -> int:
        return time.monotonic_ns()

    def realtime(self) -> int:
        return time.time_ns()

    def cpu(self) -> int:
        return time.process_time_ns()

    def sleep(self, duration: int) -> None:
        end = time.monotonic_ns() + duration
        while (left := end - time.monotonic_ns()) > 0:
            time.sleep(min(left, _HOST_SLEEP) / NANOSECONDS)
