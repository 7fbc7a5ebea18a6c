"""Small guest programs, assembled from strings."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from asm.assembler import assemble
from asm.image import Image
from emu.process.process import Process

Load = Callable[..., Process]
"""The fixture `load`: a source to a process, with the options of Process."""

FIXED = 0x32
"""MAP_PRIVATE, MAP_ANONYMOUS and MAP_FIXED."""

PAGES = f"""
    map:    mov  r10d, {FIXED}                # map(where, size, rights)
            mov  r8, -1
            xor  r9d, r9d
            mov  eax, 9
            syscall
            ret
    protect: mov  eax, 10                   # protect(where, size, rights)
            syscall
            ret
    unmap:  mov  eax, 11                    # unmap(where, size)
            syscall
            ret
    brk:    mov  eax, 12                    # brk(where)
            syscall
            ret
    read:   mov  rax, [rdi]                 # read(where)
            ret
    write:  mov  [rdi], rsi                 # write(where, value)
            ret
    run:    jmp  rdi                        # run(where)
"""
"""A guest that does one thing to a page a call."""

SYS = """
    sys:    mov  rax, rdi                   # sys(number, five arguments; the sixth is 0)
            mov  rdi, rsi
            mov  rsi, rdx
            mov  rdx, rcx
            mov  r10, r8
            mov  r8, r9
            xor  r9d, r9d
            syscall
            ret
"""
"""Any system call."""


@lru_cache(maxsize=256)
def image(source: str) -> Image:
    """A program in Intel syntax; its file is guest.s, and the source begins in line 2."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "guest.s"
        path.write_text(f".intel_syntax noprefix\n{source}\n")
        return assemble(path)


def raw(code: bytes) -> str:
    """Bytes as source: for instructions that the dialect does not let through."""
    return ".byte " + ", ".join(map(hex, code)) if code else ""
