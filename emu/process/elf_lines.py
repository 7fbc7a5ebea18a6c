"""Lines of source in an ELF file, as its debug information (DWARF) has them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from asm.image import SourceLine
from emu.process.sources import printable

_BROKEN = (
    ValueError, ArithmeticError, LookupError, MemoryError, AttributeError, TypeError,
    AssertionError, RuntimeError,
)  # fmt: skip
"""What damaged debug information raises, beside what pyelftools has for it. It still runs."""


def lines(data: bytes, bias: int) -> list[SourceLine]:
    """The lines of a file that is loaded so far from its own addresses; they do not overlap.

    Without debug information there are none. The text of a source that cannot be read is empty.
    """
    found = sorted(set(_rows(data)))
    kept: list[SourceLine] = []
    end = 0
    for address, stop, file, line in found:
        start = max(address, end)
        if start < stop:
            kept.append(SourceLine(start + bias, stop - start, file, line, _text(file, line)))
            end = stop
    return kept


def _rows(data: bytes) -> Iterator[tuple[int, int, str, int]]:
    """(start, end, file, line) of the bytes that belong to one line."""
    from elftools.common.exceptions import DWARFError, ELFError
    from elftools.elf.elffile import ELFFile

    try:
        file = ELFFile(io.BytesIO(data))
        if not file.has_dwarf_info(strict=True):
            return
        about = file.get_dwarf_info(relocate_dwarf_sections=False)
        for unit in about.iter_CUs():
            program = about.line_program_for_CU(unit)
            if program is not None:
                yield from _rows_of(program, _attribute(unit, "DW_AT_comp_dir"))
    except (ELFError, DWARFError, *_BROKEN):
        return


def _rows_of(program: Any, folder: str) -> Iterator[tuple[int, int, str, int]]:
    before = None
    for entry in program.get_entries():
        state = entry.state
        if state is None:
            continue
        if before is not None and before.line > 0 and state.address > before.address:
            name = _file(program, before.file, folder)
            yield before.address, state.address, name, before.line
        before = None if state.end_sequence else state


def _file(program: Any, number: int, folder: str) -> str:
    """Files and folders count from 0 from version 5 of DWARF on, and from 1 before.

    Folder 0 is where it was compiled.
    """
    header = program.header
    first = 0 if header["version"] >= 5 else 1
    entry = header["file_entry"][number - first]
    folders = [name.decode(errors="replace") for name in header["include_directory"]]
    if first:
        folders.insert(0, folder)
    path = PurePosixPath(folder, folders[entry.dir_index], entry.name.decode(errors="replace"))
    return printable(str(path))


def _attribute(unit: Any, name: str) -> str:
    found = unit.get_top_DIE().attributes.get(name)
    return found.value.decode(errors="replace") if found else ""


def _text(file: str, line: int) -> str:
    source = _source(file)
    return printable(source[line - 1]) if line <= len(source) else ""


@lru_cache(maxsize=64)
def _source(file: str) -> tuple[str, ...]:
    try:
        path = Path(file)
        return tuple(path.read_text(errors="replace").splitlines()) if path.is_file() else ()
    except (OSError, ValueError):
        return ()
