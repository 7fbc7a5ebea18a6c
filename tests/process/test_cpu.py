"""The CPU by itself: registers, start values, callbacks, and what closing gives back."""

from __future__ import annotations

import gc
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import guests
import pytest
from guests import Load

from asm.assembler import BASE
from emu.process.cpu import Cpu
from emu.process.mmu import Mmu
from emu.process.process import Process
from emu.process.registers import FPCW, GENERAL, MXCSR, RFLAGS, new_state
from emu.process.stop import Stop
from syscalls.abi import PAGE


@contextmanager
def bare(
    source: str, on_syscall: Any = lambda number, args: 0, walk: Any = None
) -> Iterator[tuple[Cpu, Callable[[], Stop]]]:
    """A CPU with memory and nothing else, and what runs a program on it."""
    memory = Mmu(lambda page, access: "rwx", 1 << 30)
    with Cpu(walk or memory.walk, on_syscall) as cpu:
        memory.windows.map_window = cpu.map_window
        memory.write(BASE, guests.image("main:\n" + source).segments[0].data)
        yield cpu, lambda: cpu.run(BASE, 10**6)
    memory.close()


def _resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * PAGE


# Registers


def test_every_register_comes_in_as_set() -> None:
    names = [name for name in GENERAL if name not in ("rip", "rflags", "rsp")]
    store = "\n".join(f"mov [rsp + {8 * i}], {name}" for i, name in enumerate(names))
    values = {name: 0x1111_2222_0000_0000 + i for i, name in enumerate(names)} | {"rsp": 0x10_0000}
    with bare(f"{store}\npushfq\npop rbx\nhlt") as (cpu, run):
        cpu.set_state(new_state(values | {"rflags": RFLAGS | 0x8D5}))
        assert run() is Stop.HALTED
        pushed = cpu._engine.read(0x10_0000, 8 * len(names))
        assert [int.from_bytes(pushed[i : i + 8], "little") for i in range(0, len(pushed), 8)] == [
            values[name] for name in names
        ]
        assert cpu.get("rbx") == RFLAGS | 0x8D5


def test_both_halves_of_every_xmm_register_come_in_as_set() -> None:
    store = "\n".join(f"movups [rsp + {16 * i}], xmm{i}" for i in range(16))
    values = [0x0123_4567_89AB_CD00 + i for i in range(32)]
    with bare(f"{store}\nhlt") as (cpu, run):
        cpu.set_state(new_state({"rsp": 0x10_0000}, xmm=values))
        assert run() is Stop.HALTED
        assert cpu._engine.read(0x10_0000, 256) == b"".join(v.to_bytes(8, "little") for v in values)


def test_a_new_cpu_starts_as_linux_starts_a_process() -> None:
    with bare("hlt") as (cpu, _):
        state = cpu.state()
        assert [state[name] for name in ("mxcsr", "fpcw", "rflags")] == [MXCSR, FPCW, RFLAGS]
        assert (MXCSR, FPCW, RFLAGS) == (0x1F80, 0x37F, 0x202)
        assert (cpu.get("fpsw"), cpu.get("fptag")) == (0, 0xFFFF)


# System calls


def test_a_system_call_gets_its_number_and_arguments_and_answers_in_rax() -> None:
    asked: list[tuple[int, tuple[int, ...]]] = []
    registers = ("rdi", "rsi", "rdx", "r10", "r8", "r9")
    moves = "\n".join(f"mov {name}, {i + 1}" for i, name in enumerate(registers))

    def on_syscall(number: int, args: tuple[int, ...]) -> int:
        asked.append((number, args))
        return (1 << 64) - 38

    with bare(f"mov eax, 999\n{moves}\nsyscall\nhlt", on_syscall) as (cpu, run):
        run()
        assert asked == [(999, (1, 2, 3, 4, 5, 6))]
        assert cpu.get("rax") == (1 << 64) - 38


def test_syscall_leaves_the_next_address_in_rcx_and_the_flags_in_r11() -> None:
    with bare("stc\nlea rbx, [rip + after]\nsyscall\nafter: hlt") as (cpu, run):
        run()
        assert cpu.get("rcx") == cpu.get("rbx")
        assert cpu.get("r11") == cpu.get("rflags")
        assert cpu.get("r11") & 1


