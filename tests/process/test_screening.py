"""What may not run, and what must be aligned: found in machine code, and as a real CPU has it."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path

import pytest
from guests import Load

from emu.errors import GuestFault
from emu.process.alignment import MachineAlignment, PythonAlignment
from emu.process.disassembly import Operand
from emu.process.screening import (
    GENERAL_PROTECTION,
    INVALID_OPCODE,
    Aligned,
    aligned_accesses,
    first_refused,
)

BASE = 0x40_0000


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("90c5f1fec2", (BASE + 1, 1, INVALID_OPCODE)),  # vpaddd
        ("62f17c4858c1", (BASE, 0, INVALID_OPCODE)),  # vaddps zmm
        ("c5f877", (BASE, 0, INVALID_OPCODE)),  # vzeroupper
        ("c5f892c0", (BASE, 0, INVALID_OPCODE)),  # kmovw
        ("90c4e2f0f2c2", (BASE + 1, 1, INVALID_OPCODE)),  # andn
        ("8fe97801f9", (BASE, 0, INVALID_OPCODE)),  # t1mskc
        ("908fe97801", (BASE + 1, 1, INVALID_OPCODE)),  # the beginning of one
        ("8f00", None),  # pop [rax]
        ("660f3a63c10c", (BASE, 0, INVALID_OPCODE)),  # pcmpistri, one string in another
        ("660f3a63c11a", None),  # pcmpistri, equal each
        ("660f3a62c140", None),  # pcmpistrm, equal any
        ("f3480fbcc1", None),  # tzcnt: rep bsf for a CPU without BMI
        ("4883c4c5", None),  # add rsp, -59: c4 and c5 are no prefixes here
        ("0f00e0", None),  # verr
        ("9090", None),
        ("9090ec", (BASE + 2, 2, GENERAL_PROTECTION)),  # in al, dx
        ("e710", (BASE, 0, GENERAL_PROTECTION)),  # out 0x10, eax
        ("6c", (BASE, 0, GENERAL_PROTECTION)),  # insb
        ("f36f", (BASE, 0, GENERAL_PROTECTION)),  # rep outsd
        ("480fc7f0", (BASE, 0, INVALID_OPCODE)),  # rdrand rax
        ("0f34", (BASE, 0, INVALID_OPCODE)),  # sysenter
        ("0fc70f", None),  # cmpxchg8b [rdi]
    ],
)
def test_what_may_not_run_is_told_from_what_looks_like_it(
    code: str, expected: tuple[int, int, int] | None
) -> None:
    found = first_refused(bytes.fromhex(code), BASE)
    assert (found and (found.address, found.index, found.exception)) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("0f284708", [Aligned(BASE, Operand(8, "rdi"))]),  # movaps xmm0, [rdi + 8]
        ("90660f7f44f710", [Aligned(BASE + 1, Operand(16, "rdi", "rsi", 8))]),  # movdqa store
        ("0f280511000000", [Aligned(BASE, Operand(BASE + 7 + 0x11))]),  # [rip + 0x11]
        ("64480fc70f", [Aligned(BASE, Operand(0, "rdi", segment="fs"))]),  # cmpxchg16b fs:[rdi]
        ("0f1007", []),  # movups
        ("f30f6f07", []),  # movdqu
        ("f30f5807", []),  # addss: 4 bytes
        ("0f28c1", []),  # between registers
    ],
)
def test_accesses_that_must_be_aligned_are_found(code: str, expected: list[Aligned]) -> None:
    assert aligned_accesses(bytes.fromhex(code), BASE) == expected


# As it runs


@pytest.fixture(params=[MachineAlignment, PythonAlignment], ids=["machine code", "Python"])
def check(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which check the processes of this test have."""
    if request.param is PythonAlignment:
        monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    elif platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip("no x86-64 host")


_DATA = ".data\n.p2align 4\nroom: .zero 256"


@pytest.mark.usefixtures("check")
@pytest.mark.parametrize("offset", [0, 8, 16, 1, 15, 24, 32])
def test_an_aligned_access_faults_where_it_is_not_aligned(load: Load, offset: int) -> None:
    body = "lea rdi, [rip + room]\nnop\nadd rdi, rsi\nmovaps xmm0, [rdi + rdx*8]\nnop\nret"
    process = load(f"f: mov rsi, rdi\n{body}\n{_DATA}")
    if offset % 16 == 0:
        assert process.call("f", offset, 0, 2).instructions == 7
        return
    with pytest.raises(GuestFault, match="#GP") as caught:
        process.call("f", offset, 0, 2)
    assert (caught.value.scene.code, caught.value.scene.instructions) == (
        "movaps xmm0, xmmword ptr [rdi + rdx*8]",
        4,
    )


@pytest.mark.usefixtures("check")
def test_a_loop_faults_in_the_turn_that_is_not_aligned(load: Load) -> None:
    loop = ".Lturn: movaps [rdi], xmm0\nadd rdi, 16\ndec ecx\njnz .Lturn\n"
    process = load(f"f: lea rdi, [rip + room]\nmov ecx, 5\n{loop}add rdi, 4\nmov ecx, 9\n"
                   f"jmp .Lturn\n{_DATA}")  # fmt: skip
    with pytest.raises(GuestFault) as caught:
        process.call("f")
    assert caught.value.scene.instructions == 2 + 5 * 4 + 3
    assert caught.value.scene.registers["rcx"] == 9


