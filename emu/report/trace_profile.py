"""Where the instructions went: by function, and along the ways on which functions were called."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from emu.report.palette import USED
from emu.report.trace_selection import calls_of
from emu.report.trace_view import DIM, Document, Rows, Selection, Traced, View
from emu.trace.profile import Function, Node, flat, tree
from emu.trace.trace import Span

_ROW = "{:>12} {:>12} {:>8}  {}"
_BAR = 20


def rows(traced: Traced, selection: Selection) -> Rows:
    """The flat profile, then the tree; the limit is for each."""
    spans: list[Span | None] = [None] if selection.is_all else [*calls_of(traced, selection)]
    functions = _summed([flat(traced.trace, span) for span in spans])
    nodes = _merged([tree(traced.trace, span) for span in spans])
    ways = list(_ways(nodes, ()))
    named = [one for one in functions if selection.function in (None, one.name)]
    met = [one for one in ways if selection.function is None or selection.function in one[0]]
    documents = [*_flat(named[: selection.limit]), *_tree(met[: selection.limit])]
    longest = max(len(named), len(met))
    return Rows(longest, documents)


def _summed(profiles: list[tuple[Function, ...]]) -> list[Function]:
    """One profile of several."""
    found: dict[int, Function] = {}
    for one in (function for profile in profiles for function in profile):
        was = found.get(one.address, Function(one.name, one.address, 0, 0, 0))
        found[one.address] = Function(
            one.name, one.address, was.calls + one.calls, was.own + one.own,
            was.inclusive + one.inclusive,
        )  # fmt: skip
    return sorted(found.values(), key=lambda one: (-one.inclusive, one.address))


def _merged(nodes: list[Node]) -> list[Node]:
    """The children of several nodes, those of one function together, the costliest first."""
    groups: dict[int, list[Node]] = {}
    for child in (child for node in nodes for child in node.children):
        groups.setdefault(child.address, []).append(child)
    merged = [
        Node(
            group[0].name, group[0].address, sum(one.calls for one in group),
            sum(one.own for one in group), sum(one.inclusive for one in group),
            tuple(_merged(group)),
        )
        for group in groups.values()
    ]  # fmt: skip
    return sorted(merged, key=lambda node: (-node.inclusive, node.address))


def _ways(nodes: list[Node], above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Node]]:
    """Every node with the names that lead to it, callers first."""
    waiting = [(above, node) for node in reversed(nodes)]
    while waiting:
        names, node = waiting.pop()
        way = (*names, node.name)
        yield way, node
        waiting += [(way, child) for child in reversed(node.children)]


def _flat(functions: list[Function]) -> Iterator[Document]:
    whole = max((one.inclusive for one in functions), default=0)
    for index, one in enumerate(functions):
        yield {
            "view": "profile", "table": "flat", "first": index == 0, "function": one.name,
            "calls": one.calls, "own": one.own, "inclusive": one.inclusive,
            "share": one.own / whole if whole else 0,
        }  # fmt: skip


def _tree(ways: list[tuple[tuple[str, ...], Node]]) -> Iterator[Document]:
    for index, (way, node) in enumerate(ways):
        yield {
            "view": "profile", "table": "tree", "first": index == 0, "path": list(way),
            "calls": node.calls, "own": node.own, "inclusive": node.inclusive,
        }  # fmt: skip


def heading(width: int) -> Iterator[Text]:
    return iter(())


def lines(document: Document, width: int) -> Iterator[Text]:
    numbers = document["inclusive"], document["own"], document["calls"]
    if document["first"]:
        names = {"flat": "function", "tree": "who called it"}
        yield Text(_ROW.format("inclusive", "own", "calls", names[document["table"]]), style=DIM)
    if document["table"] == "tree":
        path = document["path"]
        yield Text(_ROW.format(*numbers, "  " * (len(path) - 1) + path[-1]))
        return
    bar = "#" * round(_BAR * document["share"])
    row = _ROW.format(*numbers, f"{document['function']:<24} ")
    yield Text.assemble(row if bar else row.rstrip(), (bar, USED.colour))


VIEW = View("profile", rows, heading, lines, needs_accesses=False)