def test_none_from_a_system_call_stops_the_run() -> None:
    with bare("syscall\nud2", lambda number, args: None) as (_, run):
        assert run() is Stop.ASKED


# The page walk


@pytest.mark.parametrize("pages", [200, 1000, 6000])
def test_memory_that_is_gone_through_again_is_not_walked_again(pages: int) -> None:
    """The TLB grows within a run: of 256 entries, none would be found again in time."""
    over_all = f"""
            mov     edx, 50
    .Lall:  mov     edi, 0x10000000
            mov     ecx, {pages}
    .Lpage: mov     al, [rdi]
            add     rdi, {PAGE}
            dec     ecx
            jnz     .Lpage
            dec     edx
            jnz     .Lall
            hlt
    """
    walked: list[int] = []
    with bare(over_all) as (cpu, _):
        walk = cpu._walk
        cpu._walk = lambda page, access: walked.append(page) or walk(page, access)
        assert cpu.run(BASE, 10**7) is Stop.HALTED
    assert len(set(walked)) > pages
    assert len(walked) < 5 * pages


# Exceptions in callbacks


class _OursError(Exception):
    pass


def _raise(*_: object) -> int:
    raise _OursError


def test_an_exception_in_a_system_call_comes_out_of_run() -> None:
    with bare("syscall\nmov ebx, 1\nhlt", _raise) as (cpu, run):
        with pytest.raises(_OursError):
            run()
        assert cpu.get("rbx") == 0, "it ran on"


def test_an_exception_in_the_page_walk_comes_out_of_run() -> None:
    with bare("hlt", walk=_raise) as (_, run), pytest.raises(_OursError):
        run()


def test_after_an_exception_the_cpu_runs_again() -> None:
    answers = iter([_raise, lambda: 7])
    with bare("syscall\nhlt", lambda number, args: next(answers)()) as (cpu, run):
        with pytest.raises(_OursError):
            run()
        assert run() is Stop.HALTED
        assert cpu.get("rax") == 7


# Interrupted


_LOOPS = {
    "in machine code alone": "jmp main",
    "in system calls": "syscall\njmp main",
    "in the page walk": "mov [rdi], rax\nadd rdi, 4096\nbtr rdi, 35\njmp main",
    "in one instruction": "mov ecx, 1000000\nrep lodsb\nmov rsi, rdi\njmp main",
}


@pytest.mark.parametrize("body", _LOOPS.values(), ids=_LOOPS)
def test_an_interrupt_ends_an_endless_loop_soon(body: str) -> None:
    with bare(body) as (cpu, _):
        cpu.set("rdi", BASE + PAGE)
        cpu.set("rsi", BASE)
        handler = signal.signal(signal.SIGALRM, signal.default_int_handler)
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        begun = time.monotonic()
        try:
            with pytest.raises(KeyboardInterrupt):
                cpu.run(BASE, 10**15)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, handler)
        assert time.monotonic() - begun < 20, "a slice takes longer than a person waits"


# Code changed by the host


def test_code_that_the_host_changed_runs_as_it_is_now(load: Load) -> None:
    process = load("f: call g\nret\ng: mov eax, 1\nret")
    assert process.call("f").result == 1
    process.memory.write(process.image.symbols["g"] + 1, b"\x02")
    assert process.call("f").result == 2


# Closing


def test_closing_twice_does_nothing() -> None:
    process = Process(guests.image("f: ret"))
    process.call("f")
    process.close()
    process.close()


def _kept_by(count: int, make: Callable[[], object]) -> int:
    """Bytes that the process of this test grows by, after some to warm up."""
    for _ in range(20):
        make()
    gc.collect()
    before = _resident()
    for _ in range(count):
        make()
    gc.collect()
    return _resident() - before


def _ran() -> Process:
    process = Process(guests.image("f: push rax\npop rax\nret"))
    process.call("f")
    return process


def test_closed_processes_keep_no_memory() -> None:
    assert _kept_by(200, lambda: _ran().close()) < 24 << 20


def test_processes_that_nobody_closed_are_given_back_too() -> None:
    assert _kept_by(60, _ran) < 60 << 20


def test_that_check_sees_a_leak() -> None:
    kept: list[Process] = []
    assert _kept_by(30, lambda: kept.append(_ran())) > 60 << 20
    for process in kept:
        process.close()
