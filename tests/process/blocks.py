"""Random straight-line code with accesses that must be aligned; and a program that runs it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from hypothesis import strategies as st

_REGISTERS = "rax rcx rdx rbx rbp rsi rdi r8 r9 r13 r15".split()
_SMALL = {"rax": "eax al ax", "rcx": "ecx cl cx", "rdi": "edi dil di", "r9": "r9d r9b r9w"}
_ROOM = 1 << 20
_FAR = 0x1234_5000_0000
"""Where registers point to: so that wild addresses, made of those, hit nothing of the program's."""

_register = st.sampled_from(_REGISTERS)
_often = st.sampled_from((0, 16, 32, 48, -16, 64, 128))
_number = st.one_of(_often, _often, _often, st.integers(-40, 40))
_part = st.sampled_from(sorted(_SMALL)).flatmap(lambda name: st.sampled_from(_SMALL[name].split()))
_long_part = st.sampled_from([parts.split()[0] for parts in _SMALL.values()])


def _line(text: str, *parts: st.SearchStrategy[object]) -> st.SearchStrategy[str]:
    return st.tuples(*parts).map(lambda values: text.format(*values))


_place = st.one_of(
    _line("[{} + {}]", _register, _number),
    _line("[{} + {}]", _register, _number),
    _line("[rsp + {}]", _number),
    _line("[rip + room + {}]", _number),
    _line("[{} + {}*8 + {}]", _register, _register, _number),
    _line("[{} + {}]", _long_part, _number),
)
_access = st.one_of(
    _line("movaps xmm{}, {}", st.integers(0, 15), _place),
    _line("movdqa {}, xmm1", _place),
    _line("paddd xmm2, {}", _place),
    _line("movups xmm3, {}", _place),
)
_plain = st.one_of(
    _line("{} {}, {}", st.sampled_from(("add", "sub", "and", "or", "xor")), _register, _number),
    _line("{} {}, {}", st.sampled_from(("add", "sub", "mov", "xchg")), _register, _register),
    _line("{} {}, {}", st.sampled_from(("add", "mov", "or", "xor")), _long_part, _long_part),
    _line("{} {}", st.sampled_from(("inc", "dec", "neg", "not")), _register),
    _line("lea {}, [{} + {}]", _register, _register, _number),
    _line("lea {}, [rip + room + {}]", _register, _number),
    _line("lea {}, [{} + {}*4]", _register, _register, _register),
    _line("shl {}, {}", _register, st.integers(0, 5)),
    _line("imul {}, {}, {}", _register, _register, _number),
    _line("mov {}, {}", _part, st.integers(0, 100)),
    _line("movsxd {}, {}", _register, _long_part),
    _line("movzx {}, {}", st.sampled_from(("eax", "ecx")), st.sampled_from(("al", "ah", "cl"))),
    _line("mov {}, [rip + room + {}]", _register, _number),
    _line("push {}", _register),
    _line("pop {}", _register),
    st.just("sub rsp, 8"),
    st.just("and rsp, -16"),
    st.just("bswap rcx"),
    st.just("cqo"),
    _line("mul {}", _register),
    _line("xadd {}, {}", _register, _register),
    _line("test {0}, {0}\ncmovz {1}, {0}", _register, _register),
    _line("cmpxchg {}, {}", _register, _register),
)
_CHANGES = (
    "add {0}, 8", "sub {0}, {2}", "xor {0}, {0}\nadd {0}, {1}", "mov {0}, {1}", "neg {0}",
    "not {0}\ninc {0}", "dec {0}\nor {0}, 15\ninc {0}", "and {0}, -16", "lea {0}, [{1} + {2}]",
    "push 0\nlea {0}, [rsp + 8]", "mov {0}, rsp\npop {1}\nmov {0}, rsp", "xchg {0}, {1}",
    "lea {0}, [{1} + 8]\npush {0}\npop {1}", "imul {1}, {1}, 0\nadd {0}, {1}", "mov {0}, 16\n"
    "imul {0}, {1}\nand {0}, 0xff0\nadd {0}, {1}", "cmpxchg {1}, {0}", "bswap rcx\nbswap rcx",
    "movsxd {1}, {3}\nlea {0}, [{0} + {1}*8]\nlea {0}, [{0} + {1}*8]", "mov cl, 0\nadd {0}, rcx",
)  # fmt: skip
_pair = st.sampled_from(_CHANGES).flatmap(
    lambda change: _line(
        f"{change}\nmovaps xmm4, [{{0}} + {{2}}]", _register, _register, _number, _long_part
    )
)
"""A register is changed, and used."""
_piece = st.one_of(_plain, _access, _pair)
blocks = st.lists(_piece, min_size=1, max_size=25).map("\n".join)
"""Ends by itself; registers point into a room, some of them not to a multiple of 16."""

