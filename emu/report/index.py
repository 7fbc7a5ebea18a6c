"""An index for the terminal, for JSON and for the page: its bins, their trees, what waits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from emu.view.index import LAST_BIN, Index, Node, Tree

_MOST_BINS, _MOST_PLACES = 12, 6
_ROW = "{:<14} {:>7} {:>6}  {}"


def lines(index: Index, start: int) -> Iterator[Text]:
    """A line of numbers, and one for each bin that is not empty; of many the first and last."""
    yield Text.assemble(("index", "bold"), "  ", "   ".join(summary(index)))
    if index.trees:
        yield Text(_ROW.format("bin", "blocks", "depth", "in order"), "dim")
    left_out, half = len(index.trees) - _MOST_BINS, _MOST_BINS // 2
    for number, tree in enumerate(index.trees):
        if left_out > 0 and half <= number < half + left_out:
            if number == half:
                yield Text(f"... {left_out} bins more; --json has them all", "dim")
            continue
        nodes = [node.address for node in tree.nodes]
        yield Text(_ROW.format(sizes(tree), len(nodes), tree.depth, _places(nodes, start)))
    for one in index.unmerged[:_MOST_BINS]:
        yield Text(f"to be merged: {_place(one.address, start)} and its free neighbours")


def summary(index: Index) -> list[str]:
    """Blocks and bins, the deepest tree, what waits to be merged."""
    blocks = sum(len(tree.nodes) for tree in index.trees)
    told = [f"{_count(blocks, 'free block')} in {_count(len(index.trees), 'bin')}"]
    told.append(f"deepest tree {index.depth}")
    if index.unmerged:
        told.append(f"{_count(len(index.unmerged), 'block')} to be merged")
    return told


def sizes(tree: Tree) -> str:
    """The sizes of a bin's blocks: 24, or what the last bin begins with."""
    return f"{tree.size}.." if tree.bin == LAST_BIN else str(tree.size)


def as_dict(index: Index, start: int) -> dict[str, Any]:
    """The whole index; a node's children are places, null for none."""
    return {
        "bins": [
            {
                "bin": tree.bin,
                "size": tree.size,
                "depth": tree.depth,
                "blocks": [_node(node, start) for node in tree.nodes],
            }
            for tree in index.trees
        ],
        "unmerged": [_place(one.address, start) for one in index.unmerged],
    }


@dataclass(frozen=True, slots=True)
class Edge:
    """From a node to one below it, as addresses of payloads."""

    above: int
    below: int
    title: str


def edges(index: Index, start: int) -> Iterator[Edge]:
    """Every link of every tree."""
    for tree in index.trees:
        for node in tree.nodes:
            for below in (node.left, node.right):
                if below:
                    places = f"{_place(node.address, start)} to {_place(below, start)}"
                    yield Edge(node.address, below, f"bin of {sizes(tree)}: {places}")


def _node(node: Node, start: int) -> dict[str, str | None]:
    return {
        "place": _place(node.address, start),
        "left": _place(node.left, start) if node.left else None,
        "right": _place(node.right, start) if node.right else None,
    }


def _places(addresses: Sequence[int], start: int) -> str:
    shown = " ".join(_place(address, start) for address in addresses[:_MOST_PLACES])
    more = len(addresses) - _MOST_PLACES
    return f"{shown} and {more} more" if more > 0 else shown


def _place(address: int, start: int) -> str:
    return f"heap+{address - start:#x}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + "s" * (number != 1)