def test_code_that_does_nothing_of_the_kind_is_not_hooked(load: Load) -> None:
    process = load("f: movups xmm0, [rip + room]\nret\n.data\nroom: .zero 32")
    process.call("f")
    assert len(process.cpu._minding) == 0


# Against the machine's own CPU

_MINDING = """
addps andnps andps cmpeqps divps maxps minps movaps mulps orps rcpps rsqrtps shufps:1 sqrtps subps
unpckhps unpcklps xorps addpd addsubpd addsubps andpd cvtdq2ps cvtpd2dq cvtpd2ps cvtps2dq
cvttpd2dq cvttps2dq haddpd hsubps movapd movdqa movshdup movsldup packssdw packuswb paddb paddq pand
pavgb pcmpeqd pmaddwd pmulhw pshufd:1 pshufhw:1 pshuflw:1 psadbw pslld psubb punpckhbw punpcklqdq
pxor pabsb phaddw pmaddubsw pshufb psignd palignr:1 blendpd:1 blendvps dpps:1 movntdqa mpsadbw:1
packusdw pblendvb pblendw:1 pcmpeqq phminposuw pminud pmulld ptest roundpd:1 pcmpgtq aesenc
aeskeygenassist:1 pclmulqdq:1 unpckhpd unpcklpd
movups movdqu lddqu addss addsd cvtps2pd cvtdq2pd movddup pmovzxbw pmovsxdq insertps:1 movss movsd
cvttpd2pi ucomisd comiss roundss:1 pcmpistri:1 pcmpestrm:1 movlps movhpd
"""


def _statement(word: str) -> str:
    name, _, immediate = word.partition(":")
    size = ""
    register = "mm0" if name == "cvttpd2pi" else "xmm0"
    return f"{name} {register}, {size}[rdi]{', 0' if immediate else ''}"


_NATIVE = """
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
static sigjmp_buf out;
static char room[64] __attribute__((aligned(64)));
static void caught(int n) { siglongjmp(out, n); }
extern void (*const cases[])(char *);
extern const int count;
int main(void) {
    signal(SIGSEGV, caught);
    signal(SIGILL, caught);
    for (int i = 0; i < count; i++) {
        int n = sigsetjmp(out, 1);
        if (!n) cases[i](room + 1);
        printf("%d\\n", n);
    }
}
"""


def test_the_same_instructions_mind_as_on_a_real_cpu(tmp_path: Path) -> None:
    words = _MINDING.split()
    if platform.machine() != "x86_64":
        pytest.skip("no x86-64 host")
    cases = "".join(f"case{i}: {_statement(word)}\nret\n" for i, word in enumerate(words))
    table = "".join(f".quad case{i}\n" for i in range(len(words)))
    (tmp_path / "cases.s").write_text(
        f".intel_syntax noprefix\n.globl cases, count\n{cases}.section .rodata\n"
        f"cases: {table}count: .long {len(words)}\n.section .note.GNU-stack\n"
    )
    (tmp_path / "main.c").write_text(_NATIVE)
    made = tmp_path / "native"
    sources = [tmp_path / "main.c", tmp_path / "cases.s"]
    subprocess.run(["gcc", "-no-pie", "-o", made, *sources], check=True)
    answers = subprocess.run([made], check=True, capture_output=True, text=True).stdout.split()
    raised = {word: int(answer) for word, answer in zip(words, answers, strict=True)}
    assert set(raised.values()) <= {0, 4, 11}
    subprocess.run(["objcopy", "-O", "binary", "-j", ".text", made, tmp_path / "text"], check=True)
    ours = {word: bool(aligned_accesses(_code(made, i), BASE)) for i, word in enumerate(words)}
    assert ours == {word: answer == 11 for word, answer in raised.items() if answer != 4} | {
        word: ours[word] for word, answer in raised.items() if answer == 4
    }


def _code(program: Path, number: int) -> bytes:
    """The machine code of one case, without its `ret`."""
    symbols = subprocess.run(["nm", program], check=True, capture_output=True, text=True).stdout
    places = {line.split()[2]: int(line.split()[0], 16) for line in symbols.splitlines()
              if len(line.split()) == 3}  # fmt: skip
    start = places[f"case{number}"]
    size = 24
    data = program.read_bytes()
    offset = start - 0x40_0000
    code = data[offset : offset + size]
    return code[: _length(code)]


def _length(code: bytes) -> int:
    from emu.process.disassembly import disassemble

    return disassemble(code, BASE)[0].size


def test_what_is_refused_is_refused_every_time(load: Load) -> None:
    """Also where it begins its block, which has been translated before."""
    process = load("f: jmp .Lport\n.Lport: .byte 0xec\nret", budget=1000)
    before = process.snapshot()
    for _ in range(3):
        with pytest.raises(GuestFault, match="privileged"):
            process.call("f")
        process.restore(before)
