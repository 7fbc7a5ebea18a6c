"""One row a system call: how it is decoded, called and shown are all derived from it."""

from __future__ import annotations

from syscalls import kinds as k
from syscalls.brk import brk
from syscalls.file_rows import FILES
from syscalls.mmap import mmap
from syscalls.mprotect import mprotect
from syscalls.munmap import munmap
from syscalls.process_rows import PROCESS, TIME
from syscalls.row import Row
from syscalls.signal_rows import SIGNALS

__all__ = [
    "BY_NAME", "BY_NUMBER", "FILES", "MEMORY", "PROCESS", "ROWS", "SIGNALS", "TIME", "Row",
]  # fmt: skip

MEMORY = (
    Row(9, "mmap", (k.ADDRESS, k.SIZE, k.PROT, k.MAP_FLAGS, k.FD, k.OFFSET), k.ADDRESS, mmap,
        "anonymous private memory"),
    Row(10, "mprotect", (k.ADDRESS, k.SIZE, k.PROT), k.INT, mprotect, "whole"),
    Row(11, "munmap", (k.ADDRESS, k.SIZE), k.INT, munmap, "whole"),
    Row(12, "brk", (k.ADDRESS,), k.ADDRESS, brk, "whole"),
)  # fmt: skip

ROWS: tuple[Row, ...] = (*MEMORY, *FILES, *SIGNALS, *TIME, *PROCESS)
BY_NUMBER = {row.number: row for row in ROWS}
BY_NAME = {row.name: row for row in ROWS}
