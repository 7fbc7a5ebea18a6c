"""What execve(2) does to an address space: the program, its interpreter, the stack, the break.

The layout is Linux's without randomization: a program that is not bound to its addresses at
0x555555554000, its interpreter as the first mapping, the stack at the top of all. The stack holds
what the System V ABI says (AMD64 supplement, 3.4.1): argc, argv, envp, the auxiliary vector.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from syscalls.abi import MMAP_MIN_ADDR, PAGE, TASK_SIZE, Errno, page_down, page_up
from syscalls.address_space import AddressSpace
from syscalls.elf import TABLE_ENTRY, BadElf, Elf, Segment, parse
from syscalls.region import Rights

STACK_TOP = TASK_SIZE
STACK_SIZE = 8 << 20
PROGRAM_BASE = 0x5555_5555_4000
"""ELF_ET_DYN_BASE: two thirds of what a process may have."""
_LONGEST_STRINGS = STACK_SIZE // 4
"""Arguments and environment together: execve(2), E2BIG."""
_WORD = 8

(
    _NULL, _PHDR, _PHENT, _PHNUM, _PAGESZ, _BASE, _FLAGS, _ENTRY, _UID, _EUID, _GID, _EGID,
    _PLATFORM, _HWCAP, _CLKTCK, _SECURE, _RANDOM, _HWCAP2, _EXECFN, _MINSIGSTKSZ,
) = (0, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 23, 25, 26, 31, 51)  # fmt: skip
_HARDWARE = 0x078B_FBFD
"""CPUID's leaf 1, edx, as the emulated CPU answers it."""
_FSGSBASE = 2
_CLOCK_TICKS = 100
_SIGNAL_STACK = 2048


@dataclass(frozen=True, slots=True)
class Loaded:
    """Where a program begins, and what was mapped of which file.

    entry and stack_pointer: rip and rsp at the start. objects: (name, load bias, contents) of the
    program and of its interpreter.
    """

    entry: int
    stack_pointer: int
    objects: tuple[tuple[str, int, bytes], ...]


def load(
    space: AddressSpace,
    data: bytes,
    path: str,
    argv: Sequence[bytes],
    envp: Sequence[bytes],
    open_file: Callable[[str], bytes],
    random: bytes,
) -> Loaded:
    """Fills an empty address space. BadElf where the file, or its interpreter, cannot be run.

    open_file: the bytes of a file by its path, for the interpreter. random: 16 bytes for AT_RANDOM.
    """
    program = parse(data)
    bias = PROGRAM_BASE - program.start if program.position_independent else 0
    bias -= bias % program.alignment
    _map(space, program, data, bias, path)
    space.heap_start = space.brk = page_up(program.end + bias)
    objects = [(path, bias, data)]
    base = 0
    entry = program.entry + bias
    if program.interpreter is not None:
        base, entry, contents = _load_interpreter(space, program.interpreter, open_file)
        objects.append((program.interpreter, base, contents))
    _map_stack(space, program.executable_stack)
    auxiliary = {
        _HWCAP: _HARDWARE,
        _PAGESZ: PAGE,
        _CLKTCK: _CLOCK_TICKS,
        _PHDR: program.table + bias if program.table else 0,
        _PHENT: TABLE_ENTRY,
        _PHNUM: program.table_entries,
        _BASE: base,
        _FLAGS: 0,
        _ENTRY: program.entry + bias,
        **dict.fromkeys((_UID, _EUID, _GID, _EGID), 0),
        _SECURE: 0,
        _HWCAP2: _FSGSBASE,
        _MINSIGSTKSZ: _SIGNAL_STACK,
    }
    pointer = _fill_stack(space, path, argv, envp, auxiliary, random)
    return Loaded(entry, pointer, tuple(objects))


def _load_interpreter(
    space: AddressSpace, path: str, open_file: Callable[[str], bytes]
) -> tuple[int, int, bytes]:
    """Its load bias, its entry, its bytes."""
    try:
        data = open_file(path)
    except Errno as error:
        raise BadElf(f"its interpreter {path} cannot be read: {error}") from None
    try:
        interpreter = parse(data)
    except BadElf as error:
        raise BadElf(f"its interpreter {path} cannot be run: {error}") from None
    bias = 0
    if interpreter.position_independent:
        size = page_up(interpreter.end) - interpreter.start
        bias = space.find_gap(size) - interpreter.start
    _map(space, interpreter, data, bias, path)
    return bias, interpreter.entry + bias, data


# Segments


def _map(space: AddressSpace, program: Elf, data: bytes, bias: int, name: str) -> None:
    for segment in program.segments:
        if segment.memory_size:
            _map_segment(space, segment, data, bias, name)


def _map_segment(space: AddressSpace, segment: Segment, data: bytes, bias: int, name: str) -> None:
    address = segment.address + bias
    start, end = page_down(address), page_up(address + segment.memory_size)
    if start < MMAP_MIN_ADDR or end > TASK_SIZE:
        raise BadElf(f"a segment at {address:#x} is out of reach")
    rights = Rights(read=segment.read, write=segment.write, execute=segment.execute)
    file_end = page_up(address + segment.file_size) if segment.file_size else start
    try:
        if file_end > start:
            space.map(start, file_end - start, rights, name)
        if end > file_end:
            space.map(file_end, end - file_end, rights)
    except Errno as error:
        raise BadElf(f"a segment at {address:#x} cannot be mapped: {error}") from None
    # Whole pages of the file are mapped; of the last one, what is no part of it is cleared.
    first = segment.offset - address % PAGE
    last = segment.offset + segment.file_size
    if segment.memory_size == segment.file_size:
        last += -last % PAGE
    space.memory.write(start, data[first:last])


# The stack


def _map_stack(space: AddressSpace, executable: bool) -> None:
    rights = Rights(read=True, write=True, execute=executable)
    size = space.limits.stack
    space.map(STACK_TOP - size, size, rights, "stack")


def _fill_stack(
    space: AddressSpace,
    path: str,
    argv: Sequence[bytes],
    envp: Sequence[bytes],
    auxiliary: dict[int, int],
    random: bytes,
) -> int:
    """Writes the stack of a new process; where rsp points."""
    name = path.encode("utf-8", "surrogateescape")
    total = sum(len(text) + 1 + _WORD for text in (*argv, *envp, name))
    if total > _LONGEST_STRINGS:
        raise BadElf(f"its arguments and environment have {total} bytes: too many")
    strings = _Strings(STACK_TOP - _WORD)
    auxiliary[_EXECFN] = strings.push(name)
    environment = [strings.push(text) for text in reversed(envp)][::-1]
    arguments = [strings.push(text) for text in reversed(argv)][::-1]
    auxiliary[_PLATFORM] = strings.push(b"x86_64")
    auxiliary[_RANDOM] = strings.push(random, end=b"")
    pairs = [word for pair in auxiliary.items() for word in pair]
    words = [len(argv), *arguments, 0, *environment, 0, *pairs, _NULL, 0]
    pointer = strings.lowest - _WORD * len(words)
    pointer -= pointer % 16
    space.memory.write(pointer, struct.pack(f"<{len(words)}Q", *words))
    space.memory.write(strings.lowest, strings.bytes)
    return pointer


class _Strings:
    """Bytes that grow down from an address."""

    def __init__(self, top: int) -> None:
        self.lowest = top
        self.bytes = b""

    def push(self, text: bytes, end: bytes = b"\0") -> int:
        self.bytes = text + end + self.bytes
        self.lowest -= len(text) + len(end)
        return self.lowest
