"""Which memory an instruction reads and writes, and so where exactly a fault lies."""

from __future__ import annotations

import guests
import pytest

from asm.assembler import BASE
from emu.errors import GuestFault
from emu.process.disassembly import Instruction, disassemble
from emu.process.process import Process
from emu.process.registers import GENERAL
from syscalls.abi import PAGE

REGISTERS = {name: 0x1000 * (i + 1) for i, name in enumerate(GENERAL)}
RAX, RCX, RSP, RBP = (REGISTERS[name] for name in ("rax", "rcx", "rsp", "rbp"))
RSI, RDI, RBX = (REGISTERS[name] for name in ("rsi", "rdi", "rbx"))

_FORMS = {
    "mov rdx, [rax]": ([(RAX, 8)], []),
    "mov [rax + 8], edx": ([], [(RAX + 8, 4)]),
    "mov byte ptr [rax - 1], 5": ([], [(RAX - 1, 1)]),
    "mov rdx, [rax + rcx*8 + 0x10]": ([(RAX + 8 * RCX + 16, 8)], []),
    "add [rax], dx": ([(RAX, 2)], [(RAX, 2)]),
    "cmp qword ptr [rax], 0": ([(RAX, 8)], []),
    "xchg [rax], rdx": ([(RAX, 8)], [(RAX, 8)]),
    "movzx edx, byte ptr [rax]": ([(RAX, 1)], []),
    "movaps xmm0, [rax]": ([(RAX, 16)], []),
    "lea rdx, [rax + 8]": ([], []),
    "mov rdx, rax": ([], []),
    "push rax": ([], [(RSP - 8, 8)]),
    "push qword ptr [rax]": ([(RAX, 8)], [(RSP - 8, 8)]),
    "pop rax": ([(RSP, 8)], []),
    "pop qword ptr [rsp + 8]": ([(RSP, 8)], [(RSP + 16, 8)]),
    "pushfq": ([], [(RSP - 8, 8)]),
    "popfq": ([(RSP, 8)], []),
    "call rax": ([], [(RSP - 8, 8)]),
    "call qword ptr [rax]": ([(RAX, 8)], [(RSP - 8, 8)]),
    "jmp qword ptr [rax]": ([(RAX, 8)], []),
    "ret": ([(RSP, 8)], []),
    "ret 16": ([(RSP, 8)], []),
    "leave": ([(RBP, 8)], []),
    "movsq": ([(RSI, 8)], [(RDI, 8)]),
    "rep movsb": ([(RSI, 1)], [(RDI, 1)]),
    "rep stosd": ([], [(RDI, 4)]),
    "lodsw": ([(RSI, 2)], []),
    "repne scasb": ([(RDI, 1)], []),
    "repe cmpsb": ([(RSI, 1), (RDI, 1)], []),
    "xlatb": ([(RBX + (RAX & 0xFF), 1)], []),
}
_RAW = {
    "488b142578563412": ([(0x12345678, 8)], []),  # mov rdx, [0x12345678]
    "48890425f8ffffff": ([], [((1 << 64) - 8, 8)]),  # mov [-8], rax
    "678b40fc": ([(RAX - 4, 4)], []),  # mov eax, [eax - 4]
    "678b4008": ([(RAX + 8, 4)], []),
    "438b0c88": ([(REGISTERS["r8"] + 4 * REGISTERS["r9"], 4)], []),  # mov ecx, [r8 + r9*4]
    "488b1520000000": ([(BASE + 7 + 0x20, 8)], []),  # mov rdx, [rip + 0x20]
    "881520000000": ([], [(BASE + 6 + 0x20, 1)]),  # mov [rip + 0x20], dl
    "c8100000": ([], [(RSP - 8, 8)]),  # enter 16, 0
    "0f1f00": ([], []),  # nop dword ptr [rax]
    "f3c3": ([(RSP, 8)], []),  # rep ret
}


def _assembled(text: str) -> Instruction:
    (segment,) = guests.image(f"f: {text}").segments
    return disassemble(segment.data, BASE)[0]


@pytest.mark.parametrize("text", _FORMS)
def test_an_instructions_accesses_are_known(text: str) -> None:
    _check(_assembled(text), *_FORMS[text])


