"""A process: calls with arguments and results, and every way to die, located."""

from __future__ import annotations

from dataclasses import dataclass

import guests
import pytest
from guests import Load

from emu.errors import BudgetSpent, ClosedError, GuestDied, GuestExited, GuestFault
from emu.process.process import STACK_SIZE, STACK_TOP, Process
from syscalls.abi import PAGE

TEXT, DATA = 0x40_0000, 0x40_1000


def _death(process: Process, *arguments: int) -> GuestDied:
    with pytest.raises(GuestDied) as caught:
        process.call("f", *arguments)
    return caught.value


# Calls


def test_a_call_gives_six_arguments_and_takes_rax(load: Load) -> None:
    source = "".join(f"imul rax, rax, 16\nadd rax, {r}\n" for r in "rdi rsi rdx rcx r8 r9".split())
    process = load(f"f: xor eax, eax\n{source}ret")
    assert process.call("f", 1, 2, 3, 4, 5, 6).result == 0x123456


def test_arguments_and_results_are_words_of_64_bits(load: Load) -> None:
    process = load("f: mov rax, rdi\nret")
    assert process.call("f", -1).result == (1 << 64) - 1
    assert process.call("f", (1 << 64) + 5).result == 5


def test_more_than_six_arguments_are_refused(load: Load) -> None:
    with pytest.raises(ValueError, match="at most six"):
        load("f: ret").call("f", *range(7))


def test_a_function_is_called_by_name_or_address(load: Load) -> None:
    process = load("f: nop\ng: mov eax, 7\nret")
    assert process.call(process.image.symbols["g"]).result == process.call("g").result == 7


def test_memory_keeps_what_a_call_wrote(load: Load) -> None:
    process = load("f: inc qword ptr [rip + n]\nmov rax, [rip + n]\nret\n.data\nn: .quad 40")
    assert [process.call("f").result for _ in range(3)] == [41, 42, 43]


def test_two_processes_share_nothing() -> None:
    image = guests.image("f: inc qword ptr [rip + n]\nmov rax, [rip + n]\nret\n.data\nn: .quad 40")
    with Process(image) as one, Process(image) as other:
        assert one.call("f").result == other.call("f").result == 41


def test_a_call_carries_its_own_system_calls(load: Load) -> None:
    process = load("f: mov eax, 12\nxor edi, edi\nsyscall\nret")
    process.call("f")
    (only,) = process.call("f").syscalls
    assert (only.name, only.result) == ("brk", process.kernel.space.heap_start)


def test_an_unknown_system_call_answers_enosys_and_is_recorded(load: Load) -> None:
    returned = load("f: mov eax, 999\nsyscall\nret").call("f")
    assert returned.result == (1 << 64) - 38
    assert (returned.syscalls[0].number, returned.syscalls[0].errno) == (999, "ENOSYS")


def test_the_upper_half_of_the_system_calls_number_is_ignored(load: Load) -> None:
    returned = load("f: mov rax, 0x70000000c\nxor edi, edi\nsyscall\nret").call("f")
    assert returned.syscalls[0].name == "brk"


def test_what_the_guest_writes_is_captured(load: Load) -> None:
    source = "f: mov eax, 1\nmov edi, 1\nlea rsi, [rip + text]\nmov edx, 5\nsyscall\nret"
    process = load(f'{source}\n.data\ntext: .ascii "hello"')
    assert process.call("f").result == 5
    assert process.kernel.output(1) == b"hello"


@pytest.mark.parametrize("count", [0, 1, 7, 8, 100])
def test_fill_writes_so_many_bytes(load: Load, count: int) -> None:
    process = load("f: ret\n.data\nroom: .zero 128")
    process.fill(process.image.symbols["room"] + 3, 0xAB, count)
    assert process.memory.read(process.image.symbols["room"], 128) == (
        bytes(3) + b"\xab" * count + bytes(125 - count)
    )


