"""Instructions whose results must be those of a real CPU, and operands to try them on.

A case is a text of assembly and the flags that it leaves undefined. Left out, since what they do
differs from CPU to CPU: rcpps, rsqrtps, and bsf and bsr of 0. Left out, since the engine is known
to be wrong: which of two NaNs is the result, flush-to-zero, the exception flags of MXCSR and of the
x87, fprem and the transcendental functions of the x87, which compute with 53 bits.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from random import Random

CARRY, PARITY, ADJUST, ZERO, SIGN, OVERFLOW = 1, 4, 0x10, 0x40, 0x80, 0x800
LOGIC, SHIFT, ROTATE = ADJUST, ADJUST | OVERFLOW, OVERFLOW
PRODUCT = SIGN | ZERO | ADJUST | PARITY
ALL = CARRY | PARITY | ADJUST | ZERO | SIGN | OVERFLOW
BITS = PARITY | ADJUST | SIGN | OVERFLOW
Case = tuple[str, int]


def _each(names: str, forms: str, undefined: int = 0) -> Iterator[Case]:
    """Each name in each form; forms are separated by "|", and * is the name."""
    for form in forms.split("|"):
        for name in names.split():
            yield form.replace("*", name).strip(), undefined


def general() -> list[Case]:
    conditions = " ".join(f"cmov{c}" for c in "o no b ae e ne be a s ns p np l ge le g".split())
    return [
        *_each("add sub adc sbb cmp", "* rax, rbx | * eax, ebx | * ax, bx | * al, bl"),
        *_each("add sub adc sbb", "* [r10], rbx | lock * dword ptr [r10], ebx"),
        *_each("and or xor test", "* rax, rbx | * eax, ebx | * al, bl", LOGIC),
        *_each("inc dec neg not bswap", "* rax | * eax"),
        *_each("inc dec neg not", "* al | * word ptr [r10]"),
        *_each("inc dec not", "lock * word ptr [r10] | lock * qword ptr [r10]"),
        *_each("mul imul", "* rbx | * ebx | * bl", PRODUCT),
        *_each("imul", "* rax, rbx | * eax, ebx, 77 | * ax, bx, -3", PRODUCT),
        *_each("div", "or rbx, 1; xor edx, edx; * rbx | or ebx, 1; xor edx, edx; * ebx", ALL),
        *_each("idiv", "or ebx, 2; and ebx, 255; cdq; * ebx", ALL),
        *_each("div", "mov rdx, rax; shr rdx; or rbx, -1; * rbx", ALL),
        *_each("shl shr sar", "* rax, cl | * eax, cl | * rax, 5 | * eax, 31", SHIFT),
        *_each("shl shr sar", "* rax, 1 | * al, 1", LOGIC),
        *_each("rol ror rcl rcr", "* rax, cl | * eax, cl | * ax, cl | * al, cl | * eax, 7", ROTATE),
        *_each("rol ror rcl rcr", "* rax, 1 | * al, 1"),
        *_each("shld shrd", "* rax, rbx, cl | * eax, ebx, 9", SHIFT),
        *_each("bt bts btr btc", "* rax, rbx | * eax, 13 | and rbx, 127; * [r10], rbx", BITS),
        *_each("bsf bsr", "or rbx, 64; * rax, rbx", BITS | CARRY),
        *_each(conditions, "* rax, rbx | * eax, ebx"),
        *_each(conditions.replace("cmov", "set"), "* al"),
        *_each("movsx movzx", "* rax, bl | * eax, bx"),
        *_each("cbw cwde cdqe cwd cdq cqo clc stc cmc lahf sahf", "*"),
        *_each("xchg xadd", "* rax, rbx | * [r10], ebx | lock * [r10], rbx"),
        *_each("cmpxchg", "* rbx, rcx | lock * [r10], ecx | mov rax, [r10]; lock * [r10], rcx"),
        *_each("cmpxchg16b", "lock * [r10] | mov rax, [r10]; mov rdx, [r10+8]; lock * [r10]"),
        *_each("cmpxchg8b", "lock * [r10]"),
        *_each("movsb stosq", "lea rdi, [r10+16]; mov rsi, r10; mov ecx, 2; rep *"),
        *_each("cmpsb scasb", "lea rdi, [r10+16]; mov rsi, r10; mov ecx, 9; repe *"),
    ]


def shown_by_cpuid() -> list[Case]:
    """POPCNT, LZCNT, TZCNT as others execute it, MOVBE, CRC32 of SSE4.2."""
    return [
        *_each("popcnt", "* rax, rbx | * eax, ebx | * ax, bx"),
        *_each("tzcnt lzcnt", "* rax, rbx | * eax, ebx | * ax, bx", BITS),
        *_each("movbe", "* rax, [r10] | * eax, [r10] | * ax, [r10] | * [r10], rbx | * [r10], bx"),
        *_each("crc32", "* rax, bl | * rax, rbx | * eax, ebx | * eax, bx"),
        *_each("aesenc aesenclast aesdec aesdeclast aesimc", "* xmm0, xmm1"),
        *_each("aeskeygenassist", "* xmm0, xmm1, 0 | * xmm0, xmm1, 0x1b"),
        *_each("pclmulqdq", "* xmm0, xmm1, 0 | * xmm0, xmm1, 1 | * xmm0, xmm1, 16"),
    ]


_MMX = """
paddb paddw paddd paddq paddsb paddsw paddusb paddusw psubb psubw psubd psubq psubsb psubsw psubusb
psubusw pand pandn por pxor pcmpeqb pcmpeqw pcmpeqd pcmpgtb pcmpgtw pcmpgtd pmullw pmulhw pmulhuw
pmuludq pmaddwd pavgb pavgw pminub pminsw pmaxub pmaxsw psadbw packsswb packssdw packuswb punpcklbw
punpcklwd punpckldq punpckhbw punpckhwd punpckhdq pshufb phaddw phaddd phaddsw phsubw phsubd phsubsw
psignb psignw psignd pmulhrsw pmaddubsw pabsb pabsw pabsd psllw pslld psllq psrlw psrld psrlq psraw
psrad
"""
_SSE = """
punpcklqdq punpckhqdq pmuldq pmulld pcmpeqq packusdw pminsb pminsd pminuw pminud pmaxsb pmaxsd
pmaxuw pmaxud phminposuw pmovsxbw pmovsxbd pmovsxbq pmovsxwd pmovsxwq pmovsxdq pmovzxbw pmovzxbd
pmovzxbq pmovzxwd pmovzxwq pmovzxdq pcmpgtq ptest movdqa movq andps andpd andnps andnpd orps xorpd
unpcklps unpckhps unpcklpd unpckhpd movss movsd movhlps movlhps movshdup movsldup movddup
"""


def integers() -> list[Case]:
    """Vectors of integers: MMX, SSE2, SSSE3, SSE4.1, and strings of SSE4.2."""
    imms = "".join(f"| * xmm0, xmm1, {i}" for i in (1, 0x1B, 0x4E, 0xB1, 0xFF))[1:]
    modes = [mode for mode in range(128) if mode & 12 != 12]
    strings = "|".join(f"* xmm1, xmm2, {mode}" for mode in modes)
    return [
        *_each(_MMX, "* xmm0, xmm1 | * mm0, mm1"),
        *_each(_SSE, "* xmm0, xmm1"),
        *_each("pshufd pshufhw pshuflw shufps shufpd palignr blendps blendpd", imms),
        *_each("pblendw mpsadbw insertps", imms),
        *_each("psllw pslld psllq psrlw psrld psrlq psraw psrad", "* xmm0, 3 | * xmm0, 64"),
        *_each("pslldq psrldq", "* xmm0, 5 | * xmm0, 16"),
        *_each("blendvps blendvpd pblendvb", "* xmm1, xmm2, xmm0"),
        *_each("movmskps movmskpd pmovmskb", "* eax, xmm1"),
        *_each("pextrw pextrb pextrd extractps", "* eax, xmm1, 1"),
        *_each("pextrq", "* rax, xmm1, 1"),
        *_each("pinsrw pinsrb pinsrd", "* xmm0, ebx, 1"),
        *_each("pinsrq", "* xmm0, rbx, 1"),
        *_each("movnti", "* [r10], rbx"),
        *_each("movlps movhps", "* xmm0, [r10] | * [r10], xmm0"),
        *_each("pcmpistri pcmpistrm", strings),
    ]


def singles() -> list[Case]:
    """What reads numbers of single precision, or makes them of integers."""
    return [case for case in _floats() if re.search(r"(ps|ss)\b|[ps]s2|cvt(t?pi|si|dq)2", case[0])]


def doubles() -> list[Case]:
    """What reads numbers of double precision."""
    return [case for case in _floats() if re.search(r"\b(?!cvt[ps]s2)\w+(pd|sd)\b|[ps]d2", case[0])]


def _floats() -> list[Case]:
    """SSE in single and double precision, in all four ways to round."""
    kinds = ("ps", "ss", "pd", "sd")
    arithmetic = " ".join(
        name + kind for name in "add sub mul div min max sqrt".split() for kind in kinds
    )
    compares = "|".join(f"* xmm0, xmm1, {i}" for i in range(8))
    rounds = "|".join(f"* xmm0, xmm1, {i}" for i in (0, 1, 2, 3, 4, 8))
    set_mode = "mov dword ptr [rsp-8], {}; ldmxcsr [rsp-8]; * xmm0, xmm1"
    modes = "|".join(set_mode.format(mode) for mode in (0x3F80, 0x5F80, 0x7F80))
    converts = "cvtps2pd cvtpd2ps cvtss2sd cvtsd2ss cvtps2dq cvttps2dq cvtpd2dq cvttpd2dq cvtdq2pd"
    return [
        *_each(arithmetic, "* xmm0, xmm1"),
        *_each("addsd subss mulps divsd sqrtsd cvtsd2ss cvtps2dq cvtpd2dq", modes),
        *_each(f"{converts} cvtdq2ps", "* xmm0, xmm1"),
        *_each("addsubps addsubpd haddps haddpd hsubps hsubpd", "* xmm0, xmm1"),
        *_each("comiss comisd ucomiss ucomisd", "* xmm0, xmm1"),
        *_each("cmpps cmpss cmppd cmpsd", compares),
        *_each("roundps roundss roundpd roundsd", rounds),
        *_each("cvtss2si cvttss2si cvtsd2si cvttsd2si", "* rax, xmm1 | * eax, xmm1"),
        *_each("cvtsi2ss cvtsi2sd", "* xmm0, rbx | * xmm0, ebx"),
        *_each("cvtpi2ps cvtpi2pd", "* xmm0, mm1"),
        *_each("cvtps2pi cvttps2pi cvtpd2pi cvttpd2pi", "* mm0, xmm1"),
    ]


def x87() -> list[Case]:
    """What C's long double is made of."""
    two, done = "emms; fld tbyte ptr [r10+16]; fld tbyte ptr [r10]; ", "; emms; movq mm0, rbx"
    one, store = "emms; fld tbyte ptr [r10]; ", "; fstp tbyte ptr [r10]"
    return [
        *_each("fadd fsub fsubr fmul fdiv fdivr", f"{two}*p st(1), st{store}{done}"),
        *_each("fadd fsub fmul fdiv", f"{one}* qword ptr [r10+16]{store}{done}"),
        *_each("fsqrt fabs fchs frndint", f"{one}*{store}{done}"),
        *_each("fcomi fucomi", f"{two}* st, st(1){done}", ADJUST | SIGN | OVERFLOW),
        *_each("fist fstp", f"{one}* dword ptr [r10]{done}"),
        *_each("fistp fstp", f"{one}* qword ptr [r10]{done}"),
        *_each("fild", f"emms; * qword ptr [r10]{store}{done}"),
        *_each("fld1 fldl2t fldl2e fldpi fldlg2 fldln2 fldz", f"emms; *{store}{done}"),
    ]


