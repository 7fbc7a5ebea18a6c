"""Budgets: what calls of the allocator may cost, as an assertion.

with heap.budget(instructions=500):
    heap.malloc(10)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

from emu.errors import OverBudget
from emu.process.event import Call, kind_of
from emu.process.process import CallableProcess
from emu.trace.hot_lines import HotLine
from emu.trace.recorder import Recorder
from emu.trace.spending import Recorded, Spending, Spent, Unrecorded

_FREE_OF_CHARGE = {"instructions", "syscalls"}
"""Counters that need no recorder."""
_MOST = 5
"""Rows of each table in the message."""


class Budget:
    """What may be spent within a `with`; OverBudget at its end where more was.

    limits: by counter. each: for each call by itself, and not for all of them together. made: the
    heap's calls so far. name: an address as text. A budget may lie within another, or within a
    trace that records accesses.
    """

    def __init__(
        self,
        process: CallableProcess,
        made: Callable[[], Sequence[Call]],
        limits: Mapping[str, int],
        *,
        each: bool,
        name: Callable[[int], str],
    ) -> None:
        self._process, self._made, self._name = process, made, name
        self._limits, self._each = limits, each
        self._spending: Spending | None = None
        self.calls: tuple[Spent, ...] = ()
        """What each call cost; known at the end."""

    def __enter__(self) -> Self:
        self._spending = self._begun()
        return self

    def _begun(self) -> Spending:
        running = self._process.watcher
        needed = self._limits.keys() - _FREE_OF_CHARGE
        if not isinstance(running, Recorder):
            recorded = Recorded(self._process, len(self._made())) if needed else None
            return recorded or Unrecorded(self._process, self._made)
        if needed and not running.records_accesses:
            raise ValueError(
                f"a budget of {', '.join(sorted(needed))} within a trace without accesses: "
                "ask for them by heap.trace(accesses=True)"
            )
        return Recorded(self._process, len(self._made()), running)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        __tracebackhide__ = True  # pytest shows the test, and not how we came to say so
        assert self._spending is not None
        self.calls = self._spending.end()
        if error is None:
            self._judge(self._spending)

    @property
    def spent(self) -> dict[str, int]:
        """By all calls together. lines, pages: the sum of what each touches."""
        found = Counter(dict.fromkeys(self._limits, 0))
        for call in self.calls:
            found.update(call.counts)
        return dict(found)

    def _judge(self, spending: Spending) -> None:
        __tracebackhide__ = True
        over = self._over()
        if over:
            message = [*self._told(over), *_by_line(spending.lines(over))]
            raise OverBudget("\n".join(message), self.spent)

    def _over(self) -> list[Spent]:
        """The calls that are too dear: each by itself, or all of them."""
        if self._each:
            return [call for call in self.calls if self._beyond(call.counts)]
        return list(self.calls) if self._beyond(self.spent) else []

    def _beyond(self, spent: Mapping[str, int]) -> list[str]:
        return [name for name, most in self._limits.items() if spent[name] > most]

    # The message

    def _told(self, over: Sequence[Spent]) -> list[str]:
        if self._each:
            return [
                f"{self._spelled(call)}: {self._too_much(call.counts)}" for call in over[:_MOST]
            ]
        counter = self._beyond(self.spent)[0]
        dearest = sorted(over, key=lambda call: -call.counts[counter])[:_MOST]
        rows = [f"{call.counts[counter]:>11}  {self._spelled(call)}" for call in dearest]
        headline = f"{self._too_much(self.spent)}, by {len(over)} call{'s' * (len(over) != 1)}"
        return [headline, f"  {counter} by call", *rows]

    def _too_much(self, spent: Mapping[str, int]) -> str:
        return " and ".join(
            f"{_counted(spent[name], name)}, where {self._limits[name]} are allowed"
            for name in self._beyond(spent)
        )

    def _spelled(self, call: Spent) -> str:
        is_pointer = kind_of(call.name) in ("free", "realloc")
        first = [self._name(arg) if is_pointer and arg else str(arg) for arg in call.args[:1]]
        return f"#{call.index} {call.name}({', '.join([*first, *map(str, call.args[1:])])})"


def _counted(count: int, name: str) -> str:
    one = "access" if name == "accesses" else name.removesuffix("s")
    return f"{count} {one if count == 1 else name}"


def _by_line(lines: Counter[HotLine] | None) -> list[str]:
    if lines is None:
        return ["  by line: not known: the same calls, made again, did something else"]
    rows = [
        f"{count:>11}  {line.function:<16} {line.place:<22} {line.text}".rstrip()
        for line, count in lines.most_common(_MOST)
    ]
    return ["  instructions by line", *rows]
