"""The promise between caller and callee: each breach is named, and what is allowed is not one."""

from __future__ import annotations

import pytest
from guests import Load

from asm.assembler import assemble_cached
from asm.source import PACKAGE
from emu.process.process import Process
from syscalls.abi import PAGE

_BREACHES = {
    **{name: f"xor {name}, 1\nret" for name in ("rbx", "rbp", "r12", "r13", "r14", "r15")},
    "rsp": "ret 8",
    "DF": "std\nret",
    "mxcsr": "push 0x1fc0\nldmxcsr [rsp]\npop rax\nret",
    "fpcw": "push 0x27f\nfldcw [rsp]\npop rax\nret",
    "stack": "mov byte ptr [rsp + 8], 1\nret",
}


def _broken(load: Load, body: str) -> list[tuple[str, str]]:
    violations = load(f"f: {body}").call("f").violations
    return [(violation.what, violation.message) for violation in violations]


@pytest.mark.parametrize(("what", "body"), _BREACHES.items())
def test_each_breach_is_named(load: Load, what: str, body: str) -> None:
    (found,) = _broken(load, body)
    assert found[0] == what


@pytest.mark.parametrize("body", _BREACHES.values(), ids=_BREACHES)
def test_a_breach_is_forgotten_before_the_next_call(load: Load, body: str) -> None:
    process = load(f"f: {body}\ng: ret")
    assert process.call("f").violations
    assert process.call("g").violations == ()


def test_several_breaches_are_all_named(load: Load) -> None:
    body = "xor ebx, ebx\nxor r15d, r15d\nstd\nret 16"
    assert [what for what, _ in _broken(load, body)] == ["rbx", "r15", "rsp", "DF"]


def test_a_message_says_what_the_register_was_and_is(load: Load) -> None:
    assert _broken(load, "mov ebx, 0x77\nret") == [
        ("rbx", "rbx was 0xbad0000001010102 and came back as 0x77")
    ]


def test_a_message_says_how_far_off_the_stack_is(load: Load) -> None:
    assert _broken(load, "pop rax\npush rax\npush rax\nret") == [
        ("rsp", "rsp came back -8 bytes from where it was")
    ]
    assert "+24 bytes" in _broken(load, "ret 24")[0][1]


@pytest.mark.parametrize("offset", [0, 1, 31, 63])
def test_an_overwritten_frame_is_noticed_wherever(load: Load, offset: int) -> None:
    message = f"the caller's frame was overwritten, {offset} bytes above the return address"
    assert _broken(load, f"not byte ptr [rsp + {8 + offset}]\nret") == [("stack", message)]


@pytest.mark.parametrize(
    "body",
    [
        "ret",
        "push rbx\nxor ebx, ebx\npop rbx\nret",
        "std\ncld\nret",
        "stc\nret",
        "divss xmm0, xmm1\nret",
        "sub rsp, 1024\nmov [rsp], rax\nadd rsp, 1024\nret",
        "mov byte ptr [rsp - 1], 5\nret",
    ],
)
def test_what_is_allowed_is_no_breach(load: Load, body: str) -> None:
    assert _broken(load, body) == []


def test_the_status_bits_of_mxcsr_may_change(load: Load) -> None:
    assert _broken(load, "push 0x1fbf\nldmxcsr [rsp]\npop rax\nret") == []


# What a callee is given


@pytest.mark.parametrize(
    "register", ["rax", "rdi", "rsi", "rdx", "rcx", *(f"r{n}" for n in range(8, 12))]
)
def test_garbage_is_in_every_register_the_callee_may_use(load: Load, register: str) -> None:
    process = load(f"f: mov rax, {register}\nret")
    assert process.call("f").result >> 48 == 0xBAD0


def test_garbage_is_in_every_xmm_register(load: Load) -> None:
    for number in range(16):
        process = load(f"f: movq rax, xmm{number}\nret\ng: psrldq xmm{number}, 8\njmp f")
        assert process.call("f").result > 1 << 62
        assert process.call("g").result > 1 << 62


def test_garbage_is_in_the_flags_but_for_the_direction(load: Load) -> None:
    assert load("f: pushfq\npop rax\nret").call("f").result == 0x202 | 0x8D5


@pytest.mark.parametrize(
    "litter", ["fld1", "fld1\nfldz\nfdivp", "pcmpeqb mm0, mm0", "std", "fninit"]
)
def test_each_call_starts_from_a_clean_state(load: Load, litter: str) -> None:
    status = (
        "fnstsw ax\nmovzx eax, ax\nxor ecx, ecx\npushfq\npop rdx\nshl rdx, 32\nor rax, rdx\nret"
    )
    tags = "sub rsp, 40\n.byte 0xd9, 0x34, 0x24\nmovzx eax, word ptr [rsp + 8]\nadd rsp, 40\nret"
    process = load(f"f: {status}\ntags: {tags}\nlitter: {litter}\nret")
    fresh = [process.call("f").result, process.call("tags").result]
    assert fresh[1] == 0xFFFF, "an x87 register is in use"
    process.call("litter")
    assert [process.call("f").result, process.call("tags").result] == fresh


def test_the_stack_is_aligned_as_the_abi_says(load: Load) -> None:
    process = load("f: lea rax, [rsp + 8]\nret\ng: movaps [rsp - 24], xmm0\nret")
    assert process.call("f").result % 16 == 0
    assert process.call("g").violations == ()


def test_the_memory_below_the_stack_is_the_callees(load: Load) -> None:
    process = load(f"f: mov [rsp - {64 * PAGE}], rax\nret")
    assert process.call("f").violations == ()


# osmem


def test_osmem_keeps_the_promise() -> None:
    with Process(assemble_cached(PACKAGE / "osmem" / "osmem.s")) as process:
        first = process.call("os_malloc", 1000)
        calls = [
            first,
            process.call("os_calloc", 10, 40),
            process.call("os_malloc", 1 << 20),
            process.call("os_realloc", first.result, 5000),
            process.call("os_free", 0),
            process.call("os_malloc", 0),
        ]
        assert [call.violations for call in calls] == [()] * len(calls)
