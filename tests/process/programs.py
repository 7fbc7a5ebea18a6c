"""Random programs whose instructions are counted, and two who count them: an engine, a CPU."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path

import guests
import unicorn
from hypothesis import strategies as st
from unicorn import x86_const as x86

from asm.assembler import BASE

Piece = Callable[[Callable[[], int]], str]
"""A piece of a program, given where new labels' numbers come from."""

_STACK, _SENTINEL = 0x20_0000, 0x30_0000


def _straight(length: int) -> Piece:
    return lambda new: "\n".join(
        ("add rax, rbx", "xor edx, 3", "nop")[i % 3] for i in range(length)
    )


def _loop(turns: int, body: Piece) -> Piece:
    def text(new: Callable[[], int]) -> str:
        label = f".Lturn{new()}"
        return f"push {turns}\n{label}:\n{body(new)}\ndec qword ptr [rsp]\njnz {label}\npop rax"

    return text


def _call(body: Piece) -> Piece:
    def text(new: Callable[[], int]) -> str:
        n = new()
        return f"call .Lsub{n}\njmp .Lover{n}\n.Lsub{n}:\n{body(new)}\nret\n.Lover{n}:"

    return text


def _branch(taken: bool, body: Piece) -> Piece:
    def text(new: Callable[[], int]) -> str:
        label = f".Lpast{new()}"
        return f"mov eax, {int(taken)}\ntest eax, eax\njnz {label}\n{body(new)}\n{label}:"

    return text


def repeated(instruction: str, times: int) -> str:
    return (
        f"mov ecx, {times}\nlea rdi, [rip + buffer]\nlea rsi, [rip + buffer]\nxor eax, eax\n"
        f"{instruction}"
    )


def _together(pieces: list[Piece]) -> Piece:
    return lambda new: "\n".join(piece(new) for piece in pieces)


_REPEATED = ("rep movsb", "rep movsq", "rep stosb", "rep stosq", "rep lodsb", "repe cmpsb",
             "repne scasb")  # fmt: skip
_STRAIGHT = st.integers(0, 12).map(_straight)
_LONG = st.integers(500, 1100).map(_straight)
"""More than the 512 instructions that the translator takes into a block."""
_SYSCALL: st.SearchStrategy[Piece] = st.just(lambda new: "mov eax, 999\nsyscall")
_REP: st.SearchStrategy[Piece] = st.tuples(
    st.sampled_from(_REPEATED), st.sampled_from((0, 1, 2, 7, 40))
).map(lambda chosen: lambda new: repeated(*chosen))


def pieces(*leaves: st.SearchStrategy[Piece]) -> st.SearchStrategy[Piece]:
    nested = st.recursive(
        st.one_of(_STRAIGHT, *leaves),
        lambda inner: st.one_of(
            st.builds(_loop, st.integers(1, 4), inner),
            st.builds(_call, inner),
            st.builds(_branch, st.booleans(), inner),
            st.lists(inner, min_size=1, max_size=4).map(_together),
        ),
        max_leaves=5,
    )
    return st.lists(st.one_of(nested, nested, _LONG), min_size=1, max_size=4).map(_together)


def program(body: Piece, ending: str, room: int = 512) -> str:
    numbers = count()
    text = body(lambda: next(numbers))
    return f"f:\n{text}\n{ending}\n.data\nbuffer: .zero {room}\n"


FAULTS = (
    "xor r11d, r11d\nnop\nmov rax, [r11]\nnop\nret",
    "nop\nud2\nret",
    "xor ecx, ecx\ndiv ecx\nret",
    "xor r11d, r11d\nnop\njmp r11",
    "xor edi, edi\nmov ecx, 5\nrep stosb\nret",
    "lea rdi, [rip + buffer]\nmov ecx, 8192\nrep stosb\nret",
)
returning = st.builds(program, pieces(_SYSCALL, _REP), st.just("ret"))
faulting = st.builds(program, pieces(_SYSCALL, _REP), st.sampled_from(FAULTS))
without_rep = st.builds(program, pieces(_SYSCALL), st.just("ret"))


