"""emu build: an allocator for the real machine."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import click

from asm.errors import why
from emu.commands.common import CONTEXT, NAME_OR_PATH
from emu.errors import InputError


@click.command("build", context_settings=CONTEXT)
@click.option(
    "-o",
    "output",
    default="libosmem.so",
    metavar="FILE",
    show_default=True,
    help="A shared library (.so) or an object (.o); osmem.h is written beside it.",
)
@click.option(
    "--allocator",
    default="osmem",
    metavar=NAME_OR_PATH,
    show_default=True,
    help="A shipped allocator, or a .s file with os_malloc and the others.",
)
@click.option(
    "--as-malloc",
    is_flag=True,
    help="Export malloc, calloc, realloc and free as well; a shipped allocator also has "
    "posix_memalign and the others that align. For programs of one thread.",
)
def build_command(output: str, allocator: str, as_malloc: bool) -> None:
    """Make a library of an allocator, as ELF for Linux on x86-64, and its C header.

    The code is what runs in the emulator, byte for byte. It has symbols with types and sizes, and
    lines for gdb. osmem.h says what a program must know.

    \b
    Examples:
        emu build
        gcc program.c -L. -losmem -Wl,-rpath,'$ORIGIN'
        emu build -o osmem.o --allocator indexed
        emu build --as-malloc
        LD_PRELOAD=./libosmem.so ls
    """
    from emu import native

    path = Path(output)
    if path.suffix not in native.BUILDERS or not path.stem:
        raise InputError(
            "neither a library nor an object", output, expected="a name that ends in .so or .o"
        )
    made = native.built(allocator, path.name, as_malloc=as_malloc)
    header = path.parent / native.HEADER
    _keep_others(header, native.MADE)
    _write(path, made)
    _write(header, native.header(allocator).encode())
    click.echo(f"{path}  {len(made)} bytes, of {allocator}")
    click.echo(f"{header}")


def _keep_others(header: Path, made: str) -> None:
    """A header of the same name that somebody wrote is not replaced."""
    with contextlib.suppress(OSError):
        if not header.read_bytes().startswith(made.encode()):
            raise InputError("another header is there already", str(header), expected="none")


def _write(path: Path, data: bytes) -> None:
    """As a new file: a program that has loaded the old one goes on with it."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        new.write_bytes(data)
        new.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            new.unlink()
        raise InputError(f"cannot be written: {why(error)}", str(path)) from None
