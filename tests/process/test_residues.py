"""Addresses modulo 16 by the registers at a block's entry: by hand, and against an engine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import unicorn
from guests import image
from unicorn import x86_const as x86

from emu.process.disassembly import Operand, Step, steps
from emu.process.minding import judged
from emu.process.residues import REGISTERS, Followed, Sum
from emu.process.screening import aligned_accesses

BASE = 0x40_0000


def _sum(constant: int = 0, **factors: int) -> Sum:
    return Sum(constant, tuple(factors.get(name, 0) for name in REGISTERS))


def _judged(source: str) -> tuple[set[Sum], int]:
    """What is checked at the entry, and how many accesses are not."""
    segment = image(f"f:\n{source}").segments[0]
    accesses = aligned_accesses(segment.data, segment.address)
    sums, unknown = judged(segment.data, segment.address, accesses)
    return set(sums), len(unknown)


@pytest.mark.parametrize(
    ("before", "place", "expected"),
    [
        ("", "rdi + 8", _sum(8, rdi=1)),
        ("add rdi, 16", "rdi", _sum(rdi=1)),
        ("sub rdi, rsi", "rdi + rcx*8", _sum(rdi=1, rsi=15, rcx=8)),
        ("lea r9, [rdi + rsi*4 - 4]", "r9", _sum(12, rdi=1, rsi=4)),
        ("mov eax, edi\ninc eax", "rax", _sum(1, rdi=1)),
        ("push rax\nand rsp, 0xfffffffffffffff0\nsub rsp, 8", "rsp", _sum(8)),
        ("push rax\npush 7", "rsp", _sum(rsp=1)),
        ("push rax\npop rdi\nadd rsp, 4", "rsp", _sum(4, rsp=1)),
        ("shl rsi, 3\nneg rsi", "rdi + rsi", _sum(rdi=1, rsi=8)),
        ("imul rsi, rdi, 5", "rsi", _sum(rdi=5)),
        ("mov rax, 3\nimul rdi, rax", "rdi", _sum(rdi=3)),
        ("not rdi", "rdi", _sum(15, rdi=15)),
        ("xor eax, eax\nadd rax, rdi", "rax", _sum(rdi=1)),
        ("or rdi, 0xf\ninc rdi", "rdi", _sum()),
        ("mov rax, [rdi]", "rax", None),
        ("mov al, 0", "rax", None),
        ("mov ah, 0", "rax", None),
        ("xchg rdi, rsi", "rdi", None),
        ("mul rdi", "rax", None),
        ("imul rdi", "rdx", None),
        ("cpuid", "rcx", None),
        ("pop rdi", "rdi", None),
        ("shr rdi, 4", "rdi", None),
        ("and rdi, 8", "rdi", None),
    ],
)
def test_an_address_is_a_sum_of_what_registers_were(
    before: str, place: str, expected: Sum | None
) -> None:
    sums, unknown = _judged(f"{before}\nmovaps xmm0, [{place}]")
    if expected is None:
        assert (sums, unknown) == (set(), 1)
    elif not any(expected.factors):  # it is always aligned, or never
        assert (sums, unknown) == (set(), int(expected.constant != 0))
    else:
        assert (sums, unknown) == ({expected}, 0)


def test_a_copying_loop_has_two_sums() -> None:
    copies = "\n".join(
        f"movaps xmm0, [rsi + {16 * n}]\nmovaps [rdi + {16 * n}], xmm0" for n in range(4)
    )
    sums, unknown = _judged(f"{copies}\nadd rsi, 64\nadd rdi, 64\nmovaps [rdi], xmm0\nret")
    assert (sums, unknown) == ({_sum(rsi=1), _sum(rdi=1)}, 0)


def test_thread_local_accesses_are_not_judged() -> None:
    code = bytes.fromhex("640f2807")  # movaps xmm0, fs:[rdi]
    assert judged(code, BASE, aligned_accesses(code, BASE)) == (
        frozenset(),
        aligned_accesses(code, BASE),
    )


# Against an engine: every opcode, with registers and with memory

_PREFIXES = tuple(map(bytes.fromhex, "66 f2 f3 48 6648 f248 f348 49 f0 f048 67".split()))
_OPERANDS = bytes.fromhex("07c1d30f2f37e1f941")
_ESCAPES = (b"", b"\x0f", b"\x0f\x38", b"\x0f\x3a")
_ELSEWHERE = frozenset("syscall int int1 int3 into hlt in out iretq iretd sysret sysexit sysenter "
                       "lret rdpmc ud0 ud2".split())  # fmt: skip
_DATA = 0x1000_0000
_NUMBERS = [getattr(x86, f"UC_X86_REG_{name.upper()}") for name in REGISTERS]


def _each_step() -> Iterator[tuple[bytes, Step]]:
    """Every instruction that leads to the next one, once."""
    seen = set()
    for prefix in (b"", *_PREFIXES):
        for escape in _ESCAPES:
            for code in range(256):
                for operand in _OPERANDS:
                    whole = prefix + escape + bytes([code, operand, 4]) + bytes(8)
                    found = steps(whole, BASE)[:2]
                    size = found[1].address - BASE if len(found) > 1 else len(whole)
                    if found and whole[:size] not in seen and _goes_on(found[0]):
                        seen.add(whole[:size])
                        yield whole[:size], found[0]


def _goes_on(step: Step) -> bool:
    return step.name not in _ELSEWHERE and not step.name.startswith(("j", "call", "ret", "loop"))


class _Engine:
    """Runs one instruction at a time, with registers that point into memory."""

    def __init__(self) -> None:
        self._engine = unicorn.Uc(unicorn.UC_ARCH_X86, unicorn.UC_MODE_64)
        self._engine.mem_map(BASE, 0x2000)
        self._engine.mem_map(_DATA, 0x10_0000)

    def run(self, code: bytes, values: list[int], flags: int) -> list[int] | None:
        """The registers afterwards; None where it did not run."""
        for number, value in zip(_NUMBERS, values, strict=True):
            self._engine.reg_write(number, value)
        self._engine.reg_write(x86.UC_X86_REG_RFLAGS, flags)
        self._engine.mem_write(BASE, code)
        self._engine.ctl_remove_cache(BASE, BASE + 32)
        try:
            self._engine.emu_start(BASE, BASE + len(code), 0, 1)
        except unicorn.UcError:
            return None
        return [self._engine.reg_read(number) for number in _NUMBERS]


_STARTS = (
    ([_DATA + 0x8000 + 0x107 * number for number in range(16)], 0x202),
    ([0x1000_9001, _DATA + 0x9003, 3, *(_DATA + 0x8008 + 0x10B * n for n in range(13))], 0x2D7),
)


def _expected(one: Sum, values: list[int]) -> int:
    return (one.constant + sum(f * v for f, v in zip(one.factors, values, strict=True))) % 16


def test_what_is_said_of_a_register_after_any_instruction_is_so() -> None:
    engine = _Engine()
    wrong, ran, claimed = [], 0, 0
    for number, (code, step) in enumerate(_each_step()):
        values, flags = _STARTS[number % 2]
        now = engine.run(code, values, flags)
        if now is None:
            continue
        followed = Followed()
        followed.take(step)
        ran += 1
        for name, value in zip(REGISTERS, now, strict=True):
            claim = followed.address(Operand(0, name))
            claimed += claim is not None
            if claim is not None and _expected(claim, values) != value % 16:
                wrong.append((code.hex(), step.name, name))
    assert wrong == []
    assert ran > 15_000
    assert claimed > 14 * ran
