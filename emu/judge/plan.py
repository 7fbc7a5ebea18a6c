"""What a check shall try."""

from __future__ import annotations

from dataclasses import dataclass, field

CALLS = 40_000
"""The calls of a check, unless told otherwise, beside the walk through every sequence."""


@dataclass(frozen=True, slots=True)
class Budget:
    """calls: to the allocator, about; None for as many as the plan needs. seconds: a cut on top.

    Where only calls are counted, the answer is the same on any machine.
    """

    calls: int | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """contract: "osmem" or "malloc"; None for the allocator's own. alignment: of payloads.

    depth: calls of the longest sequences, all of which are tried. traces: `.heap` and `.rep`
    files to play, beside those that are shipped.
    """

    contract: str | None = None
    alignment: int = 8
    depth: int = 5
    seed: int = 0
    budget: Budget = field(default_factory=Budget)
    traces: tuple[str, ...] = ()
