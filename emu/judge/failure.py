"""A failure: a sequence of operations that went wrong at its end, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from emu.scenario import operations as op

Operations = tuple[op.Operation, ...]


class Found(NamedTuple):
    """Something wrong with the last operation.

    rule: its stable name. detail: tells apart what has the same rule and another cause, as far as
    that is known at once. address: of the first wrong byte, where it is about bytes. expected: in
    the words of a scenario, where a run alone does not see it.
    """

    rule: str
    message: str
    detail: str = ""
    address: int | None = None
    expected: tuple[op.Expectation, ...] = ()


class Cause(NamedTuple):
    """What failures of one cause have in common, before anybody has looked closer."""

    rule: str
    call: str
    detail: str

    @property
    def follows(self) -> bool:
        """Whether the blocks were not as the contract has them before: that may be the cause."""
        return self.detail.startswith("after ")


@dataclass(frozen=True, slots=True)
class Failure:
    """operations: all there were, up to the one at which it was seen.

    heap_start: of the heap on which it was seen, where that was no usual one.
    """

    topic: str
    cause: Cause
    message: str
    operations: Operations
    heap_start: int | None = None

    @property
    def size(self) -> tuple[bool, int, int, int, str]:
        """By which the shortest is found: calls, operations, bytes asked for, and then by name.

        A heap in an unusual place comes last: what is wrong on any is told of a usual one.
        """
        calls = [one for one in self.operations if isinstance(one, op.Allocation)]
        asked = sum(bytes_of(one) for one in calls)
        moved = self.heap_start is not None
        return moved, len(calls), len(self.operations), asked, repr(self.operations)


def bytes_of(operation: op.Operation) -> int:
    """What a call asks for."""
    match operation:
        case op.Malloc(_, size) | op.Realloc(_, _, size):
            return size
        case op.Calloc(_, count, size):
            return count * size
    return 0


def call_of(operation: op.Operation) -> str:
    """malloc, calloc, ..., or fill and write."""
    return type(operation).__name__.lower()