def test_fill_respects_the_rights_of_the_page(load: Load) -> None:
    process = load("f: ret")
    with pytest.raises(GuestFault) as caught:
        process.fill(TEXT, 1, 8)
    assert caught.value.scene.running == f"fill({TEXT:#x}, 0x101010101010101, 8)"
    assert (caught.value.address, caught.value.access) == (TEXT, "write")


# Faults


@dataclass(frozen=True)
class Death:
    """A program's end: what it says, at which instruction, in which line, after how many."""

    body: str
    what: str
    code: str
    line: int
    ran: int
    address: int | None = None
    access: str | None = None


_FAULTS = {
    "read": Death(
        "nop\nmov rax, 0x12345\nmov rdx, [rax + 3]\nret",
        "page fault: read of 0x12348, where nothing is mapped",
        "mov rdx, qword ptr [rax + 3]", 4, 2, 0x12348, "read",
    ),
    "write": Death(
        "mov eax, 0x12345\nmov [rax + 3], rdx\nret",
        "page fault: write to 0x12348, where nothing is mapped",
        "mov qword ptr [rax + 3], rdx", 3, 1, 0x12348, "write",
    ),
    "read and write": Death(
        "mov eax, 0x12345\nadd dword ptr [rax], 1\nret",
        "page fault: read of 0x12345, where nothing is mapped",
        "add dword ptr [rax], 1", 3, 1, 0x12345, "read",
    ),
    "null pointer": Death(
        "xor eax, eax\nmov rax, [rax]\nret",
        "page fault: read of 0x0, where nothing is mapped",
        "mov rax, qword ptr [rax]", 3, 1, 0, "read",
    ),
    "non-canonical": Death(
        "mov rax, 0x8000000000000000\nmov rax, [rax]\nret",
        "page fault: read of 0x8000000000000000, which is no user address",
        "mov rax, qword ptr [rax]", 3, 1, 1 << 63, "read",
    ),
    "write to text": Death(
        "nop\nnot byte ptr [rip + f]\nret",
        "page fault: write to 0x400000, where text allows r-x",
        "not byte ptr [rip - 7]", 3, 1, TEXT, "write",
    ),
    "behind the end": Death(
        f"mov eax, {DATA + PAGE}\nmov al, [rax + 5]\nret",
        f"page fault: read of {DATA + PAGE + 5:#x}, where nothing is mapped, "
        "5 bytes behind the end of data",
        "mov al, byte ptr [rax + 5]", 3, 1, DATA + PAGE + 5, "read",
    ),
    "jump to nowhere": Death(
        "mov eax, 0x12345\nnop\njmp rax",
        "page fault: jump to 0x12345, where nothing is mapped",
        "jmp rax", 4, 3, 0x12345, "execute",
    ),
    "call of null": Death(
        "xor eax, eax\ncall rax\nret",
        "page fault: jump to 0x0, where nothing is mapped",
        "call rax", 3, 2, 0, "execute",
    ),
    "jump into data": Death(
        "lea rax, [rip + d]\njmp rax",
        f"page fault: jump to {DATA:#x}, where data allows rw-",
        "jmp rax", 3, 2, DATA, "execute",
    ),
    "a return to somewhere else": Death(
        "push 5\nret",
        "page fault: jump to 0x5, where nothing is mapped",
        "ret", 3, 2, 5, "execute",
    ),
    "rep runs off the end": Death(
        f"mov edi, {DATA + PAGE - 3}\nmov ecx, 10\nrep stosb\nret",
        f"page fault: write to {DATA + PAGE:#x}, where nothing is mapped, "
        "right behind the end of data",
        "rep stosb byte ptr [rdi], al", 4, 5, DATA + PAGE, "write",
    ),
    "stack overflow": Death(
        "push rbx\ncall f\nret",
        f"page fault: write to {STACK_TOP - STACK_SIZE - 8:#x}, where nothing is mapped",
        "call 0x400000", 3, 1048065, STACK_TOP - STACK_SIZE - 8, "write",
    ),
    "division by zero": Death(
        "xor ecx, ecx\ndiv rcx\nret", "a division error (#DE)", "div rcx", 3, 1
    ),
    "division overflow": Death(
        "mov edx, 5\nmov ecx, 2\ndiv ecx\nret", "a division error (#DE)", "div ecx", 4, 2
    ),
    "ud2": Death("nop\nud2\nret", "an illegal instruction (#UD)", "ud2", 3, 1),
    "int3": Death("nop\nint3\nret", "a breakpoint (int3)", "int3", 3, 2),
    "int": Death("nop\nint 0x80\nret", "exception or interrupt 128", "int 0x80", 3, 2),
    "hlt": Death("nop\nhlt\nret", "a privileged instruction (#GP)", "hlt", 3, 1),
    "cli": Death("nop\ncli\nret", "a protection fault (#GP)", "cli", 3, 1),
    "a port": Death(
        "inc eax\nin al, dx\nret", "a privileged instruction (#GP)", "in al, dx", 3, 1
    ),
    "wrmsr": Death("wrmsr\nret", "a protection fault (#GP)", "wrmsr", 2, 0),
    "mov from cr0": Death(
        f"nop\n{guests.raw(bytes.fromhex('0f20c0'))}\nret",
        "a protection fault (#GP)", "mov rax, cr0", 3, 1,
    ),
    "rdrand": Death(
        f"nop\n{guests.raw(bytes.fromhex('480fc7f0'))}\nret",
        "an instruction that this CPU does not have (#UD)", "rdrand rax", 3, 1,
    ),
    "movaps": Death(
        "lea rdi, [rip + d]\nmovaps [rdi + 8], xmm0\nret",
        "a protection fault (#GP)", "movaps xmmword ptr [rdi + 8], xmm0", 3, 1,
    ),
    "AVX": Death(
        f"nop\ninc eax\n{guests.raw(bytes.fromhex('c5f1fec2'))}\nret",
        "an AVX instruction, which this CPU does not have (#UD)",
        "vpaddd xmm0, xmm1, xmm2", 4, 2,
    ),
    "AVX, first of its block": Death(
        f"jmp .Lavx\n.Lavx: {guests.raw(bytes.fromhex('c5f877'))}\nret",
        "an AVX instruction, which this CPU does not have (#UD)", "vzeroupper", 3, 1,
    ),
}  # fmt: skip


