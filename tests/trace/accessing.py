"""Random programs that reach memory in every way that x86-64 has."""

from __future__ import annotations

import programs
from hypothesis import strategies as st

ROOM = 5 * 4096
"""Bytes of a program's buffer; accesses begin in the second to the fourth of its pages."""

_offset = st.one_of(
    st.integers(4096, 3 * 4096),
    st.integers(0, 20).map(lambda near: 2 * 4096 - near),  # over the border of two pages
    st.integers(0, 63).map(lambda number: 4096 + 16 * number),
)
_index = st.integers(-40, 40)

_GENERAL = """
mov rax, qword {m} | mov eax, dword {m} | mov ax, word {m} | mov al, byte {m} | mov qword {m}, rax
mov dword {m}, eax | mov word {m}, dx | mov byte {m}, dl | mov byte {m}, 0x95 | mov qword {m}, -2
mov dword {m}, -2 | mov word {m}, -2 | movzx eax, byte {m} | movsx rax, word {m}
movsxd rax, dword {m} | movzx eax, word {m} | cmovz eax, dword {m} | cmovnz rax, qword {m}
add qword {m}, rax | sub dword {m}, edx | adc word {m}, ax | sbb byte {m}, dl | add rax, qword {m}
and qword {m}, rax | or dword {m}, 0x55 | xor word {m}, ax | xor al, byte {m} | cmp qword {m}, rax
cmp byte {m}, 5 | test dword {m}, eax | inc qword {m} | dec byte {m} | neg dword {m}
not word {m} | shl qword {m}, 3 | sar dword {m}, cl | rol word {m}, 1 | rcr byte {m}, 1
shld qword {m}, rax, 4 | shrd dword {m}, eax, cl | imul rax, qword {m} | imul eax, dword {m}, 7
mul byte {m} | setc byte {m} | xchg qword {m}, rax | xchg byte {m}, al | xadd dword {m}, eax
lock xadd qword {m}, rdx | cmpxchg qword {m}, rdx | lock cmpxchg dword {m}, edx
mov rax, qword {m}; cmpxchg qword {m}, rdx | mov eax, dword {m}; lock cmpxchg dword {m}, edx
cmpxchg8b qword {m} | lock cmpxchg8b qword {m} | lock add qword {m}, rax | lock dec word {m}
lock not byte {m} | lock or dword {m}, eax | lock btc qword {m}, 9 | bt qword {m}, rcx
bts qword {m}, rcx | btr dword {m}, ecx | btc word {m}, cx | bt dword {m}, 5
push qword {m}; pop rax | push rax; pop qword {m} | push rdx; pop rax | movbe eax, dword {m}
movbe qword {m}, rdx | mov edx, 0x1234; movbe dword {m}, edx
movbe word {m}, ax | movnti qword {m}, rax
crc32 eax, byte {m} | popcnt rax, qword {m}
prefetcht0 byte {m} | lea rax, qword {m} | nop dword {m} | pushfq; popfq | enter 24, 0; leave
enter 8, 1; leave | push 1; push 2; lea rbp, [rsp + 64]; enter 16, 3; leave; pop rax; pop rax
"""
_VECTORS = """
movups xmm0, xmmword {m} | movups xmmword {m}, xmm0 | movdqu xmm1, xmmword {m}
movdqu xmmword {m}, xmm1 | movss xmm0, dword {m} | movss dword {m}, xmm1 | movsd xmm0, qword {m}
movsd qword {m}, xmm1 | movlps xmm0, qword {m} | movlps qword {m}, xmm1 | movhps xmm1, qword {m}
movhps qword {m}, xmm1 | movhpd qword {m}, xmm0 | movq xmm1, qword {m} | movq qword {m}, xmm1
movd xmm1, dword {m} | movd dword {m}, xmm1 | pextrb byte {m}, xmm1, 3 | pextrw word {m}, xmm1, 3
pextrd dword {m}, xmm1, 1 | pextrq qword {m}, xmm1, 1 | pinsrb xmm1, byte {m}, 2
pinsrw xmm1, word {m}, 2 | pinsrq xmm1, qword {m}, 1 | cvtsi2sd xmm0, dword {m}
lddqu xmm1, xmmword {m} | addsd xmm2, qword {m} | sqrtss xmm2, dword {m} | ucomisd xmm0, qword {m}
pmovzxbw xmm3, qword {m} | pmovsxbd xmm3, dword {m} | movddup xmm0, qword {m}
movq mm0, qword {m}; emms | paddb mm0, qword {m}; emms | cvtpi2pd xmm0, qword {m}; emms
cvtss2sd xmm0, dword {m}
"""
_FLOATING = """
fld tbyte {m}; fstp st(0) | fld1; fstp tbyte {m} | fld qword {m}; fstp st(0)
fldpi; fstp dword {m} | fld dword {m}; fstp qword {m} | fild word {m}; fistp qword {m}
fild qword {m}; fistp dword {m} | fldpi; fst qword {m}; fistp word {m}
fld1; fadd dword {m}; fstp st(0) | fld1; fisttp dword {m} | fnstcw word {m} | fnstsw word {m}
stmxcsr dword {m} | stmxcsr dword {m}; ldmxcsr dword {m} | fnstcw word {m}; fldcw word {m}
fldpi; fbstp tbyte {m}; fbld tbyte {m}; fstp st(0)
"""
_ALIGNED = """
movaps xmm0, xmmword {m} | movaps xmmword {m}, xmm1 | movntdq xmmword {m}, xmm0
paddd xmm2, xmmword {m} | punpcklbw xmm0, xmmword {m} | pshufd xmm0, xmmword {m}, 3 | fxsave {m}
fxsave {m}; fxrstor {m} | cmpxchg16b xmmword {m} | lock cmpxchg16b xmmword {m}
mov rax, qword {m}; mov rdx, qword {m8}; lock cmpxchg16b xmmword {m}
"""


