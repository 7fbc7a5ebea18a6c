"""Allocators in assembly, shipped or a person's own, as images ready to be loaded."""

from __future__ import annotations

from pathlib import Path

from asm import Image
from asm.assembler import BASE, assemble_cached
from asm.errors import why
from asm.source import PACKAGE
from emu.allocators.choice import Choice
from emu.allocators.description import Description, described, lacking
from emu.allocators.files import EXPECTED, Kind, is_source
from emu.errors import AllocatorError
from syscalls.abi import MMAP_BASE, MMAP_MIN_ADDR, PAGE, page_up

ENTRY_POINTS = ("os_malloc", "os_calloc", "os_realloc", "os_free")
ERRNO = "os_errno"
SHIPPED = ("osmem", "indexed")
_ASSEMBLY = "a .s file"


def find(name: str | Path) -> Image:
    """A shipped allocator, or a `.s` file, assembled; the same file is assembled once.

    AllocatorError where there is none, or where it lacks one of osmem's entry points;
    AssemblyError where a line of it cannot be assembled.
    """
    image = assemble_cached(_source(str(name)))
    missing = [entry for entry in ENTRY_POINTS if entry not in image.exported]
    if missing:
        raise lacking(missing, str(name), f"the global labels {', '.join(ENTRY_POINTS)}")
    return image


def assembled(choice: Choice) -> tuple[Image, Description]:
    """An image with any allocator's functions, and what is known of it. Errors as with `find`."""
    path = _source(choice.name)
    image = assemble_cached(path)
    if choice.cflags:
        raise AllocatorError(
            "this is assembly, and no compiler sees it", f"--cflags {choice.cflags}"
        )
    if choice.heap_start is not None:
        image = assemble_cached(path, _base_below(choice.heap_start, page_up(image.end) - BASE))
    errno = image.symbols[ERRNO] if ERRNO in image.exported else None
    return image, described(choice, image.exported, Kind.ASSEMBLY, errno)


def _base_below(heap_start: int, size: int) -> int:
    """Where an image of so many bytes begins, so that the heap can begin behind it."""
    lowest, highest = MMAP_MIN_ADDR + size, MMAP_BASE - PAGE
    if heap_start % PAGE or not lowest <= heap_start <= highest:
        what = "begins on a page" if heap_start % PAGE else "and its image cannot lie there"
        raise AllocatorError(
            f"a heap {what}",
            f"--heap-start {heap_start:#x}",
            expected=f"a multiple of {PAGE:#x} from {lowest:#x} to {highest:#x}",
        )
    return heap_start - size


def path_of(name: str, expected: str = EXPECTED) -> Path:
    """Where the source of a shipped allocator is; any other name is a path of what is there.

    expected: what else may be there, for the message of an AllocatorError.
    """
    if name in SHIPPED:
        return PACKAGE / name / f"{name}.s"
    path = Path(name)
    try:
        if name and path.is_dir():
            raise AllocatorError("this is a directory", name, expected=expected)
        found = bool(name) and path.exists()
    except (OSError, ValueError) as error:
        reason = why(error) if isinstance(error, OSError) else str(error)
        raise AllocatorError(f"cannot be read: {reason}", name[:80]) from None
    if not found:
        known = f"a shipped one ({', '.join(SHIPPED)}), {expected}"
        raise AllocatorError(f"unknown allocator `{name}`", expected=known)
    return path


def _source(name: str) -> Path:
    path = path_of(name, _ASSEMBLY)
    if name not in SHIPPED and is_source(path) is not Kind.ASSEMBLY:
        raise AllocatorError("this is no assembly source", name, expected=_ASSEMBLY)
    return path
