"""The memory map as Linux prints it: proc_pid_maps(5)."""

from __future__ import annotations

from emu.debug.target import Mapping, Target

_COLUMN = 73
"""Where Linux lets names begin."""


def maps_text(target: Target) -> str:
    """A line for each mapping."""
    return "".join(f"{_line(mapping)}\n" for mapping in target.memory_map())


def _line(mapping: Mapping) -> str:
    numbers = f"{mapping.start:08x}-{mapping.end:08x} {mapping.rights}p 00000000 00:00 0"
    return f"{numbers:<{_COLUMN}}{mapping.name}".rstrip()
