"""_exit(2), exit_group(2): the process ends, with the low eight bits of the status."""

from __future__ import annotations

from typing import NoReturn

from syscalls.context import Context
from syscalls.ending import ProcessExit


def exit_process(context: Context, status: int) -> NoReturn:
    raise ProcessExit(status & 0xFF)
