"""What CPUID shows is computed right: on random operands, as by this machine's own CPU."""

from __future__ import annotations

import platform
import struct
from pathlib import Path

import computing
import guests
import instructions
import pytest
from computing import OPERANDS, RESULT, assembled, native, shown
from guests import Load
from instructions import Case, Operands

from emu.errors import GuestFault
from syscalls.region import READ_WRITE

NEEDED = "ssse3 sse4_1 sse4_2 aes pclmulqdq movbe popcnt abm cx16 lahf_lm".split()
COUNT = 60
_INPUT, _OUTPUT, _ROOM = 0x10_0000_0000, 0x10_0080_0000, 1 << 24


def _features() -> set[str]:
    if platform.machine() != "x86_64":
        return set()
    line = next(line for line in Path("/proc/cpuinfo").read_text().splitlines() if "flags" in line)
    return set(line.split())


FAMILIES = {
    "general": (instructions.general, "bytes"),
    "shown by CPUID": (instructions.shown_by_cpuid, "bytes"),
    "integers": (instructions.integers, "bytes"),
    "singles": (instructions.singles, "singles"),
    "doubles": (instructions.doubles, "doubles"),
    "x87": (instructions.x87, "doubles"),
}


@pytest.mark.skipif(not _features() >= set(NEEDED), reason="this machine's CPU knows less")
@pytest.mark.parametrize("family", FAMILIES)
def test_results_are_those_of_a_real_cpu(load: Load, family: str) -> None:
    make, vectors = FAMILIES[family]
    cases = make()
    texts = tuple(text for text, _ in cases)
    operands = Operands(1, vectors).records(COUNT)
    code, _ = assembled(texts)
    process = load(f"compute: {guests.raw(code)}")
    process.kernel.space.map(_INPUT, _ROOM, READ_WRITE)
    process.memory.write(_INPUT, operands)
    for number, (case, expected) in enumerate(zip(cases, native(texts, operands), strict=True)):
        process.memory.write(_OUTPUT, bytes(len(expected)))
        process.call("compute", number, _INPUT, COUNT, _OUTPUT)
        found = process.memory.read(_OUTPUT, len(expected))
        _compare(case, operands, found, expected)


def _compare(case: Case, operands: bytes, found: bytes, expected: bytes) -> None:
    text, undefined = case
    for i in range(COUNT):
        given = operands[i * OPERANDS : (i + 1) * OPERANDS]
        ours, theirs = (
            _defined(all_results[i * RESULT : (i + 1) * RESULT], undefined)
            for all_results in (found, expected)
        )
        assert ours == theirs, f"{text}\n{shown(given)}\n{shown(ours)}\n{shown(theirs)}"


def _defined(result: bytes, undefined: int) -> bytes:
    """Without the flags that mean nothing, and without mxcsr's exceptions."""
    flags, mxcsr = struct.unpack_from("<QQ", result, 80)
    kept = (flags & computing.FLAGS & ~undefined, mxcsr & ~0x3F)
    return result[:80] + struct.pack("<QQ", *kept) + result[96:]


# What is wrong, and hidden


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("c4e278f3d8", "blsi"), ("c4e268f7c1", "bextr"), ("c4e268f5c1", "bzhi"),
        ("c4e273f5c2", "pdep"), ("c4e272f5c2", "pext"), ("c4e2f0f2c2", "andn"),
        ("c4e27bf6c1", "mulx"), ("c4e37bf0c103", "rorx"), ("c4e26af7c1", "sarx"),
        ("660f3a40c1ff", "dpps"), ("660f3a41c131", "dppd"),
        ("660f3a61c100", "pcmpestri"), ("660f3a60c100", "pcmpestrm"),
        ("66480f3a61c100", "pcmpestri"), ("660f3a63c10c", "pcmpistri"),
        ("660f3a62c14d", "pcmpistrm"), ("8fe97801f9", "t1mskc"), ("8fe870ccc201", "vpcom"),
        ("660f79c1", "extrq"), ("f20f79c1", "insertq"), ("f30f2b07", "movntss"),
        ("0f01d0", "xgetbv"), ("0fae27", "xsave"), ("0fae2f", "xrstor"), ("c7f800000000", "xbegin"),
        ("f0f71f", "lock neg"), ("66f0f71f", "lock neg"), ("f048f71f", "lock neg"),
    ],
)  # fmt: skip
def test_what_would_be_computed_wrongly_is_refused(load: Load, code: str, name: str) -> None:
    process = load(f"f: lea rdi, [rip + room]\nnop\n{guests.raw(bytes.fromhex(code))}\nret\n"
                   ".data\n.p2align 6\nroom: .zero 1024")  # fmt: skip
    with pytest.raises(GuestFault, match="#UD") as caught:
        process.call("f", 0)
    assert caught.value.scene.instructions == 2
    assert caught.value.scene.code.startswith(name)


