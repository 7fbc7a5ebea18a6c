"""What Keystone would misread is refused; what is let through means the same to GNU as."""

from __future__ import annotations

from pathlib import Path

import gnu_as
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from asm.assembler import assemble
from asm.errors import AssemblyError

HEAD = """\
.equ ZERO, 0
.equ SIZE, 8
.equ BACK, -32
.equ WIDE, 0x12345678
.equ FULL, 0x7fffffffffffefff
.data
cell: .quad 0
.text
here: nop
"""

REFUSED = [
    # engine-notes: what Keystone misreads, or does not know
    ("mov rax, [rdi - SIZE]", "loses the minus"),
    ("mov rax, [rdi + 8 - SIZE]", "loses the minus"),
    ("mov rax, [rdi + SIZE*-1]", "not understood"),
    ("and rdi, -SIZE", "loses the minus"),
    ("and rdi, ~SIZE", "loses the minus"),
    ("mov rax, [rdi + BELOW]", "above its .equ"),
    ("mov rax, BELOW", "above its .equ"),
    ("mov r12, fs:[0x28]", "segment override"),
    ("mov r12, qword ptr fs:[0x28]", "segment override"),
    (".section .rodata", ".section"),
    (".bss", ".data"),
    (".org 0x100", ".org"),
    (".comm x, 8", ".zero"),
    (".att_syntax", "Intel"),
    (".intel_syntax prefix", "noprefix"),
    (".macro m\n.Lx\\@: nop\n.endm\nm", "\\@"),
    ("1: nop", "no instruction"),
    ("jmp 1b", "numbered labels"),
    ("jmp 1f", "numbered labels"),
    ("mov rax, offset cell", "offset"),
    ("jmp near ptr here", "near"),
    ("jmp short here", "near"),
    ("endbr64", "endbr64"),
    ("nop; nop", "separates statements"),
    ("nop // text", "comments"),
    ("nop /* text */", "comments"),
    ("mov [rdi], 5", "size is missing"),
    ("inc [rdi]", "size is missing"),
    ("movzx cx, [rdi]", "size is missing"),
    # forms that it reads differently, or half
    ("mov rax, [rdi", "brackets"),
    ("mov rax, rdi]", "brackets"),
    ("mov rax, SIZE*2", "not understood"),
    ("mov rax, 1 + SIZE", "not understood"),
    ("mov rax, [cell]", "[rip + cell]"),
    ("mov rax, [0x1000]", "absolute"),
    ("mov rax, [SIZE]", "absolute"),
    ("movq rax, 5", "write mov"),
    ("mov rax, cell", "[rip + cell]"),
    ("mov rax, cell + 8", "[rip + cell]"),
    ("jmp here + 2", "behind one"),
    ("jmp SIZE", "goes to a label"),
    ("jmp 5", "goes to a label"),
    ("mov eax, 10h", "0x10"),
    ("mov eax, 0ffh", "0x10"),
    ("mov eax, 010", "octal"),
    ("mov %rax, 5", "without %"),
    ("mov rax, [rax + rsp]", "rsp"),
    ("mov rax, [rax + rsp*1]", "rsp"),
    ("mov rax, [rsp*2]", "rsp"),
    ("mov rax, [rip + SIZE]", "loses the label"),
    ("mov rax, [rip + cell + SIZE]", "loses the label"),
    ("mov rax, [rip + rax]", "rip takes no other"),
    ("mov rax, [rdi + SIZE + BACK]", "takes the last"),
    ("mov rax, [rdi + SIZE*8]", "only a register"),
    ("mov rax, [rdi + (8)]", "minus"),
    ("mov rax, [rdi + ]", "missing"),
    ("mov rax,", "missing"),
    ("mov rax, [rdi][8]", "not understood"),
    ("mov rax, 8[rdi]", "not understood"),
    # numbers that it would cut
    ("mov rax, [rdi + 0x80000000]", "32 bits"),
    ("mov rax, [rdi + FULL]", "32 bits"),
    ("mov rax, [rdi - 0x80000001]", "32 bits"),
    ("mov eax, 0x100000000", "32 bits"),
    ("mov eax, FULL", "32 bits"),
    ("mov al, 256", "8 bits"),
    ("mov byte ptr [rdi], -129", "8 bits"),
    ("cmp word ptr [rdi], 0x10000", "16 bits"),
    ("push 0xffffffff", "32 bits with a sign"),
    ("push 0xffff", "negative number"),
    ("mov rax, [rip + cell + 0x40000000]", "32 bits"),
    ("ret 65536", "16 bits"),
    ("enter 65536, 0", "16 bits"),
    ("mov rax, 18446744073709551616", "64 bits"),
    ("loop far_away", "200 bytes away"),
    ("jrcxz far_away", "200 bytes away"),
    (".rept 1\nloop here\n.endr", "inside a block"),
    # what it takes and no processor does
    ("lock mov rax, rcx", "lock"),
    ("lock inc rax", "lock"),
    ("lock or eax, [rdi]", "lock"),
    ("lock", "line of its instruction"),
    ("rep mov rax, rcx", "string instruction"),
    ("es", "no instruction"),
    ("movsq [rdi], rax", "without operands"),
    # what ends the process, or never ends
    ("mov ah, r8b", "`ah` cannot stand"),
    ("movzx rax, bh", "`bh` cannot stand"),
    ("mov ch, [rax + r9]", "`ch` cannot stand"),
    ("mov dh, sil", "`dh` cannot stand"),
    ("[rdi]", "no instruction"),
    (": nop", "no instruction"),
    ("lab:: nop", "no instruction"),
    ("$: nop", "no instruction"),
    (".1: nop", "unknown directive"),
    (".else: nop", "unknown directive"),
    (".text: nop", "unknown directive"),
    ("$x: nop", "no instruction"),
    (".equ .1, 8", "a name and a value"),
    (".macro .1\nnop\n.endm", "name is expected"),
    ("\\", "no macro"),
    ("jge '\\'", "no macro"),
    (".quad ,1", "number is missing"),
    (".quad 18446744073709551616", "64 bits"),
    (".zero -1", "not between"),
    (".zero 0x7fffffffffff", "not between"),
    (".zero", "number is missing"),
    (".p2align 65", "not between"),
    (".p2align -1", "not between"),
    (".rept 0x7fffffff\nnop\n.endr", "not between"),
    (".rept 10000\n.rept 10000\nnop\n.endr\n.endr", "beyond every measure"),
    (".macro m\nm\n.endm\nm", "too deep"),
    ("mov rax, 5\0", "ASCII"),
    ("mov al, 'é'", "ASCII"),
    ('.ascii "é"', "ASCII"),
    (".macro m\né\n.endm", "ASCII"),
    (".rept 2\n.globl <\n.endr", "inside a block"),
    (".if 1\n.else +\n.endif", "nothing stands behind"),
    (".macro m\nnop\n.endm m", "nothing stands behind"),
    ("é: nop", "ASCII"),
    # directives with a value that is none
    (".word 65536", "not between"),
    (".byte 256", "not between"),
    (".quad 1.5", "not understood"),
    (".quad 1,", "number is missing"),
    (".quad 1 2", "not understood"),
    (".quad nothing", "undefined name"),
    (".quad 8 + cell", "label"),
    (".long cell", "64 bits"),
    (".quad SIZE == 8", ".if"),
    (".quad 1 << 2 + 1", "parentheses"),
    (".equ MASK, SIZE & BACK - 1", "parentheses"),
    (".equ MASK, (SIZE", "parentheses"),
    (".equ MASK, 1 << 64", "shift"),
    (".equ MASK", "a name and a value"),
    (".equ rax, 5", "register"),
    (".equ SIZE, 9", "already"),
    (".equ here, 9", "already"),
    (".equ MASK, here", "label"),
    (".align 3", "power of two"),
    (".balign 0", "not between"),
    (".if", "number is missing"),
    (".if NOTHING\n.endif", "undefined name"),
    (".ifdef\n.endif", "name is expected"),
    (".rept -1\n.endr", "not between"),
    (".ascii text", "quotes"),
    ('.ascii "open', "not closed"),
    # names that one of the two reads as something else
    (".equ byte, 8", "word of the syntax"),
    (".equ k1, 8", "word of the syntax"),
    (".equ FLAGS, 8", "word of the syntax"),
    (".equ fp7, 8", "word of the syntax"),
    ("and: nop", "word of the syntax"),
    ("rip: nop", "word of the syntax"),
    # what a macro's parameter carries in
    (".macro get x\nmov rax, [rdi - \\x]\n.endm\nget SIZE", "loses the minus"),
    (".macro get x\nmov rax, \\x\n.endm\nget fs:[0]", "segment override"),
    (".macro get x\nmov rax, \\y\n.endm\nget 5", "no parameter"),
    (".macro get x\nmov rax, \\x\n.endm\nget", "needs a value"),
    (".macro get x\nmov rax, \\x\n.endm\nget 1, 2", "only 1 parameters"),
    (".macro get x\nmov rax, \\x\n.endm\nget 1 + 2", "one word"),
    (".macro get\n.Lsame: nop\n.endm\nget\nget", "defined already"),
]