def _lines(table: str) -> list[str]:
    return [line.strip() for row in table.strip().splitlines() for line in row.split("|")]


def _filled(line: str, setting: str, place: str, beyond: str) -> str:
    sized = "fxsave {m}", "fxrstor {m}"
    for text in sized:
        line = line.replace(text, text.replace("{m}", place))
    line = line.replace("{m8}", f"ptr {beyond}").replace("{m}", f"ptr {place}")
    return "\n".join([setting, *line.split("; ")]).replace("+ -", "- ")


@st.composite
def _reaching(draw: st.DrawFn) -> str:
    """An instruction with a memory operand, in a random addressing mode."""
    aligned = draw(st.integers(0, 4)) == 0
    tables = [_ALIGNED] if aligned else [_GENERAL, _GENERAL, _VECTORS, _FLOATING]
    line = draw(st.sampled_from(_lines(draw(st.sampled_from(tables)))))
    start, index = draw(_offset), draw(_index)
    if aligned:
        start &= -16
    setting, place = draw(st.sampled_from(_MODES))
    scale = draw(st.sampled_from((1, 2, 4, 8)))
    near = start - index
    numbers = {"base": near - index * scale, "near": near, "index": index, "scale": scale}
    setting, place, beyond = (
        text.format(**numbers, start=start + more, more=index + more)
        for text, more in ((setting, 0), (place, 0), (place, 8))
    )
    bits = f"mov ecx, {draw(st.integers(-300, 300))}\nmovsxd rcx, ecx"
    return _filled(line, f"{bits}\n{setting}", place, beyond)


_MODES = [
    ("", "[rip + buffer + {start}]"),
    ("lea r10, [rip + buffer + {base}]\nmov r11, {index}", "[r10 + r11*{scale} + {more}]"),
    ("lea r13, [rip + buffer + {base}]\nmov r11, {index}", "[r13 + r11*{scale} + {more}]"),
    ("lea rbx, [rip + buffer + {base}]\nmov esi, {index}", "[ebx + esi*{scale} + {more}]"),
    ("lea r12, [rip + buffer + {near}]", "[r12 + {more}]"),
    ("lea rdi, [rip + buffer + {near}]", "[edi + {more}]"),
]
"""Registers to set, and a place."""

_STRINGS = [
    f"{prefix}{name}{size}"
    for names, prefixes in (
        ("movs stos lods", ("", "rep ")),
        ("cmps scas", ("", "repe ", "repne ")),
    )
    for name in names.split()
    for prefix in prefixes
    for size in "bwdq"
]
_TAKEN_FOR_VECTORS = {
    "movsd": ".byte 0xa5", "rep movsd": ".byte 0xf3, 0xa5", "cmpsd": ".byte 0xa7",
    "repe cmpsd": ".byte 0xf3, 0xa7", "repne cmpsd": ".byte 0xf2, 0xa7",
}  # fmt: skip
"""What Keystone does not assemble."""


