"""What functions cost, in instructions: a list, and a tree of who called whom (callstack.py).

Inclusive: with all that a function called. Recursion is not counted twice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emu.trace.blocks import Places
from emu.trace.callstack import CallStack, call_stack
from emu.trace.trace import Span, Trace


@dataclass(frozen=True, slots=True)
class Function:
    """calls: how often it began. own, inclusive: instructions."""

    name: str
    address: int
    calls: int
    own: int
    inclusive: int


@dataclass(frozen=True, slots=True)
class Node:
    """A function as called on one way; children: what it called, the costliest first."""

    name: str
    address: int
    calls: int
    own: int
    inclusive: int
    children: tuple[Node, ...] = ()


def flat(trace: Trace, span: Span | None = None) -> tuple[Function, ...]:
    """All functions that ran, the costliest first; span: within one call of the allocator."""
    return flat_of(call_stack(trace, span))


def tree(trace: Trace, span: Span | None = None) -> Node:
    """What had no caller is a child of the root, which has no name: the allocator's functions.

    span: only one call of the allocator. A program has one child, where it begins.
    """
    return tree_of(call_stack(trace, span))


def flat_of(stack: CallStack) -> tuple[Function, ...]:
    """`flat` of a stack that is known."""
    functions, paths = stack.functions, stack.paths
    costs = _costs(stack)
    by_function = paths.function[1:]
    calls, own, inclusive = (
        _sums(by_function, column[1:], len(functions))
        for column in (costs.calls, costs.own, np.where(paths.outermost, costs.inclusive, 0))
    )
    found = [
        Function(functions.name(n), functions.start(n), int(calls[n]), int(own[n]),
                 int(inclusive[n]))
        for n in np.flatnonzero(calls).tolist()
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda one: (-one.inclusive, one.address)))


def tree_of(stack: CallStack) -> Node:
    """`tree` of a stack that is known."""
    paths, costs = stack.paths, _costs(stack)
    children: list[list[Node]] = [[] for _ in range(len(paths))]
    for path in range(len(paths) - 1, 0, -1):  # a path comes behind its caller's
        children[int(paths.caller[path])].append(_node(path, stack, costs, children[path]))
    return Node("", 0, 1, int(costs.own[0]), int(costs.inclusive[0]), _ordered(children[0]))


@dataclass(frozen=True, eq=False, slots=True)
class _Costs:
    """A row a path."""

    calls: Places
    own: Places
    inclusive: Places


def _costs(stack: CallStack) -> _Costs:
    paths = stack.paths
    inclusive = _sums(stack.path, stack.end - stack.begin, len(paths))
    below = _sums(paths.caller[1:], inclusive[1:], len(paths))
    inclusive[0] = below[0]
    calls = np.bincount(stack.path, minlength=len(paths))
    return _Costs(calls, inclusive - below, inclusive)


def _sums(which: Places, what: Places, count: int) -> Places:
    """The sum of what belongs to each; exact below 2**53."""
    found: Places = np.bincount(which, weights=what, minlength=count).astype(np.int64)
    return found


def _node(path: int, stack: CallStack, costs: _Costs, children: list[Node]) -> Node:
    functions, function = stack.functions, int(stack.paths.function[path])
    return Node(
        functions.name(function),
        functions.start(function),
        int(costs.calls[path]),
        int(costs.own[path]),
        int(costs.inclusive[path]),
        _ordered(children),
    )


def _ordered(nodes: list[Node]) -> tuple[Node, ...]:
    return tuple(sorted(nodes, key=lambda node: (-node.inclusive, node.address)))
