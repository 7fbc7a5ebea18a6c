"""Names of functions in an ELF file, for reports. elftools is imported here and in elf_lines.py."""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from emu.process.sources import Symbol, printable

_FAR = 1 << 16
"""Bytes behind a symbol without a size that may still be its."""


def symbol_at(data: bytes, address: int) -> str | None:
    """ "main+0x12", by the file's own addresses; None where no function is known."""
    functions = functions_of(data)
    index = bisect_right(functions, (address, "\U0010ffff", 0)) - 1
    if index < 0:
        return None
    start, name, size = functions[index]
    offset = address - start
    if offset >= (size or _FAR):
        return None
    return f"{name}+{offset:#x}" if offset else name


def symbols(data: bytes, bias: int) -> list[Symbol]:
    """The functions of a file that is loaded so far from its own addresses; they do not overlap.

    One without a size goes as far as the next one, or as it may.
    """
    found = functions_of(data)
    starts = sorted({address for address, _, _ in found})
    limits = dict(zip(starts, [*starts[1:], 1 << 64], strict=False))
    named = {address: (name, size) for address, name, size in found}
    return [
        Symbol(address + bias, min(size or _FAR, limits[address] - address), printable(name))
        for address, (name, size) in sorted(named.items())
    ]


@lru_cache(maxsize=8)
def functions_of(data: bytes) -> list[tuple[int, str, int]]:
    """(address, name, size), sorted."""
    return _symbols(data, _is_code)


def data_of(data: bytes) -> list[tuple[int, int]]:
    """(address, size) of variables, sorted."""
    return sorted({(address, size) for address, _, size in _symbols(data, _is_data) if size})


def _symbols(data: bytes, wanted: Callable[[Any], bool]) -> list[tuple[int, str, int]]:
    """(address, name, size), sorted. A file may have broken sections, and still run."""
    from elftools.common.exceptions import ELFError
    from elftools.elf.elffile import ELFFile
    from elftools.elf.sections import SymbolTableSection

    found: set[tuple[int, str, int]] = set()
    try:
        for section in ELFFile(io.BytesIO(data)).iter_sections():
            if isinstance(section, SymbolTableSection):
                found.update(
                    (symbol["st_value"], symbol.name, symbol["st_size"])
                    for symbol in section.iter_symbols()
                    if wanted(symbol)
                )
    except (ELFError, ValueError, OverflowError, KeyError, MemoryError, AttributeError):
        return sorted(found)
    return sorted(found)


def _is_data(symbol: Any) -> bool:
    return bool(symbol["st_value"]) and symbol["st_info"]["type"] == "STT_OBJECT"


def _is_code(symbol: Any) -> bool:
    """A function, or a label of assembly, which has no type."""
    placed = symbol["st_value"] and symbol["st_shndx"] not in ("SHN_UNDEF", "SHN_ABS")
    return bool(placed) and symbol["st_info"]["type"] in ("STT_FUNC", "STT_NOTYPE")