@pytest.mark.parametrize(("line", "reason"), REFUSED, ids=[line for line, _ in REFUSED])
def test_what_would_be_misread_is_refused_with_its_line(program, line: str, reason: str) -> None:
    tail = f"{line}\n.zero 200, 0x90\nfar_away: nop\n.equ BELOW, 5\n"
    with pytest.raises(AssemblyError) as refused:
        program(HEAD + tail)
    assert reason in refused.value.reason
    assert refused.value.file == "main.s"
    first = HEAD.count("\n") + 1
    assert first <= refused.value.line <= first + line.count("\n")
    assert refused.value.source in line.split("\n")


@pytest.mark.parametrize(
    ("line", "meaning"),
    [
        ("mov eax, 16", "mov eax, 0x10"),
        ("mov rax, [rdi + BACK]", "mov rax, qword ptr [rdi - 0x20]"),
        ("mov rax, [rdi + SIZE - 1]", "mov rax, qword ptr [rdi + 7]"),
        ("and rdi, BACK", "and rdi, 0xffffffffffffffe0"),
        ("mov rax, SIZE + 8", "mov rax, 0x10"),
        ("MOV RAX, QWORD PTR [RDI + 8*RCX + SIZE]", "mov rax, qword ptr [rdi + rcx*8 + 8]"),
        ("mov al, '#'", "mov al, 0x23"),
        ("mov rax, FULL", "movabs rax, 0x7fffffffffffefff"),
        ("movzx eax, ah", "movzx eax, ah"),
        ("lock cmpxchg [rdi], rcx", "lock cmpxchg qword ptr [rdi], rcx"),
        ("loop here", "loop 0xffffffffffffffff"),
        ("rep stosq", "rep stosq qword ptr [rdi], rax"),
        ("movsd xmm0, [rdi]", "movsd xmm0, qword ptr [rdi]"),
        (".macro get x\nmov rax, [rdi + \\x]\n.endm\nget BACK", "mov rax, qword ptr [rdi - 0x20]"),
    ],
)
def test_what_is_let_through_means_what_it_says(program, line: str, meaning: str) -> None:
    text = program(HEAD + line).segments[0]
    assert gnu_as.listing(text.data[1:], 0)[0] == f"0x0 {meaning}"