_CASE = """
case{number}:
push rbx; push rbp; push r12; push r13; push r14; push r15
mov [rip + saved], rsp
{start}
movabs rsp, {stack}
jmp .Lbody{number}
.Lbody{number}:
{body}
.globl end{number}
mov rsp, [rip + saved]
pop r15; pop r14; pop r13; pop r12; pop rbp; pop rbx
ret
"""
_MAIN = r"""
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>
static sigjmp_buf out;
static volatile long place, i, turn;
extern char room[];
extern void (*const cases[])(void);
extern const int count;
static char own[65536];
static void caught(int n, siginfo_t *info, void *context) {
    place = ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
    siglongjmp(out, 1);
}
int main(void) {
    stack_t stack = {own, 0, sizeof own};
    struct sigaction action = {.sa_sigaction = caught, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigaltstack(&stack, 0);
    sigaction(SIGSEGV, &action, 0);
    sigaction(SIGBUS, &action, 0); // no canonical address, by way of rsp or rbp
    char *far = (char *)FAR;
    if (mmap(far, ROOM, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != far)
        return 1;
    for (i = 0; i < count; i++)
        for (turn = 0; turn < 3; turn++) {
            place = (long)cases[i];
            if (!sigsetjmp(out, 1)) cases[i]();
            printf("%ld.%ld %ld\n", i, turn, place - (long)cases[i]);
        }
}
"""
"""Each block three times: where it faulted, or 0."""


def program(bodies: list[tuple[str, list[int]]], folder: Path) -> Path:
    """A static program that runs blocks; each with what its registers point to in the room."""
    cases = "".join(
        _CASE.format(number=number, body=body, start=_start(offsets), stack=_FAR + _ROOM // 4)
        for number, (body, offsets) in enumerate(bodies)
    )
    table = "".join(f".quad case{number}\n" for number in range(len(bodies)))
    (folder / "cases.s").write_text(
        ".intel_syntax noprefix\n.globl cases, count, room\n"
        f".text\n{cases}.section .rodata\ncases: {table}count: .long {len(bodies)}\n"
        f".bss\n.balign 64\n.zero {_ROOM}\nroom: .zero {_ROOM}\nsaved: .quad 0\n"
        ".section .note.GNU-stack\n"
    )
    (folder / "main.c").write_text(_MAIN)
    made = folder / "blocks"
    sources = [folder / "main.c", folder / "cases.s"]
    numbers = [f"-DFAR={_FAR:#x}", f"-DROOM={_ROOM}"]
    subprocess.run(["gcc", "-O1", "-static", "-no-pie", *numbers, "-o", made, *sources], check=True)
    return made


def _start(offsets: list[int]) -> str:
    return "\n".join(
        f"movabs {name}, {_FAR + _ROOM // 2 + offset}"
        for name, offset in zip(_REGISTERS, offsets, strict=True)
    )


starts = st.lists(
    st.one_of(_often, _often, st.sampled_from((8, 4, 1, -8))),
    min_size=len(_REGISTERS),
    max_size=len(_REGISTERS),
)
