"""Instructions of every set that CPUID may show, run on operands by the emulated CPU and by ours.

One piece of machine code is run by both: for each instruction, for each set of operands, registers
and flags are loaded, the instruction is called, and what it left is stored.
"""

from __future__ import annotations

import struct
import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

OPERANDS, RESULT = 128, 176
"""Bytes of a set of operands: xmm0 to xmm2, rax, rbx, rcx, rdx, flags, and 32 bytes of memory from
96 on; of a result: the same, with mxcsr at 88, and mm0, mm1 from 128 on."""
FLAGS = 0x8D5
"""Carry, parity, adjust, zero, sign, overflow."""

_WRAPPER = """
.intel_syntax noprefix
.globl compute
base:
compute:                        # compute(case, operands, count, results)
        push    rbx
        push    rbp
        push    r12
        push    r13
        push    r14
        push    r15
        lea     r11, [rip + table]
        mov     r12d, dword ptr [r11 + rdi*4]
        lea     r11, [rip + base]
        add     r12, r11
        mov     r13, rsi
        mov     r14, rdx
        mov     r15, rcx
        sub     rsp, 24
next:   movups  xmm0, [r13 + 96]
        movups  xmm1, [r13 + 112]
        movups  [r15 + 96], xmm0
        movups  [r15 + 112], xmm1
        lea     r10, [r15 + 96]
        mov     dword ptr [rsp], 0x1f80
        ldmxcsr [rsp]
        fninit
        movq    mm0, [r13]
        movq    mm1, [r13 + 16]
        movups  xmm0, [r13]
        movups  xmm1, [r13 + 16]
        movups  xmm2, [r13 + 32]
        mov     rax, [r13 + 48]
        mov     rbx, [r13 + 56]
        mov     rcx, [r13 + 64]
        mov     rdx, [r13 + 72]
        push    qword ptr [r13 + 80]
        popfq
        call    r12
        pushfq
        pop     qword ptr [r15 + 80]
        movups  [r15], xmm0
        movups  [r15 + 16], xmm1
        movups  [r15 + 32], xmm2
        mov     [r15 + 48], rax
        mov     [r15 + 56], rbx
        mov     [r15 + 64], rcx
        mov     [r15 + 72], rdx
        stmxcsr [rsp]
        mov     eax, [rsp]
        mov     [r15 + 88], rax
        movq    [r15 + 128], mm0
        movq    [r15 + 136], mm1
        emms
        add     r13, 128
        add     r15, 176
        dec     r14
        jnz     next
        add     rsp, 24
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     rbp
        pop     rbx
        ret
"""

_MAIN = """
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
extern void compute(long, char *, long, char *);
int main(int argc, char **argv) {
    long cases = atol(argv[1]), count = atol(argv[2]);
    char *in = aligned_alloc(64, count * 128 + 64), *out = aligned_alloc(64, count * 192);
    if (fread(in, 128, count, stdin) != count)
        return 1;
    for (long i = 0; i < cases; i++) {
        memset(out, 0, count * 176);
        compute(i, in, count, out);
        fwrite(out, 176, count, stdout);
    }
}
"""

_FOLDER = TemporaryDirectory()


@cache
def assembled(cases: tuple[str, ...]) -> tuple[bytes, Path]:
    """The code, `compute` at its beginning; and a program of it, for this machine's CPU."""
    folder = Path(_FOLDER.name)
    bodies = "".join(f"case{i}: {text}\nret\n" for i, text in enumerate(cases))
    table = "".join(f".long case{i} - base\n" for i in range(len(cases)))
    source = f"{_WRAPPER}{bodies}.p2align 2\ntable: {table}.section .note.GNU-stack\n"
    (folder / "compute.s").write_text(source)
    (folder / "main.c").write_text(_MAIN)
    _run("as", "-o", folder / "compute.o", folder / "compute.s")
    _run("objcopy", "-O", "binary", "-j", ".text", folder / "compute.o", folder / "compute.bin")
    _run("gcc", "-O1", "-o", folder / "compute", folder / "main.c", folder / "compute.o")
    return (folder / "compute.bin").read_bytes(), folder / "compute"


def native(cases: tuple[str, ...], operands: bytes) -> list[bytes]:
    """The results of each case, by this machine's CPU."""
    count = len(operands) // OPERANDS
    _, program = assembled(cases)
    done = subprocess.run(
        [program, str(len(cases)), str(count)], input=operands, capture_output=True, check=True
    )
    size = count * RESULT
    return [done.stdout[i * size : (i + 1) * size] for i in range(len(cases))]


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True, capture_output=True)


def shown(record: bytes) -> str:
    """Operands or a result, for people."""
    x = record[:48].hex(" ", -16)
    words = " ".join(f"{word:x}" for word in struct.unpack_from("<6Q", record, 48))
    return f"xmm {x} regs {words} memory {record[96:].hex(' ', -8)}"