# Random lines, and GNU as

ONE_WORD = "ret leave syscall cdq cqo cdqe stosb movsq std cld cpuid".split()
REPEATED = ["rep stosb", "rep movsq", "repne scasb", "repe cmpsb"]
ALU = "mov add sub and or xor cmp test adc sbb".split()
UNARY = "inc dec neg not mul div imul idiv push pop call jmp setne bswap".split()
BRANCHES = "jmp call je jne jb jae ja jbe jl jge js jo jp".split()
WIDENING = "movzx movsx movsxd cvtsi2sd crc32".split()
BINARY = "xchg xadd cmpxchg bt bts bsf popcnt lzcnt tzcnt cmova cmovle shl sar rol imul lea".split()
VECTOR = "movups movaps movdqu movq movd paddq pxor pand mulsd addss sqrtsd ucomisd xorps".split()

WIDTHS = {
    8: "al cl bl sil r9b ah bh".split(),
    16: "ax cx si r9w r15w".split(),
    32: "eax ecx esi esp ebp r8d r15d".split(),
    64: "rax rcx rsi rsp rbp r8 r12 r13 r15".split(),
    128: "xmm0 xmm7 xmm8 xmm15".split(),
}
SIZES = ["", "", "byte ptr ", "word ptr ", "dword ptr ", "qword ptr ", "xmmword ptr "]
INTERESTING = [0, 1, 7, 8, 10, 16, 127, 128, 255, 256, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000]
INTERESTING += [0xFFFFFFFF, 0x100000000, 2**63 - 1, 2**63, 2**64 - 1]

plain = st.one_of(st.sampled_from(INTERESTING), st.integers(0, 2**64 - 1), st.integers(0, 300))
numbers = st.one_of(
    plain.map(str), plain.map(hex), plain.map(bin), st.sampled_from(["'a'", "' '", "'\\n'", "'\"'"])
)
constants = st.sampled_from(["ZERO", "SIZE", "BACK", "WIDE", "FULL"])
sums = st.tuples(constants, st.sampled_from([" + ", "-", " - "]), numbers).map("".join)
immediates = st.one_of(
    numbers, numbers.map("-{}".format), numbers.map("~{}".format), constants, sums
)
registers = st.sampled_from([name for names in WIDTHS.values() for name in names])


