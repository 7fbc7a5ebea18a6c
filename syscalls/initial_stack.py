"""The stack as a program finds it: System V ABI, AMD64 supplement, 3.4.1; create_elf_tables.

STACK_TOP - 8   0
                path, NUL                   AT_EXECFN
                environment, arguments: strings
                "x86_64"                    AT_PLATFORM
                16 random bytes             AT_RANDOM
                the auxiliary vector, envp, argv
rsp             argc
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from syscalls.abi import PAGE, TASK_SIZE, Errno, errno_name, page_down
from syscalls.address_space import AddressSpace
from syscalls.elf import BadElf
from syscalls.identity import GID, UID
from syscalls.region import Rights
from syscalls.user import UserMemory

STACK_TOP = TASK_SIZE
_WORD = 8
_MASK = (1 << 64) - 1
_DEFAULT_STACK = 8 << 20
"""Where RLIMIT_STACK sets no limit."""
_ROOM = 128 << 10
"""Bytes that the stack has at the start, beyond what is on it."""
_SHORTEST_LIMIT = 128 << 10
"""Bytes that arguments and environment may always have: ARG_MAX."""
_LONGEST_STRING = 32 * PAGE
"""MAX_ARG_STRLEN."""

(
    _NULL, _PHDR, _PHENT, _PHNUM, _PAGESZ, _BASE, _FLAGS, _ENTRY, _UID, _EUID, _GID, _EGID,
    _PLATFORM, _HWCAP, _CLKTCK, _SECURE, _RANDOM, _HWCAP2, _EXECFN, _MINSIGSTKSZ,
) = (0, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 23, 25, 26, 31, 51)  # fmt: skip
_FSGSBASE = 2
_CLOCK_TICKS = 100
_SIGNAL_STACK = 2048


@dataclass(frozen=True, slots=True)
class Auxiliary:
    """What the auxiliary vector says of this program: getauxval(3)."""

    hardware: int
    table: int
    table_entry: int
    table_entries: int
    interpreter: int
    entry: int

    def pairs(self, platform: int, random: int, path: int) -> list[int]:
        """In Linux's order; the last three are addresses of bytes on the stack."""
        return [
            _MINSIGSTKSZ, _SIGNAL_STACK, _HWCAP, self.hardware, _PAGESZ, PAGE,
            _CLKTCK, _CLOCK_TICKS, _PHDR, self.table, _PHENT, self.table_entry,
            _PHNUM, self.table_entries, _BASE, self.interpreter, _FLAGS, 0, _ENTRY, self.entry,
            _UID, UID, _EUID, UID, _GID, GID, _EGID, GID, _SECURE, 0, _RANDOM, random,
            _HWCAP2, _FSGSBASE, _EXECFN, path, _PLATFORM, platform, _NULL, 0,
        ]  # fmt: skip


class InitialStack:
    """A stack, laid out.

    pointer: rsp at the start. envp: where the environment lies. vector: the auxiliary one's bytes.
    """

    def __init__(
        self,
        path: str,
        argv: Sequence[bytes],
        envp: Sequence[bytes],
        auxiliary: Auxiliary,
        random: bytes,
    ) -> None:
        name = os.fsencode(path)
        self._texts = (*argv, *envp, name)
        strings = _Strings(STACK_TOP - _WORD)
        execfn = strings.push(name)
        environment = [strings.push(text) for text in reversed(envp)][::-1]
        arguments = [strings.push(text) for text in reversed(argv)][::-1]
        strings.align()
        platform = strings.push(b"x86_64")
        random_at = strings.push(random, end=b"")
        self.vector = _packed(auxiliary.pairs(platform, random_at, execfn))
        words = [len(argv), *arguments, 0, *environment, 0]
        self._data = _packed(words) + self.vector
        self._strings = strings
        self.pointer = (strings.lowest - len(self._data)) & -16
        self.envp = self.pointer + _WORD * (len(argv) + 2)

    def map(self, space: AddressSpace, *, executable: bool) -> None:
        """Maps and writes it, with some room to grow at once. BadElf where it is too large."""
        limit = _limit(space)
        self._check(limit)
        start = max(page_down(self.pointer) - _ROOM, STACK_TOP - limit)
        rights = Rights(read=True, write=True, execute=executable)
        try:
            space.map(start, STACK_TOP - start, rights, "stack")
            UserMemory(space).write(self.pointer, self._data)
            UserMemory(space).write(self._strings.lowest, self._strings.bytes())
        except Errno as error:
            raise BadElf(f"its stack cannot be made: {errno_name(error.number)}") from None

    def _check(self, limit: int) -> None:
        """execve(2), E2BIG."""
        total = sum(len(text) + 1 + _WORD for text in self._texts)
        most = max(limit // 4, _SHORTEST_LIMIT)
        if total > most or any(len(text) >= _LONGEST_STRING for text in self._texts):
            raise BadElf(f"its arguments and environment have {total} bytes: too many")


def _limit(space: AddressSpace) -> int:
    limit = space.limits.stack
    return _DEFAULT_STACK if limit is None else page_down(limit)


def _packed(words: list[int]) -> bytes:
    """A file may claim any address: what does not fit is cut."""
    return struct.pack(f"<{len(words)}Q", *(word & _MASK for word in words))


class _Strings:
    """Bytes that grow down from an address."""

    def __init__(self, top: int) -> None:
        self.lowest = top
        self._parts: list[bytes] = []

    def push(self, text: bytes, end: bytes = b"\0") -> int:
        self._parts.append(text + end)
        self.lowest -= len(text) + len(end)
        return self.lowest

    def align(self) -> None:
        """To 16 bytes."""
        self.push(bytes(self.lowest % 16), end=b"")

    def bytes(self) -> bytes:
        return b"".join(reversed(self._parts))
