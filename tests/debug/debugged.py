"""Programs to debug, made by two assemblers: ours for the guest, GNU's for gdb."""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from asm.assembler import assemble
from asm.image import Image

PROGRAM = """
main:   mov     ecx, 3
        lea     rbx, [rip + total]
again:  call    add_one
        dec     ecx
        jnz     again
        mov     eax, 9                  # mmap
        xor     edi, edi
        mov     esi, 4096
        mov     edx, 3
        mov     r10d, 0x22
        mov     r8, -1
        xor     r9d, r9d
        syscall
        mov     qword ptr [rax], 0x1234
mapped: mov     rdx, [rbx]
        mov     edi, 42
        mov     eax, 60                 # exit
        syscall
add_one: mov    rax, [rbx]
        inc     rax
        mov     [rbx], rax
        ret
        .data
total:  .quad   7
"""
"""Adds three times 1 to 7, maps a page, writes to it, and ends itself with 42."""

FAULT = "main:   mov     eax, 0x666\ncrash:  mov     rdx, [rax]\n        .data\nx: .quad 0\n"
STORE = "main:   fst     qword ptr [rip + x]\n        .data\nx: .quad 0\n"
ENDLESS = "main:   inc     rax\n        jmp     main\n        .data\nx: .quad 0\n"


@dataclass(frozen=True)
class Program:
    """image: for the guest. elf: the same, with symbols and lines, for gdb."""

    image: Image
    elf: bytes


@cache
def assembled(source: str) -> Program:
    """Both assemblers' work; they have to agree to the byte."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "guest.s").write_text(f".intel_syntax noprefix\n.text\n{source}")
        image = assemble(folder / "guest.s")
        places = [f"--section-start=.{part.name}={part.address:#x}" for part in image.segments]
        _run(folder, "as", "--64", "-g", "-o", "guest.o", "guest.s")
        entry = f"{image.symbols['main']:#x}"
        _run(folder, "ld", "-e", entry, *places, "-o", "guest", "guest.o")
        for part in image.segments:
            _run(folder, "objcopy", "-O", "binary", "-j", f".{part.name}", "guest", "part")
            assert (folder / "part").read_bytes() == part.data
        return Program(image, (folder / "guest").read_bytes())


@cache
def anywhere(source: str) -> bytes:
    """The same program as a position-independent ELF file."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "guest.s").write_text(f".intel_syntax noprefix\n.text\n{source}")
        _run(folder, "as", "--64", "-o", "guest.o", "guest.s")
        _run(folder, "ld", "-pie", "-e", "0x1000", "--section-start=.text=0x1000",
             "-o", "guest", "guest.o")  # fmt: skip
        return (folder / "guest").read_bytes()


def _run(folder: Path, *command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, cwd=folder)
