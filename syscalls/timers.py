"""Interval timers, and waiting: time passes until something happens, or nothing ever can.

setitimer(2). A timer fires between two blocks of instructions, at the last place before its time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import NoReturn

from syscalls.abi import EINTR, Errno
from syscalls.clock import Clock
from syscalls.ending import Deadlock
from syscalls.signal_numbers import Code, Signal, bit
from syscalls.signals import SignalInfo, Signals

SHORTEST_INTERVAL = 100_000
"""Nanoseconds between two expirations: a handler must get somewhere."""


class Which(IntEnum):
    """The timers of a process: which of its times they measure."""

    ITIMER_REAL = 0
    ITIMER_VIRTUAL = 1
    ITIMER_PROF = 2


_SIGNALS = {
    Which.ITIMER_REAL: Signal.SIGALRM,
    Which.ITIMER_VIRTUAL: Signal.SIGVTALRM,
    Which.ITIMER_PROF: Signal.SIGPROF,
}


@dataclass(slots=True)
class _Timer:
    now: Callable[[], int]
    signal: int
    expires: int | None = None
    interval: int = 0

    @property
    def left(self) -> int | None:
        return None if self.expires is None else max(0, self.expires - self.now())


class Timers:
    """The three timers. All times are in nanoseconds.

    changed: whether one was set since somebody last looked, and made this false.
    """

    def __init__(self, clock: Clock, signals: Signals) -> None:
        self._clock, self._signals = clock, signals
        self.changed = False
        self._timers = {
            which: _Timer(clock.monotonic if which is Which.ITIMER_REAL else clock.cpu, signal)
            for which, signal in _SIGNALS.items()
        }

    def get(self, which: Which) -> tuple[int, int]:
        """(time left, interval); 0 left where it is not armed."""
        timer = self._timers[which]
        if timer.left is None:
            return 0, timer.interval
        return max(1, timer.left), timer.interval

    def set(self, which: Which, left: int, interval: int) -> None:
        """Arms a timer, or disarms it with 0 left."""
        timer = self._timers[which]
        self.changed = True
        timer.expires = timer.now() + left if left else None
        timer.interval = max(interval, SHORTEST_INTERVAL) if interval else 0

    @property
    def left(self) -> int | None:
        """Until the next one fires; None where none is armed."""
        return min((t.left for t in self._timers.values() if t.left is not None), default=None)

    def fire(self, within: int = 0) -> None:
        """Sends the signals of those that fire within a time from now."""
        for timer in self._timers.values():
            if timer.left is not None and timer.left <= within:
                self._signals.send(SignalInfo(timer.signal, Code.SI_KERNEL))
                self._arm_again(timer, within)

    def _arm_again(self, timer: _Timer, within: int) -> None:
        expired = timer.expires or 0
        if not timer.interval:
            timer.expires = None
            return
        missed = (timer.now() + within - expired) // timer.interval
        timer.expires = expired + (missed + 1) * timer.interval

    def wait(self, duration: int | None, what: str = "a signal") -> int:
        """Lets a duration pass, or less where a signal comes; None waits for a signal alone.

        Answers how much of it was left, 0 where none. Deadlock where nothing will ever end it.
        """
        if self._signals.due:
            return duration or 0
        heard = self._left_until_heard()
        if duration is None and heard is None:
            raise Deadlock(f"the process waits for {what}, and nobody is there to bring it")
        passing = min(time for time in (duration, heard) if time is not None)
        self._clock.sleep(passing)
        self.fire()
        return duration - passing if duration is not None else 0

    def wait_for_signal(self, what: str = "a signal") -> NoReturn:
        """What is waited for will not come: a signal ends the call (EINTR), or it is a Deadlock."""
        self.wait(None, what)
        raise Errno(EINTR)

    def _left_until_heard(self) -> int | None:
        """Until a timer fires whose signal gets through; who waits computes nothing."""
        timer = self._timers[Which.ITIMER_REAL]
        blocked = self._signals.blocked & bit(timer.signal)
        heard = not blocked and not self._signals.is_ignored(timer.signal)
        return timer.left if heard else None