@pytest.mark.parametrize("length", [1 << 31, (1 << 31) + 1, (1 << 32) - 1, 1 << 63])
def test_no_length_makes_a_string_instruction_read_the_hosts_memory(
    load: Load, length: int
) -> None:
    code = guests.raw(bytes.fromhex("66480f3a61c100"))  # pcmpestri, of 64-bit lengths
    process = load(f"f: mov rax, rdi\nmov rdx, rdi\n{code}\nret")
    with pytest.raises(GuestFault, match="#UD"):
        process.call("f", length)


# CPUID

_CPUID = """
    f:  push rbx
        mov rax, rdi
        mov rcx, rsi
        mov r8, rdx
        cpuid
        mov [r8], eax
        mov [r8 + 4], ebx
        mov [r8 + 8], ecx
        mov [r8 + 12], edx
        pop rbx
        ret
"""


def _cpuid(load: Load, leaf: int, subleaf: int = 0) -> tuple[int, ...]:
    process = load(_CPUID)
    process.kernel.space.map(_INPUT, 4096, READ_WRITE)
    process.call("f", leaf, subleaf, _INPUT)
    return struct.unpack("<4I", process.memory.read(_INPUT, 16))


def test_cpuid_shows_no_bmi_nor_fast_strings(load: Load) -> None:
    ebx = _cpuid(load, 7)[1]
    fsgsbase, bmi1, avx2, bmi2, erms = (ebx >> bit & 1 for bit in (0, 3, 5, 8, 9))
    assert (fsgsbase, bmi1, avx2, bmi2, erms) == (1, 0, 0, 0, 0)


@pytest.mark.parametrize(("leaf", "subleaf"), [(7, 1), (0xD, 0), (0xD, 1), (0x14, 0), (0x1000, 0),
                                               (0x8000_001F, 0), (0xFFFF_FFFF, 0)])  # fmt: skip
def test_a_leaf_that_is_hidden_or_does_not_exist_is_empty(
    load: Load, leaf: int, subleaf: int
) -> None:
    assert _cpuid(load, leaf, subleaf) == (0, 0, 0, 0)


def test_cpuid_is_x86_64_v2_and_no_more(load: Load) -> None:
    """Which libraries the dynamic loader chooses from glibc-hwcaps."""
    ecx, extended = _cpuid(load, 1)[2], _cpuid(load, 0x8000_0001)[2]
    assert all(ecx >> bit & 1 for bit in (0, 9, 13, 19, 20, 23))
    assert extended & 1
    assert not any(ecx >> bit & 1 for bit in (12, 26, 27, 28, 29))


def test_the_base_of_fs_can_be_written_as_cpuid_says(load: Load) -> None:
    source = f"""
    f:  {guests.raw(bytes.fromhex("f3480faed7"))}     # wrfsbase rdi
        {guests.raw(bytes.fromhex("64488b042508000000"))}     # mov rax, fs:[8]
        {guests.raw(bytes.fromhex("f3480faec1"))}     # rdfsbase rcx
        sub rcx, rdi
        add rax, rcx
        ret
    """
    process = load(source)
    process.kernel.space.map(_INPUT, 4096, READ_WRITE)
    process.memory.write(_INPUT + 8, (77).to_bytes(8, "little"))
    assert process.call("f", _INPUT).result == 77


def test_the_state_of_sse_and_x87_is_saved_and_restored(load: Load) -> None:
    """As the dynamic loader does around a lazy binding, where there is no XSAVE."""
    process = load(f"""
    f:  lea r10, [rip + room]
        fld1
        movq xmm0, rdi
        movq xmm15, rsi
        {guests.raw(bytes.fromhex("490fae02"))}     # fxsave64 [r10]
        pxor xmm0, xmm0
        pxor xmm15, xmm15
        fninit
        {guests.raw(bytes.fromhex("490fae0a"))}     # fxrstor64 [r10]
        movq rax, xmm0
        movq rcx, xmm15
        add rax, rcx
        fstp qword ptr [r10]
        add rax, [r10]
        fninit
        ret
    .data
    .p2align 4
    room: .zero 512
    """)
    one = int.from_bytes(struct.pack("<d", 1.0), "little")
    assert process.call("f", 1000, 234).result == 1234 + one