def trace(source: str) -> list[int]:
    """The address of every instruction begun, by a hook on a plain engine in its default mode."""
    engine = unicorn.Uc(unicorn.UC_ARCH_X86, unicorn.UC_MODE_64)
    image = guests.image(source)
    for segment in image.segments:
        rights = unicorn.UC_PROT_READ
        rights |= unicorn.UC_PROT_WRITE if segment.writable else unicorn.UC_PROT_EXEC
        engine.mem_map(segment.address, (len(segment.data) + 4095) & -4096, rights)
        engine.mem_write(segment.address, segment.data)
    engine.mem_map(_STACK, 0x1_0000)
    engine.mem_map(_SENTINEL, 0x1000)
    engine.mem_write(_SENTINEL, b"\xf4")
    engine.mem_write(_STACK + 0x8000, _SENTINEL.to_bytes(8, "little"))
    engine.reg_write(x86.UC_X86_REG_RSP, _STACK + 0x8000)
    engine.reg_write(x86.UC_X86_REG_MXCSR, 0x1F80)
    begun: list[int] = []

    def instruction(engine: unicorn.Uc, address: int, size: int, _: object) -> None:
        begun.append(address)

    def syscall(engine: unicorn.Uc, _: object) -> None:
        engine.reg_write(x86.UC_X86_REG_RAX, -38)

    def interrupt(engine: unicorn.Uc, number: int, _: object) -> None:
        engine.emu_stop()

    engine.hook_add(unicorn.UC_HOOK_CODE, instruction, begin=BASE, end=image.end)
    engine.hook_add(unicorn.UC_HOOK_INTR, interrupt)
    engine.hook_add(unicorn.UC_HOOK_INSN, syscall, None, 1, 0, x86.UC_X86_INS_SYSCALL)
    with suppress(unicorn.UcError):
        engine.emu_start(image.symbols["f"], 0)
    return begun


_TRACER = r"""
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

/* Single-steps a program; prints how many steps began at an address in [from, to). */
int main(int argc, char **argv) {
    unsigned long long from = strtoull(argv[2], 0, 16), to = strtoull(argv[3], 0, 16), steps = 0;
    struct user_regs_struct registers;
    int status;
    pid_t child = fork();
    if (!child) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        execl(argv[1], argv[1], (char *)0);
        _exit(127);
    }
    for (waitpid(child, &status, 0); WIFSTOPPED(status); waitpid(child, &status, 0)) {
        if (WSTOPSIG(status) != 5 || ptrace(PTRACE_GETREGS, child, 0, &registers))
            return 2;
        steps += registers.rip >= from && registers.rip < to;
        ptrace(PTRACE_SINGLESTEP, child, 0, 0);
    }
    printf("%llu\n", steps);
    return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}
"""
_START = "_start: call f\nmov eax, 60\nxor edi, edi\nsyscall\n"
_GUEST, _END = 0x50_0000, 0x58_0000


def build_tracer(folder: Path) -> Path:
    """What counts instructions on the machine's own CPU."""
    (folder / "tracer.c").write_text(_TRACER)
    _run("gcc", "-O1", "-o", str(folder / "tracer"), str(folder / "tracer.c"))
    return folder / "tracer"


def steps(tracer: Path, source: str) -> int:
    """How many single steps the program's `f` takes on the machine's own CPU."""
    folder = tracer.parent
    (folder / "native.s").write_text(
        f'.intel_syntax noprefix\n.globl _start\n{_START}\n.section .guest, "ax"\n{source}'
    )
    _run("as", "-o", str(folder / "native.o"), str(folder / "native.s"))
    place = f"--section-start=.guest={_GUEST:#x}"
    _run("ld", "-e", "_start", place, "-o", str(folder / "native"), str(folder / "native.o"))
    return int(_run(str(tracer), str(folder / "native"), f"{_GUEST:x}", f"{_END:x}"))


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
