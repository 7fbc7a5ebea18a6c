"""What a part of a check gathers: counts, and the shortest failures of each cause."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from emu.judge.failure import Cause, Failure, Found, Operations, call_of

KEPT = 2
"""Failures of a cause that are looked at closer: there may be more causes than can be told yet."""


@dataclass(frozen=True, slots=True)
class Seen:
    """How often a cause was met, and its shortest failures."""

    count: int
    shortest: tuple[Failure, ...]


@dataclass(slots=True)
class Gathering:
    """topic: of what is tried now. limit: of calls; `cut` says that there was more to try.

    heap_start: of the heap on which it is tried, where that is no usual one.
    """

    topic: str
    limit: int
    heap_start: int | None = None
    scenarios: int = 0
    failures: int = 0
    cut: bool = False
    causes: dict[Cause, Seen] = field(default_factory=dict)

    def found(self, operations: Operations, found: Iterable[Found]) -> None:
        """What was wrong after the last of some operations; a sequence fails once."""
        failed = False
        for one in found:
            cause = Cause(one.rule, call_of(operations[-1]), one.detail)
            failure = Failure(self.topic, cause, one.message, operations, self.heap_start)
            self.causes[cause] = add(self.causes.get(cause), Seen(1, (failure,)))
            failed = True
        self.failures += failed


def add(one: Seen | None, other: Seen) -> Seen:
    """Both together."""
    if one is None:
        return other
    shortest = sorted((*one.shortest, *other.shortest), key=lambda failure: failure.size)
    return Seen(one.count + other.count, tuple(shortest[:KEPT]))
