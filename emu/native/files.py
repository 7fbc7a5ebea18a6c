"""What `emu build` writes, as bytes and text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from asm import Image, assemble, elf
from asm.source import PACKAGE, shown
from emu import allocators
from emu.debug.unwind import frames

HEADER = "osmem.h"
MADE = "/* osmem.h, made by `emu build`"
"""How a header of ours begins."""
AS_MALLOC = {
    name: f"os_{name}"
    for name in "malloc calloc realloc free aligned_alloc memalign posix_memalign valloc pvalloc "
    "malloc_usable_size".split()
}
"""The C library's names, and what takes their place where an allocator has it."""

BUILDERS: Mapping[str, Callable[[elf.Make, str], bytes]] = {
    ".so": lambda make, name: elf.library(make, frames, name),
    ".o": lambda make, _: elf.relocatable(make, frames),
}
"""How a file is made, by the end of its name."""

_HERE = Path(__file__).parent


def built(allocator: str | Path, name: str, *, as_malloc: bool = False) -> bytes:
    """The file `name`, which ends in .so or .o: an allocator for the host's processor and kernel.

    as_malloc: it is known by the C library's names as well; a shipped one has more of them then.
    AllocatorError and AssemblyError as `allocators.find` says; AssemblyError also for an address
    that cannot be moved.
    """
    source = allocators.find(_in_mallocs_place(allocator) if as_malloc else allocator).source

    def make(base: int, apart: int) -> Image:
        image = assemble(source, base, apart)
        return _renamed(image) if as_malloc else image

    return BUILDERS[Path(name).suffix](make, name)


def _in_mallocs_place(allocator: str | Path) -> str | Path:
    """A shipped allocator with the rest of the family (asm/malloc); any other as it is."""
    shipped = str(allocator) in allocators.SHIPPED
    return PACKAGE / "malloc" / f"{allocator}.s" if shipped else allocator


def _renamed(image: Image) -> Image:
    exported = {name: ours for name, ours in AS_MALLOC.items() if ours in image.exported}
    again = {name: image.symbols[ours] for name, ours in exported.items()}
    return replace(image, symbols=again | dict(image.symbols), exported=image.exported | set(again))


def header(allocator: str | Path) -> str:
    """osmem.h: the functions that every allocator has, and what a C program must know of them."""
    image = allocators.find(allocator)
    variable = "osmem_errno.h" if allocators.ERRNO in image.exported else None
    text = (_HERE / HEADER).read_text(encoding="utf-8")
    declared = (_HERE / variable).read_text(encoding="utf-8") + "\n" if variable else ""
    return text.replace("@source@", shown(image.source)).replace("@os_errno@\n", declared)
