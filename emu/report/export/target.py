"""Where an export goes: to a file, or into a stream."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

from asm.errors import why
from emu.errors import InputError

Target = str | Path | IO[Any]


def write_lines(lines: Iterable[str], target: Target) -> None:
    """Lines of text, in UTF-8. InputError where a file cannot be written."""
    if not isinstance(target, str | Path):
        target.writelines(f"{line}\n" for line in lines)
        return
    try:
        with Path(target).open("w", encoding="utf-8", errors="replace", newline="\n") as stream:
            stream.writelines(f"{line}\n" for line in lines)
    except OSError as error:
        raise InputError(f"cannot be written: {why(error)}", str(target)) from None


def write_bytes(data: bytes, target: Target) -> None:
    """Bytes, likewise."""
    if not isinstance(target, str | Path):
        target.write(data)
        return
    try:
        Path(target).write_bytes(data)
    except OSError as error:
        raise InputError(f"cannot be written: {why(error)}", str(target)) from None
