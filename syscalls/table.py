"""All rows, one a system call: how it is decoded, called and shown are derived from its row."""

from __future__ import annotations

from syscalls.file_rows import FILES
from syscalls.memory_rows import MEMORY
from syscalls.process_rows import PROCESS
from syscalls.row import Row
from syscalls.signal_rows import SIGNALS
from syscalls.socket_rows import SOCKETS
from syscalls.time_rows import TIME

__all__ = [
    "BY_NAME", "BY_NUMBER", "FILES", "MEMORY", "PROCESS", "ROWS", "SIGNALS", "SOCKETS", "TIME",
]  # fmt: skip

ROWS: tuple[Row, ...] = (*MEMORY, *FILES, *SOCKETS, *SIGNALS, *TIME, *PROCESS)
BY_NUMBER = {row.number: row for row in ROWS}
BY_NAME = {row.name: row for row in ROWS}
