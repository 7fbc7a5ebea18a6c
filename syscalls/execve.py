"""What execve(2) does to an address space: the program, its interpreter, the break, the stack.

The layout is Linux's without randomization: a program with an interpreter, unless it is bound to
its addresses, at 0x555555554000; one without as the first mapping, and its heap there instead; the
interpreter as the first mapping; the stack at the top of all (initial_stack.py).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from syscalls.abi import PAGE, TASK_SIZE, Errno, errno_name, page_down, page_up
from syscalls.address_space import AddressSpace
from syscalls.elf import TABLE_ENTRY, BadElf, Elf, Segment, parse
from syscalls.files.file import File, Source
from syscalls.initial_stack import Auxiliary, InitialStack
from syscalls.region import Rights
from syscalls.user import UserMemory

_DYNAMIC_BASE = TASK_SIZE // 3 * 2
"""ELF_ET_DYN_BASE: two thirds of what a process may have."""
HARDWARE = 0x078B_F3FD
"""CPUID's leaf 1, edx, as the emulated CPU answers it."""
_MOST_SCRIPTS = 4
"""Scripts that may be each other's interpreters: more are ELOOP."""
_LONGEST_LINE = 256
"""Of a script's first line: BINPRM_BUF_SIZE."""


class Bytes:
    """A Source in memory: a file of the host's that the process itself cannot see."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    @property
    def size(self) -> int:
        return len(self._data)

    def read(self, offset: int, size: int) -> bytes:
        return self._data[offset : offset + size]

    def write(self, offset: int, data: bytes) -> None:
        """Nobody maps it to write."""


@dataclass(frozen=True, slots=True)
class Executable:
    """A file to run. path: its name as the process knows it. file: where the process can see it."""

    path: str
    source: Source
    file: File | None = None


Find = Callable[[str], Executable]
"""The executable of a path that the process can see; Errno where there is none."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """Where a program begins, and what was mapped of which file.

    entry and stack_pointer: rip and rsp at the start. argv: as it is on the stack; envp: where
    the environment is. objects: (load
    bias, file) of the program and of its interpreter. auxiliary: the vector's bytes.
    """

    entry: int
    stack_pointer: int
    argv: tuple[bytes, ...]
    envp: int
    objects: tuple[tuple[int, Executable], ...]
    auxiliary: bytes


def load(
    space: AddressSpace,
    file: Executable,
    argv: Sequence[bytes],
    envp: Sequence[bytes],
    find: Find,
    random: bytes,
) -> Loaded:
    """Fills an empty address space. BadElf where the file, or its interpreter, cannot be run.

    find: for the interpreter. random: 16 bytes for AT_RANDOM.
    """
    name = file.path
    file, argv = _through_scripts(file, tuple(argv), find)
    program = parse(file.source)
    bias = _place(space, program)
    _map(space, program, file, bias)
    objects = [(bias, file)]
    base, entry = 0, program.entry + bias
    if program.interpreter is not None:
        base, entry, interpreter = _load_interpreter(space, program.interpreter, find)
        objects.append((base, interpreter))
    _start_heap(space, program, bias)
    auxiliary = Auxiliary(
        hardware=HARDWARE,
        table=program.table + bias if program.table else 0,
        table_entry=TABLE_ENTRY,
        table_entries=program.table_entries,
        interpreter=base,
        entry=program.entry + bias,
    )
    stack = InitialStack(name, argv, envp, auxiliary, random)
    stack.map(space, executable=program.executable_stack)
    return Loaded(entry, stack.pointer, argv, stack.envp, tuple(objects), stack.vector)


def _through_scripts(
    file: Executable, argv: tuple[bytes, ...], find: Find
) -> tuple[Executable, tuple[bytes, ...]]:
    """A script's interpreter, and what it is started with (execve(2), Interpreter scripts)."""
    for _ in range(_MOST_SCRIPTS + 1):
        head = file.source.read(0, _LONGEST_LINE)
        if not head.startswith(b"#!"):
            return file, argv
        words = head[2:].partition(b"\n")[0].strip(b" \t").split(None, 1)
        if not words:
            raise BadElf("its first line names no interpreter")
        argv = (*(word.rstrip(b" \t") for word in words), os.fsencode(file.path), *argv[1:])
        file = _found(os.fsdecode(words[0]), find)
    raise BadElf("its interpreter is a script, and so on: too many of them")


def _found(path: str, find: Find) -> Executable:
    try:
        return find(path)
    except Errno as error:
        reason = f"its interpreter {path} cannot be read: {errno_name(error.number)}"
        raise BadElf(reason, missing=path) from None


def _load_interpreter(space: AddressSpace, path: str, find: Find) -> tuple[int, int, Executable]:
    """Its load bias, its entry, its file."""
    file = _found(path, find)
    try:
        interpreter = parse(file.source)
    except BadElf as error:
        raise BadElf(f"its interpreter {path} cannot be run: {error}") from None
    bias = _gap(space, interpreter) if interpreter.position_independent else 0
    _map(space, interpreter, file, bias)
    return bias, interpreter.entry + bias, file


# Places


def _place(space: AddressSpace, program: Elf) -> int:
    """The load bias of a program."""
    if not program.position_independent:
        return 0
    if program.interpreter is None:
        return _gap(space, program)
    bias = page_down(_DYNAMIC_BASE) - program.start
    return bias - bias % program.alignment


def _gap(space: AddressSpace, elf: Elf) -> int:
    """The load bias that puts a file where the next mapping would go."""
    try:
        return space.places.choose(0, page_up(elf.size)) - elf.start
    except Errno:
        raise BadElf(f"there is no room for its {elf.size} bytes") from None


def _start_heap(space: AddressSpace, program: Elf, bias: int) -> None:
    """Behind the program; one without an interpreter that lies among the mappings: elsewhere."""
    alone = program.position_independent and program.interpreter is None
    start = _DYNAMIC_BASE if alone else program.end + bias
    space.heap_start = space.brk = page_up(start)
    space.data_size = program.data_size


# Segments


def _map(space: AddressSpace, program: Elf, file: Executable, bias: int) -> None:
    for segment in program.segments:
        if segment.memory_size:
            try:
                _map_segment(space, segment, file, segment.address + bias)
            except Errno as error:
                where = f"a segment at {segment.address + bias:#x}"
                raise BadElf(f"{where} cannot be mapped: {errno_name(error.number)}") from None


def _map_segment(space: AddressSpace, segment: Segment, file: Executable, address: int) -> None:
    """Whole pages of the file, and behind them fresh ones, which may always be written to."""
    start, end = page_down(address), page_up(address + segment.memory_size)
    if start < 0 or end > TASK_SIZE:
        raise BadElf(f"a segment at {address:#x} is out of reach")
    rights = Rights(read=segment.read, write=segment.write, execute=segment.execute)
    file_end = page_up(address + segment.file_size) if segment.file_size else start
    if file_end > start:
        offset = segment.offset - address % PAGE
        space.map_file(start, file_end - start, rights, file.source, offset, file.path, file.file)
    if end > file_end:
        fresh = Rights(read=True, write=True, execute=segment.execute)
        space.map(file_end, end - file_end, fresh)
    behind = address + segment.file_size
    if segment.memory_size > segment.file_size and segment.write and file_end > behind:
        UserMemory(space).write(behind, bytes(file_end - behind))