@st.composite
def memories(draw: st.DrawFn) -> str:
    """[base + index*scale + constant + number], with and without its parts."""
    wide = st.sampled_from(WIDTHS[draw(st.sampled_from([64, 64, 64, 32]))])
    scale = st.sampled_from("1248")
    index = st.one_of(
        wide, st.builds("{}*{}".format, wide, scale), st.builds("{} * {}".format, scale, wide)
    )
    near = st.sampled_from(["rip + here", "rip + cell", "cell + rip", "rip"])
    place = draw(st.one_of(wide, st.builds("{} + {}".format, wide, index), index, near))
    offset = draw(st.one_of(st.just(""), numbers, constants, sums))
    sign = draw(st.sampled_from([" + ", "+", " - "])) if offset else ""
    return f"{draw(st.sampled_from(SIZES))}[{place}{sign}{offset}]"


@st.composite
def pairs(draw: st.DrawFn) -> str:
    """Two operands of one width, more often than not."""
    same = st.sampled_from(WIDTHS[draw(st.sampled_from(list(WIDTHS)))])
    first, second = draw(
        st.sampled_from(
            [
                (same, same),
                (same, memories()),
                (memories(), same),
                (same, immediates),
                (memories(), immediates),
                (registers, registers),
            ]
        )
    )
    return f"{draw(first)}, {draw(second)}"


def instructions() -> st.SearchStrategy[str]:
    word = st.sampled_from
    anything = st.one_of(registers, memories(), immediates)
    return st.one_of(
        word(ONE_WORD + REPEATED),
        st.builds("{} {}".format, word(ALU), pairs()),
        st.builds("{} {}".format, word(BINARY + VECTOR), pairs()),
        st.builds("{} {}".format, word(UNARY), anything),
        st.builds("{} here".format, word(BRANCHES)),
        st.builds("{} {}, {}".format, word(WIDENING), registers, st.one_of(registers, memories())),
        st.builds("lock {} {}".format, word(["xadd", "inc", "or", "btr", "mov"]), pairs()),
        st.builds("{} {}, {}".format, word(["imul", "shld", "pshufd"]), pairs(), immediates),
    )


def accepted(line: str, file: Path) -> bool:
    file.write_text(HEAD + line)
    try:
        return bool(assemble(file))
    except AssemblyError:
        return False


SLOT = 32
SAME_MEANING = {"xchg rax, rax": "nop"}


def slots(code: bytes) -> list[str]:
    """The first instruction of each slot."""
    starts = range(SLOT, len(code), SLOT)
    found = [gnu_as.listing(code[at : at + SLOT], at)[0].partition(" ")[2] for at in starts]
    return [SAME_MEANING.get(instruction, instruction) for instruction in found]


NO_SHRINKING = [Phase.explicit, Phase.reuse, Phase.generate]


@settings(max_examples=30, phases=NO_SHRINKING)
@given(st.lists(instructions(), min_size=20, max_size=60, unique=True))
def test_what_is_let_through_is_what_gnu_as_reads(tmp_path_factory, lines: list[str]) -> None:
    folder = tmp_path_factory.mktemp("lines")
    program = folder / "lines.s"
    lines = [line for line in lines if accepted(line, program)]
    program.write_text(
        ".intel_syntax noprefix\n" + HEAD + "".join(f".p2align 5\n{line}\n" for line in lines)
    )
    where = {HEAD.count("\n") + 1 + 2 * number: line for number, line in enumerate(lines, 1)}
    refused = gnu_as.refused_lines(program.read_text(), folder)
    assert [where[number] for number in sorted(refused)] == []
    image = assemble(program)
    gnu = gnu_as.like(image, program.read_text(), folder)
    ours, theirs = slots(image.segments[0].data), slots(gnu["text"])
    assert dict(zip(lines, ours, strict=True)) == dict(zip(lines, theirs, strict=True))


@settings(max_examples=30, phases=NO_SHRINKING)
@given(st.data())
def test_an_expression_comes_to_what_gnu_as_computes(tmp_path_factory, data: st.DataObject) -> None:
    """As .quad, as .equ behind it, and in Keystone's reading and our own."""
    folder = tmp_path_factory.mktemp("expressions")
    program = folder / "values.s"
    lines = [line for line in data.draw(expressions) if accepted(f".data\n.quad {line}", program)]
    quads = "".join(
        f".quad {line}\n.equ V{n}, {line}\n.quad V{n}\n" for n, line in enumerate(lines)
    )
    program.write_text(f".intel_syntax noprefix\n{HEAD}.data\n{quads}")
    image = assemble(program)
    assert image.segments[-1].data == gnu_as.like(image, program.read_text(), folder)["data"]


leaves = st.one_of(numbers, constants)
sign = st.sampled_from(["+", "-", " * ", " & ", "|", "^", "<<", " >> "])
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        inner.map("-{}".format),
        inner.map("~{}".format),
        inner.map("({})".format),
        st.builds("{}{}{}".format, inner, sign, inner),
        st.builds("({}{}{})".format, inner, sign, inner),
    ),
    max_leaves=6,
)
expressions = st.lists(trees, min_size=10, max_size=30, unique=True)
