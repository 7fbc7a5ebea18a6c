"""The index of an allocator, as it is in memory: bins, trees, and runs to be merged.

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
from emu.view.blocks import HEADER, Readable, Status, as_block

_NUMBERS = layout.numbers(PACKAGE / "indexed" / "index_layout.s")
LAST_BIN = _NUMBERS["LAST_BIN"]
NO_KEY, _TO_KEY = _NUMBERS["NO_KEY"], _NUMBERS["TO_KEY"]
_MIDDLE, _TOP, _BINS = _NUMBERS["MIDDLE"], _NUMBERS["TOP"], _NUMBERS["BINS"]
_ROOTS = struct.Struct("<64I")
_NO_ROOTS = bytes(_ROOTS.size)
_LINKS = struct.Struct("<II")
_KEY = struct.Struct("<Q")
_LINK = 4
_LABELS = ("bin_map", "unmerged")
_UNIT = 8
"""Bytes that a link counts in."""

_CASTAGNOLI = 0x82F6_3B78


@dataclass(frozen=True, slots=True)
class Node:
    """A block in a tree. Addresses are of payloads, 0 for none.

    depth: 1 for the root. key: in the last bin, how long it says that it is.
    """

    address: int
    left: int
    right: int
    depth: int
    key: int | None = None


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
class Run:
    """Blocks side by side whose headers wait to be merged, as the blocks themselves note it.

    second: what stands in the list, previous: what stands before it there. tail: what the third
    notes as the last, head: what that notes as the first; None for a run of two.
    """

    second: int
    previous: int
    tail: int | None = None
    head: int | None = None


@dataclass(frozen=True, slots=True)
class Index:
    """trees: of the bins that are not empty. unmerged: runs, the last to come to be first.

    bottom, middle, top: the bits of each floor. broken: a sentence for each link that leads
    nowhere, or in a circle.
    """

    trees: tuple[Tree, ...]
    unmerged: tuple[Run, ...]
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


def is_indexed(symbols: Mapping[str, int]) -> bool:
    """Whether an allocator has an index."""
    return all(label in symbols for label in _LABELS)


def read(symbols: Mapping[str, int], memory: Readable, start: int, end: int) -> Index | None:
    """The index of a heap at [start, end); None where the allocator has none."""
    if not is_indexed(symbols):
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
            Tree(number, tuple(self._nodes(root, number)))
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
        key, address = None, self._address(link)
        if number == LAST_BIN and address + 2 * _KEY.size <= self._end:
            (key,) = _KEY.unpack(self._memory.read(address + _TO_KEY, _KEY.size))
        return Node(address, self._address(links[0]), self._address(links[1]), depth, key)

    def _list(self, link: int) -> Iterator[Run]:
        while link and (links := self._links(link, "the list of the unmerged")):
            second = self._address(link)
            yield Run(second, self._address(links[1]), *self._ends(second))
            link = links[0]

    def _ends(self, second: int) -> tuple[int | None, int | None]:
        """What the third and the last block of a run note, where there are three."""
        third = self._free_behind(second)
        if third is None:
            return None, None
        tail = self._address(_LINKS.unpack(self._memory.read(third, _LINKS.size))[1])
        if not self._is_inside(tail):
            return tail, None
        return tail, self._address(_LINKS.unpack(self._memory.read(tail, _LINKS.size))[0])

    def _free_behind(self, address: int) -> int | None:
        """The payload of the block behind one, if that is free."""
        header = as_block(address - layout.META, self._header(address)).next
        if not self._is_inside(header + layout.META):
            return None
        behind = as_block(header, self._header(header + layout.META))
        return behind.address if behind.status is Status.FREE else None

    def _header(self, address: int) -> tuple[int, ...]:
        return HEADER.unpack(self._memory.read(address - layout.META, HEADER.size))

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