@st.composite
def _string(draw: st.DrawFn) -> str:
    """movs and its kin, up or down, repeated or not, some of them onto what they read."""
    there, here, times = draw(_offset), draw(_offset), draw(st.sampled_from((0, 1, 2, 7, 60)))
    if draw(st.booleans()):
        here = there + draw(st.integers(-9, 9))
    line = draw(st.sampled_from(_STRINGS))
    return (
        f"lea rdi, [rip + buffer + {there}]\nlea rsi, [rip + buffer + {here}]\nmov ecx, {times}\n"
        f"{draw(st.sampled_from(('std', 'cld')))}\n{_TAKEN_FOR_VECTORS.get(line, line)}\ncld"
    )


_OTHERS = [
    "lea rbx, [rip + buffer + 4000]\nxlatb",
    "lea rdi, [rip + buffer + 4090]\npcmpeqd xmm1, xmm1\nmaskmovdqu xmm0, xmm1",
    "lea rdi, [rip + buffer + 5000]\nmovq xmm1, rdi\nmaskmovdqu xmm0, xmm1",
    "lea rax, [rip + buffer + 4200]\nlea rdx, [rip + away{n}]\nmov [rax], rdx\n"
    "jmp qword ptr [rax]\naway{n}: nop",
    "lea rax, [rip + buffer + 4200]\nlea rdx, [rip + far{n}]\nmov [rax], rdx\n"
    "call qword ptr [rax]\nfar{n}: pop rdx",
    "push 7\npush 8\ncall .Lgives{n}\njmp .Lgiven{n}\n.Lgives{n}: ret 16\n.Lgiven{n}: nop",
    "push qword ptr [rsp]\npop qword ptr [rsp]",
    "push rsp\npop rsp\nsub rsp, 8\nadd rsp, 8",
    "mov rdx, rsp\npush 1\nmov rbp, rsp\npush 2\nenter 8, 2\nmov rsp, rdx",
    "mov eax, 999\nsyscall",
    "lock cmpxchg16b xmmword ptr [rip + buffer + 8192]\n"
    "lock cmpxchg16b xmmword ptr [rip + buffer + 64]",
]


def _piece(text: str) -> programs.Piece:
    return lambda new: text.replace("{n}", str(new()))


leaves = st.one_of(_reaching(), _reaching(), _reaching(), _string(), st.sampled_from(_OTHERS)).map(
    _piece
)
_body = programs.pieces(leaves, leaves, leaves)
_BEFORE = "pushfq\npush rbx\npush rbp\npush r12\npush r13\nxor eax, eax\nxor edx, edx\n"
_AFTER = "pop r13\npop r12\npop rbp\npop rbx\npopfq\nret"
FAULTS = (
    "xor r11d, r11d\nmov [r11], rax\n" + _AFTER,
    "lea rdi, [rip + buffer + 20472]\nmov rax, [rdi]\nadd [rdi + 5], rax\n" + _AFTER,
    "lea rdi, [rip + buffer + 20472]\nmov [rdi], rax\nmovups [rdi], xmm1\n" + _AFTER,
    "lea rdi, [rip + buffer + 20470]\nmov ecx, 20\nrep stosb\n" + _AFTER,
    "lea rsi, [rip + buffer + 20470]\nmov ecx, 20\nlea rdi, [rip + buffer]\nrep movsw\n" + _AFTER,
    "lea rdi, [rip + buffer + 20000]\nfxsave [rdi]\n" + _AFTER,
    "push qword ptr [rip + buffer + 20480]\n" + _AFTER,
    "xor esp, esp\npush rax\n" + _AFTER,
    "ud2\n" + _AFTER,
)
"""The buffer ends with a page; behind it is nothing."""


def _source(body: programs.Piece, ending: str) -> str:
    text = programs.program(body, ending, ROOM)
    aligned = text.replace(".data\nbuffer:", ".data\n.p2align 12\nbuffer:")
    return aligned.replace("f:\n", f"f:\n{_BEFORE}", 1)


returning = st.builds(_source, _body, st.just(_AFTER))
faulting = st.builds(_source, _body, st.sampled_from(FAULTS))


_TABLES = (_GENERAL, _VECTORS, _FLOATING, _ALIGNED)
ALONE = [line for table in _TABLES for line in _lines(table)] + _OTHERS
"""Each way to reach memory."""


def alone(line: str) -> str:
    """A program of one of ALONE, at an odd place where it may stand there."""
    start = 4112 if line in _lines(_ALIGNED) else 8189
    place, beyond = f"[r10 + {start}]", f"[r10 + {start + 8}]"
    text = _filled(line, "mov ecx, 77\nlea r10, [rip + buffer]", place, beyond)
    return _source(_piece(text if line not in _OTHERS else line), _AFTER)
