"""The ELF files in a process: what is known of its code, and where its symbols are."""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter

from asm.image import SourceLine
from emu.process import elf_lines, elf_symbols
from emu.process.autopsy import Place
from emu.process.sources import Sources, Symbol

_ENTRY = slice(24, 32)
"""e_entry of an ELF file's header."""


@dataclass(frozen=True)
class LoadedObject:
    """A file that lies `bias` bytes from the addresses that it gives itself."""

    bias: int
    path: str
    data: bytes

    def address_of(self, name: str) -> int | None:
        """Where something that it defines for others is."""
        address = elf_symbols.defined(self.data).get(name)
        return None if address is None else address + self.bias

    @property
    def entry(self) -> int:
        """Where it begins to run, if it is a program."""
        return int.from_bytes(self.data[_ENTRY], "little") + self.bias

    @property
    def names(self) -> Collection[str]:
        """What it defines for others."""
        return elf_symbols.defined(self.data).keys()

    @cached_property
    def symbols(self) -> list[Symbol]:
        return elf_symbols.symbols(self.data, self.bias)

    @cached_property
    def lines(self) -> list[SourceLine]:
        return elf_lines.lines(self.data, self.bias)

    def place_of(self, address: int) -> Place:
        """What is known of an instruction of it."""
        symbol = elf_symbols.symbol_at(self.data, address - self.bias)
        line = self.line_at(address)
        return Place(symbol, line.place, line.text) if line else Place(symbol)

    def line_at(self, address: int) -> SourceLine | None:
        """The line of source that an instruction is of."""
        index = bisect_right(self.lines, address, key=attrgetter("address")) - 1
        line = self.lines[index] if index >= 0 else None
        return line if line is not None and address < line.address + line.size else None

    def bytes_at(self, address: int, size: int) -> bytes:
        """What the file has for an address; nothing where it has nothing."""
        from elftools.elf.elffile import ELFFile

        for segment in ELFFile(io.BytesIO(self.data)).iter_segments("PT_LOAD"):
            offset = address - self.bias - segment["p_vaddr"]
            if 0 <= offset < segment["p_filesz"]:
                start = segment["p_offset"] + offset
                return self.data[start : start + min(size, segment["p_filesz"] - offset)]
        return b""


class Objects:
    """Those of one process, in the order in which symbols are looked for."""

    def __init__(self, objects: Iterable[LoadedObject]) -> None:
        self._objects = tuple(objects)
        self._found: dict[str, int | None] = {}
        self._by_bias = sorted(self._objects, key=attrgetter("bias"))

    @property
    def first(self) -> LoadedObject:
        """The program."""
        return self._objects[0]

    def __iter__(self) -> Iterator[LoadedObject]:
        return iter(self._objects)

    def __len__(self) -> int:
        return len(self._objects)

    def address_of(self, name: str) -> int | None:
        """Where a symbol is, in the first object that defines it."""
        if name not in self._found:
            found = (one.address_of(name) for one in self._objects)
            self._found[name] = next((at for at in found if at is not None), None)
        return self._found[name]

    def place_of(self, address: int) -> Place:
        """What is known of an instruction."""
        return self.holding(address).place_of(address)

    def holding(self, address: int) -> LoadedObject:
        """The object that an address is in, if it is in any."""
        index = bisect_right(self._by_bias, address, key=attrgetter("bias")) - 1
        return self._by_bias[max(0, index)]

    @cached_property
    def sources(self) -> Sources:
        """Functions and lines of all of them."""
        by_address = attrgetter("address")
        symbols = sorted((one for each in self._objects for one in each.symbols), key=by_address)
        lines = sorted((one for each in self._objects for one in each.lines), key=by_address)
        return Sources(tuple(symbols), tuple(lines))
