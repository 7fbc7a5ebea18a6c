"""Measuring on a noisy machine: variants take turns, and medians are compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter


@dataclass(frozen=True)
class Figure:
    """A line of the table. ratio: what was measured, as so many of `against`.

    value and goal are texts with their unit; goal is empty where there is none.
    """

    what: str
    value: str
    ratio: float
    against: str
    goal: str = ""
    met: bool = True


def seconds(
    *variants: Callable[[], object], rounds: int, clock: Callable[[], float] = perf_counter
) -> list[float]:
    """The median time of each variant. They run in turns: A B A B.

    clock: process_time for what takes the time of this process alone.
    """
    times: list[list[float]] = [[] for _ in variants]
    for variant in variants:
        variant()
    for _ in range(rounds):
        for variant, taken in zip(variants, times, strict=True):
            begun = clock()
            variant()
            taken.append(clock() - begun)
    return [median(taken) for taken in times]


def table(figures: list[Figure]) -> str:
    rows = [("what", "value", "ratio", "against", "goal")]
    for figure in figures:
        goal = f"{figure.goal} {'met' if figure.met else 'MISSED'}" if figure.goal else ""
        rows.append((figure.what, figure.value, f"{figure.ratio:.2f}", figure.against, goal))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
