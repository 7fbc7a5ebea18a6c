"""How often each system call was made, how often it failed, what it took: strace's -c.

Like strace's, the table leaves out what does not come back, and numbers that name no call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

from syscalls.call_names import NAMES
from syscalls.row import Row

_LEAST_WIDTH = 16
_BLANK = ""


@dataclass(slots=True)
class Tally:
    """Of one system call. seconds: of the host's time, inside our kernel."""

    number: int
    calls: int = 0
    errors: int = 0
    seconds: float = 0.0


class Count:
    """A tracer (tracer.py) that counts. clock: the host's time in seconds."""

    def __init__(self, clock: Callable[[], float] = perf_counter) -> None:
        self._clock = clock
        self.tallies: dict[str, Tally] = {}

    def entering(self, row: Row, args: tuple[int, ...]) -> tuple[Row, float]:
        return row, self._clock()

    def leaving(self, entered: tuple[Row, float], result: int | None) -> None:
        """Counts a call that comes back."""
        row, since = entered
        if result is None or not (tally := self._tally(row)):
            return
        tally.seconds += self._clock() - since
        tally.calls += 1
        tally.errors += result < 0

    def _tally(self, row: Row) -> Tally | None:
        """None for a call without a name: there are too many."""
        if row.number not in NAMES:
            return None
        return self.tallies.setdefault(row.name, Tally(row.number))

    def table(self) -> str:
        """As strace -c prints it: what took most comes first. No two runs are alike."""
        rows = self._sorted(lambda tally: tally.seconds)
        total = self._total()
        lines = [
            "% time     seconds  usecs/call     calls    errors syscall",
            f"------ ----------- ----------- --------- --------- {self._rule()}",
            *(_timed(name, tally, total.seconds) for name, tally in rows),
            f"------ ----------- ----------- --------- --------- {self._rule()}",
            _timed("total", total, total.seconds),
        ]
        return "\n".join(lines) + "\n"

    def table_of_calls(self) -> str:
        """As strace -c -S calls -U calls,errors,name: nothing in it depends on the host."""
        lines = [
            "    calls    errors syscall",
            f"--------- --------- {self._rule()}",
            *(_counted(name, tally) for name, tally in self._sorted(lambda tally: tally.calls)),
            f"--------- --------- {self._rule()}",
            _counted("total", self._total()),
        ]
        return "\n".join(lines) + "\n"

    def _sorted(self, key: Callable[[Tally], float]) -> list[tuple[str, Tally]]:
        in_order = sorted(self.tallies.items(), key=lambda item: item[1].number)
        return sorted(in_order, key=lambda item: -key(item[1]))

    def _total(self) -> Tally:
        tallies = self.tallies.values()
        return Tally(
            0,
            sum(tally.calls for tally in tallies),
            sum(tally.errors for tally in tallies),
            sum(tally.seconds for tally in tallies),
        )

    def _rule(self) -> str:
        return "-" * max(_LEAST_WIDTH, *(len(name) + 1 for name in ["total", *self.tallies]))


def _timed(name: str, tally: Tally, total: float) -> str:
    part = 100 * tally.seconds / total if total else 100.0 if name == "total" else 0.0
    each = int(tally.seconds * 1e6 / tally.calls) if tally.calls else 0
    return f"{part:6.2f} {tally.seconds:11.6f} {each:11} {_counted(name, tally)}"


def _counted(name: str, tally: Tally) -> str:
    return f"{tally.calls:9} {tally.errors or _BLANK:9} {name}"
