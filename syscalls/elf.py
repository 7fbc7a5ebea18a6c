"""The headers of an ELF file, as far as Linux reads them to run it: elf(5), binfmt_elf.c.

What Linux does not look at is not looked at here either: the class, the version, the sections.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from syscalls.abi import PAGE, TASK_SIZE
from syscalls.files.file import Source

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")
_MAGIC = b"\x7fELF"
_X86_64 = 62
_EXECUTABLE, _SHARED = 2, 3
_LOAD, _INTERPRETER, _PHDR, _STACK = 1, 3, 6, 0x6474E551
_EXECUTE, _WRITE, _READ = 1, 2, 4
_LONGEST_TABLE = 65536
_PATH_MAX = 4096


class BadElf(Exception):
    """Linux would not run this file. Says why. missing: the interpreter that is not there."""

    def __init__(self, why: str, missing: str | None = None) -> None:
        super().__init__(why)
        self.missing = missing


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the file that belongs in memory, or PT_PHDR. Sizes and offsets in bytes."""

    offset: int
    address: int
    file_size: int
    memory_size: int
    alignment: int
    read: bool
    write: bool
    execute: bool

    @property
    def end(self) -> int:
        return self.address + self.memory_size


@dataclass(frozen=True, slots=True)
class Elf:
    """A program, or an interpreter.

    position_independent: loaded anywhere; addresses count from there. table: address of the
    program headers in memory, or 0.
    """

    position_independent: bool
    entry: int
    segments: tuple[Segment, ...]
    interpreter: str | None
    table: int
    table_entries: int
    executable_stack: bool

    @property
    def start(self) -> int:
        """Of the first segment, which Linux takes to be the lowest."""
        return self.segments[0].address & -PAGE

    @property
    def size(self) -> int:
        """Bytes from the lowest page to the end."""
        return self.end - (min(segment.address for segment in self.segments) & -PAGE)

    @property
    def end(self) -> int:
        return max(segment.end for segment in self.segments)

    @property
    def data_size(self) -> int:
        """Bytes of initialized data, as RLIMIT_DATA counts them: of the last segment, mostly."""
        start = max(segment.address for segment in self.segments)
        return max(0, *(segment.address + segment.file_size - start for segment in self.segments))

    @property
    def alignment(self) -> int:
        """The largest power of two that a segment asks for, a page at least."""
        asked = [s.alignment for s in self.segments if s.alignment.bit_count() == 1]
        return max(PAGE, *asked, PAGE)


TABLE_ENTRY = _PROGRAM_HEADER.size


def parse(source: Source) -> Elf:
    """The headers of a file. BadElf where Linux answers ENOEXEC, or kills what it had begun."""
    head = source.read(0, _HEADER.size)
    if len(head) < _HEADER.size or not head.startswith(_MAGIC):
        raise BadElf("it is no ELF file")
    _, kind, machine, _, entry, table_at, _, _, _, size, count, *_ = _HEADER.unpack(head)
    if kind not in (_EXECUTABLE, _SHARED):
        raise BadElf(f"its type is {kind}: no executable and no shared object")
    if machine != _X86_64:
        raise BadElf(f"it is for machine {machine}, not for x86-64")
    if size != TABLE_ENTRY or not 0 < size * count <= _LONGEST_TABLE:
        raise BadElf(f"it has {count} program headers of {size} bytes")
    table = _read(source, table_at, size * count)
    if len(table) < size * count:
        raise BadElf("its program headers lie behind the end of the file")
    headers = list(_PROGRAM_HEADER.iter_unpack(table))
    segments = tuple(_segment(header) for header in headers if header[0] == _LOAD)
    if not segments:
        raise BadElf("it has nothing to load")
    stack = next((header[1] for header in headers if header[0] == _STACK), 0)
    return Elf(
        position_independent=kind == _SHARED,
        entry=entry,
        segments=segments,
        interpreter=_interpreter(source, headers),
        table=_table_in_memory(headers, segments, table_at),
        table_entries=count,
        executable_stack=bool(stack & _EXECUTE),
    )


def _segment(header: tuple[int, ...]) -> Segment:
    _, flags, offset, address, _, file_size, memory_size, alignment = header
    if file_size > memory_size:
        raise BadElf(f"a segment has {file_size} bytes in the file, and {memory_size} in memory")
    if memory_size > TASK_SIZE or address > TASK_SIZE - memory_size:
        raise BadElf(f"a segment at {address:#x} with {memory_size} bytes is out of reach")
    if offset % PAGE != address % PAGE:
        raise BadElf(f"a segment at {address:#x} begins in the file at {offset:#x}: no whole pages")
    read, write, execute = (bool(flags & bit) for bit in (_READ, _WRITE, _EXECUTE))
    return Segment(offset, address, file_size, memory_size, alignment, read, write, execute)


def _read(source: Source, offset: int, size: int) -> bytes:
    return source.read(offset, size) if offset < 1 << 63 else b""


def _interpreter(source: Source, headers: list[tuple[int, ...]]) -> str | None:
    for kind, _, offset, _, _, size, *_ in headers:
        if kind == _INTERPRETER:
            path = _read(source, offset, min(size, _PATH_MAX))
            if not 2 <= size <= _PATH_MAX or len(path) < size or not path.endswith(b"\0"):
                raise BadElf("the path of its interpreter is broken")
            return path[: path.index(b"\0")].decode("utf-8", "surrogateescape")
    return None


def _table_in_memory(
    headers: list[tuple[int, ...]], segments: tuple[Segment, ...], table_at: int
) -> int:
    for kind, _, _, address, *_ in headers:
        if kind == _PHDR:
            return address
    for segment in segments:
        if segment.offset <= table_at < segment.offset + segment.file_size:
            return segment.address + table_at - segment.offset
    return 0
