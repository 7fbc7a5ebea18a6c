"""One row a system call: how it is decoded, called and shown are all derived from it."""

from __future__ import annotations

from syscalls import kinds as k
from syscalls.brk import brk
from syscalls.exit import exit_process
from syscalls.mmap import mmap
from syscalls.mprotect import mprotect
from syscalls.munmap import munmap
from syscalls.row import Row
from syscalls.write import write

__all__ = ["BY_NAME", "BY_NUMBER", "ROWS", "Row"]

MEMORY = (
    Row(9, "mmap", (k.ADDRESS, k.SIZE, k.PROT, k.MAP_FLAGS, k.FD, k.OFFSET), k.ADDRESS, mmap,
        "anonymous private memory"),
    Row(10, "mprotect", (k.ADDRESS, k.SIZE, k.PROT), k.INT, mprotect, "whole"),
    Row(11, "munmap", (k.ADDRESS, k.SIZE), k.INT, munmap, "whole"),
    Row(12, "brk", (k.ADDRESS,), k.ADDRESS, brk, "whole"),
)  # fmt: skip
FILES = (
    Row(1, "write", (k.FD, k.BYTES_IN, k.SIZE), k.SIZE, write,
        "to the standard output and error, captured"),
)  # fmt: skip
SIGNALS = ()
TIME = ()
PROCESS = (
    Row(60, "exit", (k.INT,), k.INT, exit_process, "whole"),
    Row(231, "exit_group", (k.INT,), k.INT, exit_process, "whole"),
)

ROWS: tuple[Row, ...] = (*MEMORY, *FILES, *SIGNALS, *TIME, *PROCESS)
BY_NUMBER = {row.number: row for row in ROWS}
BY_NAME = {row.name: row for row in ROWS}