_WORDS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63)
_SINGLES = (0.0, -0.0, float("inf"), -float("inf"), float("nan"), 1e-45, -1e-40, 2.0**-126, 1.0,
            3.4028234e38, -1.5, 0.5, 2.5, 2.0**31, -(2.0**31), 8388609.0, 2.0**63)  # fmt: skip
_DOUBLES = (*_SINGLES, 5e-324, -1e-310, 2.0**-1022, 1.7976931348623157e308, 2.0**52 + 1)


class Operands:
    """Random operands. vectors: of "bytes", "singles" or "doubles", with one kind of NaN."""

    def __init__(self, seed: int, vectors: str) -> None:
        self._random, self._vectors = Random(seed), vectors

    def records(self, count: int) -> bytes:
        """In the layout of computing.py."""
        return b"".join(self._record() for _ in range(count))

    def _record(self) -> bytes:
        vectors = b"".join(self._vector() for _ in range(3))
        flags = self._random.getrandbits(12) & ALL | 0x202
        words = struct.pack("<5Q8x", *(self._word() for _ in range(4)), flags)
        return vectors + words + self._extended() + self._extended()

    def _vector(self) -> bytes:
        random = self._random
        if self._vectors == "bytes":
            choice = random.choice((range(256), b"\0\1\x7f\x80\xff", b"abcd\0"))
            return bytes(random.choice(choice) for _ in range(16))
        if self._vectors == "singles":
            some = (random.choice((*_SINGLES, random.uniform(-100, 100))) for _ in range(4))
            return struct.pack("<4f", *some)
        return struct.pack("<2d", *(random.choice((*_DOUBLES, random.gauss(0, 1e5))) for _ in "12"))

    def _word(self) -> int:
        few = self._random.getrandbits(self._random.randrange(1, 65))
        return self._random.choice((few, self._random.choice(_WORDS), few & 0x3F))

    def _extended(self) -> bytes:
        """A number of 80 bits, of normal size."""
        exponent = 0x3FFF + self._random.randrange(-70, 70) | self._random.choice((0, 0x8000))
        return struct.pack("<QH6x", 1 << 63 | self._random.getrandbits(63), exponent)
