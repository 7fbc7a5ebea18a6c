"""Allocators by name or by file, as images ready to be loaded."""

from __future__ import annotations

from pathlib import Path

from asm import Image
from asm.assembler import assemble_cached
from asm.errors import why
from asm.source import PACKAGE
from emu.allocators.description import Description, contract_of, functions_in
from emu.errors import AllocatorError

ENTRY_POINTS = ("os_malloc", "os_calloc", "os_realloc", "os_free")
ERRNO = "os_errno"
SHIPPED = ("osmem", "indexed")


def find(name: str | Path) -> Image:
    """A shipped allocator, or a `.s` file, assembled; the same file is assembled once.

    AllocatorError where there is none, or where it lacks an entry point; AssemblyError where a
    line of it cannot be assembled.
    """
    image = assemble_cached(_path(name))
    missing = [entry for entry in ENTRY_POINTS if entry not in image.exported]
    if missing:
        raise AllocatorError(
            f"no allocator: {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing",
            str(name),
            expected=f"the global labels {', '.join(ENTRY_POINTS)}",
        )
    return image


def describe(name: str | Path) -> Description:
    """What is known of an allocator. Errors as with `find`."""
    image = find(name)
    prefix, functions = functions_in(image.symbols.__contains__, "os_") or ("", {})
    errno = ERRNO if ERRNO in image.symbols else None
    return Description(str(name), functions, prefix, errno, contract_of(prefix), "assembly")


def _path(name: str | Path) -> Path:
    if str(name) in SHIPPED:
        return PACKAGE / str(name) / f"{name}.s"
    path = Path(name)
    try:
        if str(name) and path.is_dir():
            raise AllocatorError("this is a directory", str(name), expected="a .s file")
        found = bool(str(name)) and path.exists()
    except OSError as error:
        raise AllocatorError(f"cannot be read: {why(error)}", str(name)[:80]) from None
    if not found:
        shipped = ", ".join(SHIPPED)
        raise AllocatorError(
            f"unknown allocator `{name}`", expected=f"a shipped one ({shipped}) or a .s file"
        )
    if path.suffix not in (".s", ".S", ".asm"):
        raise AllocatorError("this is no assembly source", str(name), expected="a .s file")
    return path
