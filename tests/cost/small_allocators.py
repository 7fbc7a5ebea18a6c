"""Small allocators for benches, as source: each does one thing that can be counted by hand."""

from __future__ import annotations

from pathlib import Path

BUMP = """
        .intel_syntax noprefix
        .globl  os_malloc
        .globl  os_calloc
        .globl  os_realloc
        .globl  os_free
        .text

# Gives memory behind what it gave before, each time from brk, and takes none back.
os_malloc:
        mov     rax, [rip + next]
        test    rax, rax
        jnz     .Lready
        push    rdi
        xor     edi, edi
        mov     eax, 12
        syscall
        pop     rdi
.Lready:
        push    rax
        add     rdi, 15
        and     rdi, 0xfffffffffffffff0
        add     rdi, rax
        mov     [rip + next], rdi
        mov     eax, 12
        syscall
        pop     rax
        ret

os_calloc:
        imul    rdi, rsi
        jmp     os_malloc

os_realloc:
        mov     rdi, rsi
        jmp     os_malloc

os_free:
        ret

        .data
        .p2align 3
next:   .quad   0
"""

READER = """
        .intel_syntax noprefix
        .globl  os_malloc
        .globl  os_calloc
        .globl  os_realloc
        .globl  os_free
        .text

# os_malloc(n) reads n words that follow each other, and gives nothing.
os_malloc:
        lea     rsi, [rip + words]
        mov     rcx, rdi
.Lturn: mov     rax, [rsi]
        add     rsi, 8
        dec     rcx
        jnz     .Lturn
        xor     eax, eax
        ret

# os_calloc(n, size) writes a word of 8 bytes across a cache line, and one across a page.
os_calloc:
        lea     rsi, [rip + words]
        mov     [rsi + 60], rdi
        mov     [rsi + 4092], rdi
        xor     eax, eax
        ret

# os_realloc(p, n) clears n words by rep, and copies 3 by a function.
os_realloc:
        lea     rdi, [rip + words]
        mov     rcx, rsi
        xor     eax, eax
        rep stosq
        call    memcpy
        ret

memcpy: mov     rax, [rip + words]
        mov     [rip + words + 8], rax
        ret

os_free:
        ret

        .data
        .p2align 12
words:  .zero   1048576
"""

TWICE = """
        .intel_syntax noprefix
        .globl  os_malloc
        .globl  os_calloc
        .globl  os_realloc
        .globl  os_free
        .text

# Gives the same block again and again.
os_malloc:
os_calloc:
os_realloc:
        lea     rax, [rip + block]
        ret
os_free:
        xor     ebx, ebx
        ret

        .data
        .p2align 4
block:  .zero   4096
"""

RESERVING = """
        .intel_syntax noprefix
        .globl  os_malloc
        .globl  os_calloc
        .globl  os_realloc
        .globl  os_free
        .text

# os_malloc(n) maps 1 MiB without rights, and then allows the first n bytes of it.
os_malloc:
        push    rdi
        xor     edi, edi
        mov     esi, 0x100000
        xor     edx, edx
        mov     r10d, 0x22
        mov     r8, -1
        xor     r9d, r9d
        mov     eax, 9
        syscall
        pop     rsi
        mov     rdi, rax
        push    rax
        mov     edx, 3
        mov     eax, 10
        syscall
        pop     rax
        ret

os_calloc:
os_realloc:
        xor     eax, eax
        ret

# os_free(p) gives the whole of it back.
os_free:
        mov     esi, 0x100000
        mov     eax, 11
        syscall
        ret
"""

DEADLY = BUMP.replace(
    "os_free:\n        ret", "os_free:\n        mov     rax, [rdi + 0x40000000]\n"
)


def written(source: str, folder: Path, name: str = "mine.s") -> Path:
    """A file for --allocator."""
    path = folder / name
    path.write_text(source)
    return path
