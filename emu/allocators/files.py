"""What a file is that shall be an allocator: a source by its name, anything else by its bytes."""

from __future__ import annotations

import io
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from asm.errors import why
from emu.errors import AllocatorError


class Kind(StrEnum):
    """What an allocator may come as."""

    ASSEMBLY = "assembly"
    C = "C source"
    OBJECT = "object"
    ARCHIVE = "archive"
    PROGRAM = "program"
    LIBRARY = "shared library"


EXPECTED = "a .s or .c file, an object, an archive, a program or a shared library"
_SOURCES = {".s": Kind.ASSEMBLY, ".S": Kind.ASSEMBLY, ".asm": Kind.ASSEMBLY, ".c": Kind.C}
_ARCHIVES = (b"!<arch>\n", b"!<thin>\n")
_ELF = b"\x7fELF"
_HEAD = 64
_MUSL = ("libc.so", "libc.musl-x86_64.so.1")


@dataclass(frozen=True)
class Linking:
    """How an ELF file is linked. interpreter: who loads it. needed: the libraries it names."""

    interpreter: str | None = None
    needed: tuple[str, ...] = ()
    is_libc: bool = False

    @property
    def for_musl(self) -> bool:
        """Whether it is musl, or wants it."""
        return self.is_libc or any(name in _MUSL for name in self.needed)


def is_source(path: Path) -> Kind | None:
    """What a file is by its name; None where that says nothing."""
    return _SOURCES.get(path.suffix)


def kind_of(path: Path, name: str) -> Kind:
    """What a file is. AllocatorError where it is nothing of use. name: as the person has it."""
    source = is_source(path)
    if source is not None:
        return source
    data = contents(path, name)
    if data.startswith(_ARCHIVES):
        return Kind.ARCHIVE
    if not data.startswith(_ELF):
        raise AllocatorError("this is no allocator", name, expected=EXPECTED)
    return _kind_of_elf(data, name)


def contents(path: Path, name: str) -> bytes:
    """Its bytes. AllocatorError where they cannot be read."""
    try:
        if not path.is_file():
            raise AllocatorError("this is no regular file", name, expected=EXPECTED)
        return path.read_bytes()
    except OSError as error:
        raise AllocatorError(f"cannot be read: {why(error)}", name) from None


def linking_of(data: bytes, name: str) -> Linking:
    """Of an executable or a shared library."""
    try:
        return _linking(_opened(data))
    except _broken():
        raise AllocatorError("this ELF file is broken", name) from None


def _kind_of_elf(data: bytes, name: str) -> Kind:
    try:
        file = _opened(data)
        machine, wide = file.get_machine_arch(), file.elfclass == 64
        if not wide or machine != "x64":
            what = f"{machine}, {file.elfclass} bits"
            raise AllocatorError(f"this ELF file is for another machine: {what}", name,
                                 expected="x86-64")  # fmt: skip
        kind = file["e_type"]
        if kind == "ET_REL":
            return Kind.OBJECT
        if kind == "ET_EXEC":
            return Kind.PROGRAM
        if kind == "ET_DYN":
            return Kind.PROGRAM if _is_program(file) else Kind.LIBRARY
    except _broken():
        raise AllocatorError("this ELF file is broken", name) from None
    raise AllocatorError("this ELF file is no object, program or library", name, expected=EXPECTED)


def _is_program(file: Any) -> bool:
    """A position-independent one: the linker says so; a library may have an interpreter, too."""
    tags = {tag.entry.d_tag: tag for tag in _dynamic(file)}
    flags = tags["DT_FLAGS_1"].entry.d_val if "DT_FLAGS_1" in tags else 0
    if flags & _DF_1_PIE:
        return True
    return "DT_SONAME" not in tags and _interpreter(file) is not None


_DF_1_PIE = 0x0800_0000


def _linking(file: Any) -> Linking:
    needed = tuple(tag.needed for tag in _dynamic(file) if tag.entry.d_tag == "DT_NEEDED")
    interpreter = _interpreter(file)
    symbols = file.get_section_by_name(".dynsym")
    is_libc = interpreter is None and symbols is not None and _defines(symbols, _STARTS_MAIN)
    return Linking(interpreter, needed, is_libc)


_STARTS_MAIN = "__libc_start_main"


def _defines(symbols: Any, name: str) -> bool:
    found = symbols.get_symbol_by_name(name) or []
    return any(symbol["st_shndx"] != "SHN_UNDEF" for symbol in found)


def _dynamic(file: Any) -> list[Any]:
    segments = file.iter_segments("PT_DYNAMIC")
    return [tag for segment in segments for tag in segment.iter_tags()]


def _interpreter(file: Any) -> str | None:
    segments = file.iter_segments("PT_INTERP")
    return next((str(segment.get_interp_name()) for segment in segments), None)


def _opened(data: bytes) -> Any:
    from elftools.elf.elffile import ELFFile

    if len(data) < _HEAD:
        raise ValueError("no header")
    return ELFFile(io.BytesIO(data))


def _broken() -> tuple[type[Exception], ...]:
    """What a damaged file raises."""
    from elftools.common.exceptions import ELFError

    return (
        ELFError, ValueError, ArithmeticError, LookupError, AttributeError, TypeError,
        AssertionError, MemoryError,
    )  # fmt: skip
