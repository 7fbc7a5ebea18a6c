"""The line number program: which address is which line (DWARF 5, 6.2).

One row for each of the image's lines, and no row for anything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from asm.dwarf.encoding import ADDRESS_SIZE, address, sized, sleb, text, u16, u32, uleb
from asm.image import Image, SourceLine

_VERSION = 5
_LINE_BASE, _LINE_RANGE = -5, 14
_OPERANDS = (0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1)
"""Of the standard opcodes, from DW_LNS_copy on."""
_OPCODE_BASE = len(_OPERANDS) + 1
_COPY, _ADVANCE_PC, _ADVANCE_LINE, _SET_FILE = 1, 2, 3, 4
_END_SEQUENCE, _SET_ADDRESS = 1, 2
_PATH, _DIRECTORY_INDEX = 1, 2
_STRING, _UDATA = 0x08, 0x0F
_FIRST_LINE = 1


def line_program(image: Image) -> bytes:
    """One image's part of .debug_line."""
    files = _Files(image)
    code = b"".join(_sequence(run, files) for run in _runs(_code_lines(image)))
    header = b"".join(
        [
            bytes([1, 1, 1]),  # bytes and operations of an instruction; every row is a statement
            bytes([_LINE_BASE & 0xFF, _LINE_RANGE, _OPCODE_BASE, *_OPERANDS]),
            files.tables(),
        ]
    )
    return sized(u16(_VERSION) + bytes([ADDRESS_SIZE, 0]) + u32(len(header)) + header + code)


class _Files:
    """The files that lines name, by number. File 0 is the one that the image begins in."""

    def __init__(self, image: Image) -> None:
        self._paths = [image.source]
        self._folders = [image.source.parent]
        self._numbers: dict[str, int] = {}
        for line in _code_lines(image):
            if line.file not in self._numbers:
                self._numbers[line.file] = self._number(image.files[line.file])

    def __getitem__(self, file: str) -> int:
        return self._numbers[file]

    def _number(self, path: Path) -> int:
        if path not in self._paths:
            self._paths.append(path)
        if path.parent not in self._folders:
            self._folders.append(path.parent)
        return self._paths.index(path)

    def tables(self) -> bytes:
        """directory_entry_format to file_names."""
        folders = b"".join(text(str(folder)) for folder in self._folders)
        files = b"".join(
            text(path.name) + uleb(self._folders.index(path.parent)) for path in self._paths
        )
        return b"".join(
            [
                bytes([1, _PATH, _STRING]),
                uleb(len(self._folders)) + folders,
                bytes([2, _PATH, _STRING, _DIRECTORY_INDEX, _UDATA]),
                uleb(len(self._paths)) + files,
            ]
        )


def _code_lines(image: Image) -> Iterator[SourceLine]:
    code = [segment for segment in image.segments if segment.executable]
    for line in image.lines:
        if any(segment.address <= line.address < segment.end for segment in code):
            yield line


def _runs(lines: Iterable[SourceLine]) -> Iterator[list[SourceLine]]:
    """Lines without a gap between them."""
    run: list[SourceLine] = []
    for line in lines:
        if run and line.address != run[-1].address + run[-1].size:
            yield run
            run = []
        run.append(line)
    if run:
        yield run


def _sequence(run: list[SourceLine], files: _Files) -> bytes:
    """The program for lines without a gap, from DW_LNE_set_address to DW_LNE_end_sequence."""
    here, number, file = run[0].address, _FIRST_LINE, 1
    out = bytearray(_extended(_SET_ADDRESS, address(here)))
    for line in run:
        if files[line.file] != file:
            file = files[line.file]
            out += bytes([_SET_FILE]) + uleb(file)
        out += _row(line.address - here, line.line - number)
        here, number = line.address, line.line
    out += bytes([_ADVANCE_PC]) + uleb(run[-1].size)
    return bytes(out) + _extended(_END_SEQUENCE)


def _row(bytes_on: int, lines_on: int) -> bytes:
    """A row of the table, by a special opcode where one reaches that far."""
    if _LINE_BASE <= lines_on < _LINE_BASE + _LINE_RANGE:
        special = _OPCODE_BASE + (lines_on - _LINE_BASE) + _LINE_RANGE * bytes_on
        if special < 1 << 8:
            return bytes([special])
    moved = bytes([_ADVANCE_PC]) + uleb(bytes_on) + bytes([_ADVANCE_LINE]) + sleb(lines_on)
    return moved + bytes([_COPY])


def _extended(opcode: int, operands: bytes = b"") -> bytes:
    return b"\0" + uleb(1 + len(operands)) + bytes([opcode]) + operands