@pytest.mark.parametrize("code", _RAW)
def test_what_the_dialect_does_not_let_through_is_known_too(code: str) -> None:
    _check(disassemble(bytes.fromhex(code), BASE)[0], *_RAW[code])


def _check(
    instruction: Instruction, reads: list[tuple[int, int]], writes: list[tuple[int, int]]
) -> None:
    assert sorted(instruction.reads(REGISTERS)) == sorted(reads)
    assert sorted(instruction.writes(REGISTERS)) == sorted(writes)
    assert sorted(instruction.accesses(REGISTERS)) == sorted({*reads, *writes})


@pytest.mark.parametrize(
    "text", ["lock cmpxchg [rax], rcx", "movhps [rax], xmm0", "movq [rax], xmm0"]
)
def test_where_capstone_is_wrong_about_reads_and_writes_the_place_is_known(text: str) -> None:
    assert _assembled(text).accesses(REGISTERS) == [(RAX, 8)]


def test_addresses_wrap_around() -> None:
    instruction = disassemble(bytes.fromhex("488b50f8"), BASE)[0]
    assert instruction.reads({**REGISTERS, "rax": 0}) == [((1 << 64) - 8, 8)]


def test_bytes_that_are_no_instruction_end_the_list() -> None:
    assert [str(i) for i in disassemble(b"\x90\x06\x90", BASE)] == ["nop"]


@pytest.mark.parametrize("text", ["jmp rax", "call rax", "ret", "je .Lhere\n.Lhere: nop"])
def test_jumps_are_known(text: str) -> None:
    assert _assembled(text).jumps


def test_other_instructions_are_no_jumps() -> None:
    assert not _assembled("add rax, rcx").jumps


# The address of a fault


_END = 0x1000_0000
"""Nothing is mapped from here on, and one page is below."""

_AT_THE_END = {
    "read across": ("mov rax, [rdi - 3]", _END, "read"),
    "write across": ("mov [rdi - 3], rax", _END, "write"),
    "read behind": ("mov rax, [rdi + 5]", _END + 5, "read"),
    "sixteen bytes across": ("movups xmm0, [rdi - 9]", _END, "read"),
    "pop": ("lea rsp, [rdi + 8]\npop rax", _END + 8, "read"),
    "push across": ("lea rsp, [rdi + 5]\npush rax", _END, "write"),
    "call": ("lea rsp, [rdi + 16]\ncall f", _END + 8, "write"),
    "ret": ("lea rsp, [rdi + 8]\nret", _END + 8, "read"),
    "leave": ("lea rbp, [rdi + 24]\nleave", _END + 24, "read"),
    "movsb out": ("mov rsi, rsp\nrep movsb", _END, "write"),
    "movsq across": ("mov rsi, rsp\nsub rdi, 4\nmovsq", _END, "write"),
    "lodsq": ("lea rsi, [rdi + 8]\nlodsq", _END + 8, "read"),
    "sixteen bytes out": ("movups [rdi + 5], xmm0", _END + 5, "write"),
    "xchg": ("xchg [rdi + 8], rax", _END + 8, "read"),
}


@pytest.mark.parametrize(("body", "address", "access"), _AT_THE_END.values(), ids=_AT_THE_END)
def test_a_fault_has_the_address_of_the_first_byte_refused(
    body: str, address: int, access: str
) -> None:
    with Process(guests.image(f"{guests.PAGES}\nf: {body}\nret")) as process:
        process.call("map", _END - PAGE, PAGE, 3)
        with pytest.raises(GuestFault) as caught:
            process.call("f", _END)
        assert (caught.value.address, caught.value.access) == (address, access)


def test_a_write_that_capstone_calls_a_read_has_its_address_too() -> None:
    with Process(
        guests.image("f: lea rsi, [rip + f]\nlock cmpxchg [rsi + 2], rsi\nret")
    ) as process:
        with pytest.raises(GuestFault) as caught:
            process.call("f")
        assert caught.value.address == BASE + 2


def test_reading_and_writing_one_page_the_address_is_that_of_the_refused() -> None:
    """`movsq` within a page that may be read: the write is what was refused."""
    with Process(guests.image("f: lea rsi, [rip + f]\nlea rdi, [rsi + 32]\nmovsq\nret")) as process:
        with pytest.raises(GuestFault) as caught:
            process.call("f")
        assert (caught.value.address, caught.value.access) == (BASE + 32, "write")
