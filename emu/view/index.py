"""The index of an allocator, as it is in memory: bins, trees, and blocks to be merged.

asm/indexed/index_layout.s draws it. Who has an index has the labels `bin_map`, `unmerged` and
`heap_tail`. Reading never raises, whatever the bytes.
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
_LISTED = _NUMBERS["LISTED"]
_MIDDLE, _TOP, _BINS = _NUMBERS["MIDDLE"], _NUMBERS["TOP"], _NUMBERS["BINS"]
_ROOTS = struct.Struct("<64I")
_NO_ROOTS = bytes(_ROOTS.size)
_LINKS = struct.Struct("<II")
_LINK, _POINTER = 4, 8
_LABELS = ("bin_map", "unmerged", "heap_tail")
_UNIT = 8
"""Bytes that a link counts in."""

_CASTAGNOLI = 0x82F6_3B78


@dataclass(frozen=True, slots=True)
class Node:
    """A block in a tree. Addresses are of payloads, 0 for none.

    depth: 1 for the root.
    """

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
    """A block in the list of the unmerged, by its payload; and what it notes as before it there.

    listed: whether it notes that it is in the list.
    """

    address: int
    previous: int
    listed: bool


@dataclass(frozen=True, slots=True)
class Index:
    """trees: of the bins that are not empty. unmerged: the last to come is first.

    bottom, middle, top: the bits of each floor. last_is_marked: the heap's last block, if it is
    free, notes that it is in the list of the unmerged. broken: a sentence for each link that
    leads nowhere, or in a circle.
    """

    trees: tuple[Tree, ...]
    unmerged: tuple[Unmerged, ...]
    bottom: int
    middle: int
    top: int
    last_is_marked: bool = False
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


def is_indexed(symbols: Mapping[str, int]) -> bool:
    """Whether an allocator has an index."""
    return all(label in symbols for label in _LABELS)


def read(symbols: Mapping[str, int], memory: Readable, start: int, end: int) -> Index | None:
    """The index of a heap at [start, end); None where the allocator has none."""
    if not is_indexed(symbols):
        return None
    return _Reader(memory, start, end).index(*(symbols[label] for label in _LABELS))


class _Reader:
    def __init__(self, memory: Readable, start: int, end: int) -> None:
        self._memory, self._start, self._end = memory, start, end
        self._broken: list[str] = []
        self._met: set[int] = set()

    def index(self, bin_map: int, unmerged: int, heap_tail: int) -> Index:
        data = self._memory.read(bin_map, _BINS)
        trees = tuple(
            Tree(number, tuple(self._nodes(root, number)))
            for number, root in self._roots(bin_map + _BINS)
        )
        first = self._number(unmerged, _LINK)
        last = self._number(heap_tail, _POINTER) + layout.META
        return Index(
            trees,
            tuple(self._list(first)),
            int.from_bytes(data[:_MIDDLE], "little"),
            int.from_bytes(data[_MIDDLE:_TOP], "little"),
            int.from_bytes(data[_TOP:_BINS], "little"),
            self._is_inside(last) and bool(self._number(last, _LINK) & _LISTED),
            tuple(self._broken),
        )

    def _number(self, address: int, size: int) -> int:
        return int.from_bytes(self._memory.read(address, size), "little")

    def _roots(self, bins: int) -> Iterator[tuple[int, int]]:
        """(bin, link of the root) where there is one."""
        data = self._memory.read(bins, _LINK * (LAST_BIN + 1))
        for at in range(0, len(data), _ROOTS.size):
            if data.startswith(_NO_ROOTS, at):
                continue
            for number, root in enumerate(_ROOTS.unpack_from(data, at), at // _LINK):
                if root:
                    yield number, root

    def _nodes(self, root: int, number: int) -> Iterator[Node]:
        """From left to right."""
        pending: list[Node] = []
        below = self._node(root, 1, number)
        while pending or below:
            while below:
                pending.append(below)
                below = self._node(self._link(below.left), below.depth + 1, number)
            node = pending.pop()
            yield node
            below = self._node(self._link(node.right), node.depth + 1, number)

    def _node(self, link: int, depth: int, number: int) -> Node | None:
        if not link or (links := self._links(link, f"bin {number}")) is None:
            return None
        left, right = map(self._address, links)
        return Node(self._address(link), left, right, depth)

    def _list(self, link: int) -> Iterator[Unmerged]:
        while link and (links := self._links(link, "the list of the unmerged")):
            previous = self._address(links[0] & ~_LISTED)
            yield Unmerged(self._address(link), previous, bool(links[0] & _LISTED))
            link = links[1]

    def _links(self, link: int, where: str) -> tuple[int, int] | None:
        """The two links in a block; None where there is none, or where we have been."""
        address = self._address(link)
        if not self._is_inside(address):
            self._broken.append(f"a link of {where} is {link:#x}, which is outside the heap")
            return None
        if address in self._met:
            self._broken.append(f"a link of {where} leads to heap+{link * _UNIT:#x} once more")
            return None
        self._met.add(address)
        left, right = _LINKS.unpack(self._memory.read(address, _LINKS.size))
        return left, right

    def _is_inside(self, address: int) -> bool:
        return self._start + layout.META <= address <= self._end - _LINKS.size

    def _link(self, address: int) -> int:
        return (address - self._start) // _UNIT if address else 0

    def _address(self, link: int) -> int:
        return self._start + link * _UNIT if link else 0