@pytest.mark.parametrize("death", _FAULTS.values(), ids=_FAULTS)
def test_a_fault_is_located(load: Load, death: Death) -> None:
    process = load(f"f: {death.body}\n.data\nd: .zero 64")
    error = _death(process)
    scene = error.scene
    assert isinstance(error, GuestFault)
    assert error.what == death.what
    assert scene.code == death.code
    assert (scene.place or "").endswith(f"guest.s:{death.line}")
    assert (scene.text or "").strip() in f"f: {death.body}".split("\n")
    assert scene.instructions == death.ran
    assert (error.address, error.access) == (death.address, death.access)
    assert scene.running == "f()"
    assert scene.symbol is not None
    assert scene.symbol.startswith("f")


@pytest.mark.parametrize("death", _FAULTS.values(), ids=_FAULTS)
def test_a_fault_in_a_later_call_counts_that_call_alone(load: Load, death: Death) -> None:
    process = load(f"f: {death.body}\nwell: mov ecx, 9\n.Lx: loop .Lx\nret\n.data\nd: .zero 64")
    process.call("well")
    assert _death(process).scene.instructions == death.ran


def test_a_report_says_it_all(load: Load) -> None:
    error = _death(load("f: mov ebx, 0x77\nmov rax, [rdi + 8]\nret"), 0x5000, 3)
    report = str(error).split("\n")
    assert report[:3] == [
        "page fault: read of 0x5008, where nothing is mapped",
        "  in       f(20480, 3), after 1 instructions",
        "  at       0x400005 (f+0x5): mov rax, qword ptr [rdi + 8]",
    ]
    assert report[3].startswith("  source   ")
    assert report[3].endswith("guest.s:3: mov rax, [rdi + 8]")
    assert "rbx    0x0000000000000077" in report[4]
    assert "rip    0x0000000000400005" in report[-1]


