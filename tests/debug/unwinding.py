"""An unwinder of our tests' own, over what pyelftools reads in a file's .debug_frame."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from elftools.dwarf.callframe import FDE
from elftools.elf.elffile import ELFFile

Registers = Mapping[str, int]
Read = Callable[[int], int]
"""The word at an address."""

_NAMES = "rax rdx rcx rbx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 rip".split()


class Unwinder:
    def __init__(self, file: bytes) -> None:
        entries = ELFFile(io.BytesIO(file)).get_dwarf_info().CFI_entries()
        self._stretches = [
            (entry["initial_location"], entry["address_range"], entry.get_decoded().table)
            for entry in entries
            if isinstance(entry, FDE)
        ]

    def rules(self, address: int) -> Mapping[Any, Any] | None:
        """The last row at or below an address; None where no row is."""
        for start, size, table in self._stretches:
            if start <= address < start + size:
                found: Mapping[Any, Any] = [row for row in table if row["pc"] <= address][-1]
                return found
        return None

    def callers(self, address: int, registers: Registers, read: Read) -> Iterator[Registers]:
        """The registers of each caller, as far as they are told, up to the outermost."""
        found: Registers | None = self._caller(address, registers, read)
        while found is not None:
            yield found
            found = self._caller(found["rip"] - 1, found, read)

    def _caller(self, address: int, registers: Registers, read: Read) -> Registers | None:
        rules = self.rules(address)
        if rules is None:
            raise LookupError(f"no way to the caller of {address:#x}")
        cfa = registers[_NAMES[rules["cfa"].reg]] + rules["cfa"].offset
        found: dict[str, int] = {name: registers[name] for name in registers if name != "rip"}
        for number, name in enumerate(_NAMES):
            rule = rules.get(number)
            if rule is None or rule.type == "SAME_VALUE":
                continue
            found.pop(name, None)
            if rule.type == "OFFSET":
                found[name] = read(cfa + rule.arg)
            else:
                assert rule.type == "UNDEFINED"
        return {**found, "rsp": cfa} if "rip" in found else None
