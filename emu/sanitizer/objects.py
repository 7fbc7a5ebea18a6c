"""The ELF files that a program has mapped: what their code is called, and who called it."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property
from pathlib import PurePosixPath

from emu.process import elf_symbols
from emu.process.elf_frames import Frames, Rule
from emu.process.objects import LoadedObject
from emu.process.sources import Sources
from syscalls.abi import page_up
from syscalls.elf import BadElf, Elf, parse
from syscalls.files.file import Source

_DEEPEST = 12
"""Callers in a stack, as valgrind has them."""
_LEAF = Rule("rsp", 8, None)
"""Of a function of which nothing is known, but that the return address is where it was pushed."""
_NEAR = 1024
"""Bytes of the stack that are read together."""
_WORD = (1 << 64) - 1
_LIBRARIES = re.compile(r"(libc[.-]|ld-linux|ld-musl|libc\.musl)")
"""The C library and its loader, which mostly come without the names of their own functions."""
_SUFFIX = r"(?:_(?:sse|avx|evex|erms|ssse|generic|unaligned|aligned|chk)\w*)?"
_AHEAD = re.compile(
    rf"_*(?:str(?:n?len|n?cpy|n?cat|n?cmp|n?casecmp(?:_l)?|n?chr|rchr|chrnul|str|spn|cspn|pbrk)|"
    rf"stpn?cpy|rawmemchr|mem(?:p?cpy|move|cmp|cmpeq|chr|rchr|set|mem)|wcs\w+|wmem\w+){_SUFFIX}"
)
"""Functions that read a vector at a time, and so beyond what they are asked for."""

Read = Callable[[int, int], bytes]
Stack = tuple[int, ...]
"""Where an instruction is, and then the calls that led to it: the last byte of each."""


class Reading(Enum):
    """What memory a function reads. AHEAD: more than it was asked to, or it copies it."""

    EXACT = auto()
    AHEAD = auto()


@dataclass(frozen=True)
class Object(LoadedObject):
    """A file, mapped so far from its own addresses."""

    layout: Elf

    @property
    def start(self) -> int:
        return self.layout.start + self.bias

    @property
    def end(self) -> int:
        return self.layout.end + self.bias

    @cached_property
    def is_library(self) -> bool:
        """Whether it is the C library, or its loader."""
        return bool(_LIBRARIES.match(PurePosixPath(self.path).name))

    @cached_property
    def functions(self) -> list[tuple[int, str]]:
        """(address, name), all names of each."""
        found = elf_symbols.functions_of(self.data)
        return [(address + self.bias, name) for address, name, _ in found]

    @cached_property
    def choosers(self) -> dict[int, list[str]]:
        """Functions that answer which function is to be called by a name: their names."""
        found = elf_symbols.all_choosers(self.data)
        return {address + self.bias: names for address, names in found.items()}

    @cached_property
    def chooses_strings(self) -> bool:
        return any("strlen" in names for names in self.choosers.values())

    @cached_property
    def arrays(self) -> list[tuple[int, int]]:
        """[start, end) of variables, in order."""
        found = elf_symbols.data_of(self.data)
        return [(start + self.bias, start + size + self.bias) for start, size in found]

    @cached_property
    def sources(self) -> Sources:
        """Functions and lines."""
        return Sources(tuple(self.symbols), tuple(self.lines))

    @cached_property
    def frames(self) -> Frames:
        return Frames(self.data)


class Objects:
    """All of them; `add` each when it is mapped."""

    def __init__(self) -> None:
        self._all: list[Object] = []
        self._rules: dict[int, Rule | None] = {}
        self._reading: dict[int, Reading] = {}

    def add(self, path: str, data: bytes, bias: int, layout: Elf) -> Object:
        new = Object(bias, path, data, layout)
        self._all = [one for one in self._all if one.end <= new.start or new.end <= one.start]
        self._all.append(new)
        self._all.sort(key=lambda one: one.start)
        self._rules.clear()
        self._reading.clear()
        return new

    def at(self, address: int) -> Object | None:
        """The file that an address is of."""
        index = bisect_right(self._all, address, key=lambda one: one.start) - 1
        found = self._all[index] if index >= 0 else None
        return found if found and address < found.end else None

    def sources_at(self, address: int) -> Sources:
        """What is known of the code around an address."""
        found = self.at(address)
        return found.sources if found else Sources()

    def data_at(self, address: int) -> tuple[int, int] | None:
        """The variable that an address lies in: [start, end)."""
        found = self.at(address)
        if found is None:
            return None
        index = bisect_right(found.arrays, (address, 1 << 64)) - 1
        if index < 0 or address >= found.arrays[index][1]:
            return None
        return found.arrays[index]

    def gap_at(self, address: int) -> tuple[int, int] | None:
        """What is left of the last page of a file's memory, if an address lies there."""
        for one in self._all:
            if one.end <= address < page_up(one.end):
                return one.end, page_up(one.end)
        return None

    def reading(self, address: int) -> Reading:
        """How the function reads that an instruction is of."""
        known = self._reading.get(address)
        if known is None:
            known = self._reading[address] = self._look_up(address)
        return known

    def _look_up(self, address: int) -> Reading:
        found, name = self.at(address), self.name_at(address)
        ahead = _AHEAD.fullmatch(name) or (found is not None and found.is_library)
        return Reading.AHEAD if ahead else Reading.EXACT

    def chooses_at(self, address: int) -> bool:
        """Whether the file there chooses its functions that read ahead, and so all are known.

        The loader has some of its own that nobody chooses.
        """
        found = self.at(address)
        chooses = found is not None and found.chooses_strings
        return chooses and not _AHEAD.fullmatch(self.name_at(address))

    def name_at(self, address: int) -> str:
        """The function that an instruction is of; "" where it has no name."""
        symbol = self.sources_at(address).symbol_at(address)
        return symbol.name if symbol else ""

    # Callers

    def stack(self, rip: int, rsp: int, rbp: int, read: Read) -> Stack:
        """An instruction that has not run yet, and its callers, as far as the files tell them."""
        found = [rip]
        near, base = read(rsp, _NEAR), rsp

        def word(address: int) -> int:
            at = address - base
            part = near[at : at + 8] if 0 <= at <= _NEAR - 8 else read(address & _WORD, 8)
            return int.from_bytes(part, "little")

        while len(found) <= _DEEPEST:
            rule = self._rules[rip] if rip in self._rules else self._rule(rip)
            if rule is None and len(found) == 1 and self._follows_call(word(rsp), read):
                rule = _LEAF
            if rule is None:
                break
            register, offset, saved = rule
            if register == "plt":
                offset *= 2 if rip & 15 >= _PUSHED else 1
            frame = (rbp if register == "rbp" else rsp) + offset & _WORD
            if saved is not None:
                rbp = word(frame + saved)
            back = word(frame - 8)
            if not back or frame <= rsp:
                break
            rip, rsp = back - 1, frame  # the call may be the last of its function
            found.append(rip)
        return tuple(found)

    def _follows_call(self, address: int, read: Read) -> bool:
        """Whether what stands before an address is a call."""
        if self.at(address) is None:
            return False
        return read(address - 5, 1) == b"\xe8" or read(address - 6, 2) == b"\xff\x15"

    def _rule(self, rip: int) -> Rule | None:
        one = self.at(rip)
        rule = self._rules[rip] = one.frames.rule(rip - one.bias) if one else None
        return rule


_PUSHED = 11
"""Bytes of an entry of a procedure linkage table, up to behind its push."""


def layout_of(source: Source) -> Elf | None:
    """The headers of a file; None where it is no ELF file."""
    try:
        return parse(source)
    except BadElf:
        return None
