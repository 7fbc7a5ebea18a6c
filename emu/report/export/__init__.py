"""Traces for the tools of others: one file a format, and the table of them.

Each is a function of a trace and a path, or a stream that is open for writing: text, for drcov
bytes. InputError where the path cannot be written.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from emu.report.export.callgrind import callgrind
from emu.report.export.drcov import drcov
from emu.report.export.lcov import lcov
from emu.report.export.perfetto import perfetto
from emu.report.export.tenet import tenet
from emu.trace.trace import Trace

EXPORTS: dict[str, Callable[[Trace, str | Path | IO[Any]], None]] = {
    "callgrind": callgrind,
    "drcov": drcov,
    "lcov": lcov,
    "perfetto": perfetto,
    "tenet": tenet,
}
OF_REGISTERS = frozenset({"tenet"})
"""Formats that need registers to have been recorded."""
