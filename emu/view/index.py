"""The index of an allocator, as it is in memory: bins, trees, and blocks to be merged.

asm/indexed/index_layout.s draws it. Who has an index has the labels `bin_map` and `unmerged`.
Reading never raises, whatever the bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from asm import layout
from asm.source import PACKAGE
from emu.view.blocks import Readable

_NUMBERS = layout.numbers(PACKAGE / "indexed" / "index_layout.s")
LAST_BIN = _NUMBERS["LAST_BIN"]
_MIDDLE, _TOP, _BINS = _NUMBERS["MIDDLE"], _NUMBERS["TOP"], _NUMBERS["BINS"]
_ROOTS = struct.Struct("<64I")
_NO_ROOTS = bytes(_ROOTS.size)
_LINKS = struct.Struct("<II")
_LINK = 4
_LABELS = ("bin_map", "unmerged")
_UNIT = 8
"""Bytes that a link counts in."""

_CASTAGNOLI = 0x82F6_3B78


@dataclass(frozen=True, slots=True)
class Node:
    """A block in a tree. Addresses are of payloads, 0 for none; depth: 1 for the root."""

    address: int
    left: int
    right: int
    depth: int


@dataclass(frozen=True, slots=True)
class Tree:
    """What hangs in a bin, in the order of the tree."""

    bin: int
    nodes: tuple[Node, ...]

    @property
    def depth(self) -> int:
        return max((node.depth for node in self.nodes), default=0)

    @property
    def size(self) -> int:
        """Bytes of payload of its blocks; in the last bin, of the smallest that may be there."""
        return _UNIT * self.bin


@dataclass(frozen=True, slots=True)
class Unmerged:
    """A block in the list of the unmerged, and the one that it takes for the one before."""

    address: int
    previous: int


@dataclass(frozen=True, slots=True)
class Index:
    """trees: of the bins that are not empty. bottom, middle, top: the bits of each floor.

    broken: a sentence for each link that leads nowhere, or in a circle.
    """

    trees: tuple[Tree, ...]
    unmerged: tuple[Unmerged, ...]
    bottom: int
    middle: int
    top: int
    broken: tuple[str, ...] = ()

    @property
    def depth(self) -> int:
        return max((tree.depth for tree in self.trees), default=0)

    @property
    def indexed(self) -> int:
        """Blocks in trees."""
        return sum(len(tree.nodes) for tree in self.trees)


def bin_of(size: int) -> int:
    """The bin of a block with that many bytes of payload."""
    return min(size // _UNIT, LAST_BIN)


@cache
def _crc_table() -> tuple[int, ...]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (_CASTAGNOLI if value & 1 else 0)  # noqa: PLW2901
        table.append(value)
    return tuple(table)


def priority(address: int, heap_start: int) -> int:
    """Of a block, by the address of its payload: the CRC-32C of its link."""
    crc, table = (address - heap_start) // _UNIT, _crc_table()
    for _ in range(4):
        crc = crc >> 8 ^ table[crc & 0xFF]
    return crc


def read(symbols: Mapping[str, int], memory: Readable, start: int, end: int) -> Index | None:
    """The index of a heap at [start, end); None where the allocator has none."""
    if any(label not in symbols for label in _LABELS):
        return None
    return _Reader(memory, start, end).index(symbols["bin_map"], symbols["unmerged"])


class _Reader:
    def __init__(self, memory: Readable, start: int, end: int) -> None:
        self._memory, self._start, self._end = memory, start, end
        self._broken: list[str] = []
        self._met: set[int] = set()

    def index(self, bin_map: int, unmerged: int) -> Index:
        data = self._memory.read(bin_map, _BINS)
        trees = tuple(
            Tree(number, tuple(self._nodes(root, f"bin {number}")))
            for number, root in self._roots(bin_map + _BINS)
        )
        first = int.from_bytes(self._memory.read(unmerged, 4), "little")
        return Index(
            trees,
            tuple(self._list(first)),
            int.from_bytes(data[:_MIDDLE], "little"),
            int.from_bytes(data[_MIDDLE:_TOP], "little"),
            int.from_bytes(data[_TOP:_BINS], "little"),
            tuple(self._broken),
        )

    def _roots(self, bins: int) -> Iterator[tuple[int, int]]:
        """(bin, link of the root) where there is one."""
        data = self._memory.read(bins, _LINK * (LAST_BIN + 1))
        for at in range(0, len(data), _ROOTS.size):
            if data.startswith(_NO_ROOTS, at):
                continue
            for number, root in enumerate(_ROOTS.unpack_from(data, at), at // _LINK):
                if root:
                    yield number, root

    def _nodes(self, root: int, where: str) -> Iterator[Node]:
        """From left to right."""
        pending: list[Node] = []
        below: Node | None = self._node(root, 1, where)
        while pending or below:
            while below:
                pending.append(below)
                below = self._below(below.left, below, where)
            node = pending.pop()
            yield node
            below = self._below(node.right, node, where)

    def _below(self, address: int, above: Node, where: str) -> Node | None:
        link = (address - self._start) // _UNIT if address else 0
        return self._node(link, above.depth + 1, where) if link else None

    def _node(self, link: int, depth: int, where: str) -> Node | None:
        links = self._links(link, where)
        if links is None:
            return None
        left, right = links
        return Node(self._address(link), self._address(left), self._address(right), depth)

    def _list(self, link: int) -> Iterator[Unmerged]:
        while link and (links := self._links(link, "the list of the unmerged")):
            yield Unmerged(self._address(link), self._address(links[1]))
            link = links[0]

    def _links(self, link: int, where: str) -> tuple[int, int] | None:
        """The two links in a block; None where there is none, or where we have been."""
        address = self._address(link)
        if not self._start + layout.META <= address <= self._end - _LINKS.size:
            self._broken.append(f"a link of {where} is {link:#x}, which is outside the heap")
            return None
        if address in self._met:
            self._broken.append(f"a link of {where} leads to heap+{link * _UNIT:#x} once more")
            return None
        self._met.add(address)
        left, right = _LINKS.unpack(self._memory.read(address, _LINKS.size))
        return left, right

    def _address(self, link: int) -> int:
        return self._start + link * _UNIT if link else 0
