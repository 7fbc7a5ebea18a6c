"""Shrinking: a failure's operations, made few and small, as long as they fail in the same way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from emu.judge.alphabet import name_of
from emu.judge.failure import Cause, Found, Operations, call_of
from emu.judge.player import Player, Undefined
from emu.judge.task import Case
from emu.scenario import operations as op

EFFORT, _OF_LENGTH = 5_000, 6
"""Calls that shrinking one failure may take, and how many more times as it has operations."""

_WORD = (1 << 64) - 1
_SIZES = (1, 8, 16, 24, 40, 48, 64, 100, 128, 256, 1000, 1024, 4096, 10_000, 65_536, 200_000)


def replay(
    player: Player, operations: Iterable[op.Operation], cause: Cause
) -> tuple[Operations, Found] | None:
    """What was defined of it, up to where the cause shows; None where it does not."""
    done: list[op.Operation] = []
    bound: set[str] = set()
    for operation in operations:
        if not _names(operation) <= bound or player.over:
            continue
        try:
            found = player.play(operation)
        except Undefined:
            continue
        done.append(operation)
        bound |= _binds(operation)
        for one in found:
            if cause == (one.rule, call_of(operation), one.detail):
                return tuple(done), one
    return None


def shrink(case: Case, operations: Operations, cause: Cause) -> Operations:
    """The smallest that was found within the effort; names are a, b, c, ... then."""
    shrinking = _Shrinking(case, cause, operations)
    if not shrinking.attempt(operations):
        return operations
    before = None
    while before != shrinking.best and shrinking.effort > 0:
        before = shrinking.best
        shrinking.without_blocks()
        shrinking.without_operations()
        shrinking.simpler()
    return renamed(shrinking.best)


class _Shrinking:
    def __init__(self, case: Case, cause: Cause, best: Operations) -> None:
        self.case, self.cause, self.best = case, cause, best
        self.effort = EFFORT + _OF_LENGTH * len(best)

    def attempt(self, operations: Operations) -> bool:
        """Whether it fails as well; then it is the best."""
        if self.effort <= 0:
            return False
        player = self.case.player()
        found = replay(player, operations, self.cause)
        self.effort -= player.cost + 1
        if found is None:
            return False
        self.best = found[0]
        return True

    def without_blocks(self) -> None:
        """Whole lives of blocks taken out, many at a time, then few."""
        names = [next(iter(_binds(one))) for one in self.best if _binds(one)]
        size = len(names)
        while size:
            for start in reversed(range(0, len(names), size)):
                gone = set(names[start : start + size])
                self._smaller(tuple(one for one in self.best if not _all_names(one) & gone))
            size //= 2

    def without_operations(self) -> None:
        """Operations taken out, many at a time, then few, the last first."""
        size = max(1, len(self.best) // 2)
        while size:
            start = len(self.best) - 1 - size
            while start > -size and self.effort > 0:
                low = max(0, start)
                self._smaller(self.best[:low] + self.best[start + size :])
                start = min(start, len(self.best)) - size
            size //= 2

    def simpler(self) -> None:
        """Each call with a smaller size, or as a plainer call."""
        at = 0
        while at < len(self.best):
            for plainer in _plainer(self.best[at]):
                if self.attempt((*self.best[:at], plainer, *self.best[at + 1 :])):
                    break
            at += 1

    def _smaller(self, operations: Operations) -> None:
        if len(operations) < len(self.best):
            self.attempt(operations)


def _plainer(operation: op.Operation) -> Iterator[op.Operation]:
    match operation:
        case op.Malloc(_, size) | op.Realloc(_, _, size):
            if isinstance(operation, op.Realloc) and operation.source is None:
                yield op.Malloc(operation.name, size)
            yield from (replace(operation, size=one) for one in _SIZES if one < size)
        case op.Calloc(name, count, size) if count * size > _WORD:  # it must not fit then, either
            smaller = (one for one in _SIZES if one < size and count * one > _WORD)
            yield from (op.Calloc(name, count, one) for one in smaller)
        case op.Calloc(name, count, size):
            yield op.Malloc(name, count * size)
            if count > 1 and size > 1:
                yield op.Calloc(name, 1, count * size)
            yield from (op.Calloc(name, count, one) for one in _SIZES if one < size)
        case op.Write(name) | op.Fill(name):
            pass
        case op.Fail(syscall, nth, errno) if nth > 1:
            yield op.Fail(syscall, 1, errno)


def renamed(operations: Operations) -> Operations:
    """The same with the names a, b, c, ... in the order in which they come."""
    names: dict[str, str] = {}
    for operation in operations:
        for name in _binds(operation):
            names.setdefault(name, name_of(len(names)))
    return tuple(_renamed(operation, names) for operation in operations)


def _renamed(operation: op.Operation, names: dict[str, str]) -> op.Operation:
    match operation:
        case op.Malloc(name) | op.Calloc(name) | op.Fill(name) | op.Write(name):
            return replace(operation, name=names[name])
        case op.Realloc(name, source):
            source = names[source] if source else None
            return replace(operation, name=names[name], source=source)
        case op.Free(str(source)):
            return op.Free(names[source])
    return operation


def _binds(operation: op.Operation) -> set[str]:
    match operation:
        case op.Malloc(name) | op.Calloc(name) | op.Realloc(name):
            return {name}
    return set()


def _names(operation: op.Operation) -> set[str]:
    """What it needs to be bound."""
    match operation:
        case op.Realloc(_, source) | op.Free(source):
            return {source} if source else set()
        case op.Fill(name) | op.Write(name):
            return {name}
    return set()


def _all_names(operation: op.Operation) -> set[str]:
    return _binds(operation) | _names(operation)