def test_the_registers_are_those_at_the_instruction(load: Load) -> None:
    body = "mov eax, 1\nmov ecx, 2\nmov edx, [rax]\nmov ecx, 3\nret"
    registers = _death(load(f"f: {body}")).scene.registers
    assert (registers["rax"], registers["rcx"], registers["rip"]) == (1, 2, TEXT + 10)


def test_a_function_that_is_none_is_reported_where_it_is(load: Load) -> None:
    process = load("f: ret")
    with pytest.raises(GuestFault) as caught:
        process.call(0x1234)
    assert (caught.value.address, caught.value.access) == (0x1234, "execute")
    assert (caught.value.scene.running, caught.value.scene.instructions) == ("0x1234()", 0)


# The time stamp


def test_the_time_stamp_is_the_count_of_instructions(load: Load) -> None:
    source = "f: rdtsc\nmov r8, rax\nnop\nnop\nrdtscp\nsub rax, r8\nshl rdx, 32\nadd rax, rdx\nret"
    process = load(source)
    returned = process.call("f")
    assert (returned.result, returned.instructions) == (4, 9)


def test_cpuid_shows_neither_avx_nor_xsave_nor_rdrand(load: Load) -> None:
    source = "f: push rbx\nmov eax, 1\ncpuid\nmov eax, ecx\npop rbx\nret"
    features = load(source).call("f").result
    sse42, xsave, osxsave, avx, rdrand = (features >> bit & 1 for bit in (20, 26, 27, 28, 30))
    assert (sse42, xsave, osxsave, avx, rdrand) == (1, 0, 0, 0, 0)


# No return


def test_a_call_that_never_returns_ends_with_its_budget(load: Load) -> None:
    process = load("f: nop\n.Lturn: inc rax\njmp .Lturn", budget=1000)
    error = _death(process)
    assert isinstance(error, BudgetSpent)
    assert error.what == "no return within 1000 instructions"
    assert (error.scene.running, error.scene.symbol) == ("f()", "f+0x1")
    assert (error.scene.code, error.scene.instructions) == ("inc rax", 999)
    assert (error.scene.place or "").endswith("guest.s:3")


def test_the_budget_is_every_calls_own(load: Load) -> None:
    process = load("f: mov ecx, 300\n.Lturn: loop .Lturn\nret", budget=302)
    assert [process.call("f").instructions for _ in range(5)] == [302] * 5


def test_one_instruction_less_is_too_few(load: Load) -> None:
    process = load("f: mov ecx, 300\n.Lturn: loop .Lturn\nret", budget=301)
    assert isinstance(_death(process), BudgetSpent)


# The end


@pytest.mark.parametrize("number", [60, 231], ids=["exit", "exit_group"])
def test_a_guest_that_exits_inside_a_call_says_with_which_status(load: Load, number: int) -> None:
    error = _death(load(f"f: mov edi, 3\nmov eax, {number}\nsyscall\nret"))
    assert isinstance(error, GuestExited)
    assert error.status == 3
    assert (error.scene.code, error.scene.instructions) == ("syscall", 3)
    assert (error.scene.place or "").endswith("guest.s:4")


@pytest.mark.parametrize("body", ["ud2", "jmp f", "mov eax, 60\nsyscall"])
def test_a_dead_process_refuses_further_calls(load: Load, body: str) -> None:
    process = load(f"f: {body}\ng: ret", budget=100)
    _death(process)
    with pytest.raises(ClosedError, match="dead"):
        process.call("g")


def test_a_call_that_was_interrupted_leaves_a_dead_process(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(number: int, registers: tuple[int, ...]) -> int:
        raise KeyboardInterrupt

    process = load("f: syscall\nret")
    monkeypatch.setattr(process.kernel, "call", interrupt)
    with pytest.raises(KeyboardInterrupt):
        process.call("f")
    with pytest.raises(ClosedError, match="dead"):
        process.call("f")
