"""Accesses that must be aligned, judged at the entry of their block: as in place, as on a CPU."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path

import blocks
import guests
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from emu.errors import BudgetSpent, GuestFault
from emu.process import entry_check, minding
from emu.process.process import Process
from emu.process.program import Program
from syscalls.execve import Bytes, Executable
from syscalls.world import Capture, World

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="no x86-64 host")

_DATA = ".data\n.p2align 4\nroom: .zero 256"
_LOOP = """
    f:      lea     rdi, [rip + room]
    .Lturn: movaps  [rdi + 16], xmm0
            movaps  xmm1, [rdi + rsi*8 + 32]
            add     rdi, rdx
            movaps  [rdi], xmm1
            dec     rcx
            jnz     .Lturn
            ret
"""


def _in_place(patch: pytest.MonkeyPatch) -> None:
    """Nothing is judged at the entry: each access is looked at."""
    patch.setattr(minding, "judged", lambda code, address, accesses: (frozenset(), accesses))


def _made(process: Process | Program) -> dict[object, int]:
    return process.cpu._minding._entry_checks._made


# Random blocks


def _played(program: Path) -> tuple[str, int, int]:
    """What it prints, how many instructions it takes, how many routines were made for it."""
    out = Capture()
    with Program(world=World(stdout=out)) as process:
        process.load(Executable("blocks", Bytes(program.read_bytes())), [b"blocks"])
        ended = process.play()
        assert (ended.signal, ended.exit_status) == (None, 0)
        return out.written.decode(), ended.instructions, len(_made(process))


@given(st.lists(st.tuples(blocks.blocks, blocks.starts), min_size=20, max_size=40))
@settings(max_examples=8, phases=[Phase.generate])
def test_random_blocks_fault_where_they_do_on_a_real_cpu(
    tmp_path_factory: pytest.TempPathFactory, bodies: list[tuple[str, list[int]]]
) -> None:
    program = blocks.program(bodies, tmp_path_factory.mktemp("blocks"))
    host = subprocess.run([program], check=True, capture_output=True, text=True, timeout=60).stdout
    printed, instructions, routines = _played(program)
    assert printed == host
    with pytest.MonkeyPatch.context() as patch:
        _in_place(patch)
        assert _played(program) == (host, instructions, 0)
    assert routines > 0


# By hand


def _outcome(source: str, *arguments: int) -> tuple[int, int, int]:
    """Instructions, the place of the fault if there was one, and rcx there."""
    with Process(guests.image(source)) as process:
        try:
            return process.call("f", *arguments).instructions, 0, 0
        except GuestFault as fault:
            scene = fault.scene
            return scene.instructions, scene.address, scene.registers["rcx"]


@pytest.mark.parametrize("index", [0, 1, 2, 4, 6])
@pytest.mark.parametrize("step", [0, 16, 8, 4])
@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_loop_faults_as_it_does_in_place(
    monkeypatch: pytest.MonkeyPatch, index: int, step: int, turns: int
) -> None:
    source = f"{_LOOP}\n{_DATA}"
    judged = _outcome(source, 0, index, step, turns)
    _in_place(monkeypatch)
    assert judged == _outcome(source, 0, index, step, turns)
    wrong = index % 2 or (step % 16 and (step != 16))
    assert bool(judged[1]) == bool(wrong)


def test_code_whose_accesses_are_aligned_for_certain_is_not_translated_twice() -> None:
    source = f"f: movaps xmm0, [rip + room]\nxor eax, eax\nmovaps xmm1, [rax + room]\nret\n{_DATA}"
    with Process(guests.image(source.replace("rax + room", "rip + room + 16"))) as process:
        process.call("f")
        assert len(process.cpu._minding) == 0


def test_blocks_that_ask_the_same_share_a_routine() -> None:
    body = "\n".join(f".Lpart{n}: movaps xmm0, [rdi + {16 * n}]\njmp .Lpart{n + 1}"
                     for n in range(6))  # fmt: skip
    source = f"f: lea rdi, [rip + room]\njmp .Lpart0\n{body}\n.Lpart6: ret\n{_DATA}"
    with Process(guests.image(source)) as process:
        assert process.call("f").instructions == 2 + 12 + 1
        assert len(process.cpu._minding) == 6
        assert len(_made(process)) == 1


def test_an_address_that_is_not_known_at_the_entry_is_looked_at_in_place() -> None:
    source = f"f: mov rax, [rip + pointer]\nmovaps xmm0, [rax]\nret\n{_DATA}\npointer: .quad room"
    assert _outcome(source) == (3, 0, 0)
    assert _outcome(source.replace(".quad room", ".quad room + 8"))[0] == 1


def test_a_block_of_both_kinds() -> None:
    source = (f"f: lea rdi, [rip + room]\njmp .Lboth\n.Lboth: movaps xmm1, [rdi + rsi]\n"
              f"mov rax, [rip + pointer]\nmovaps xmm0, [rax]\nmovaps xmm2, [rdi + rdx]\nret\n"
              f"{_DATA}\npointer: .quad room")  # fmt: skip
    assert _outcome(source, 0, 16, 32) == (7, 0, 0)
    assert _outcome(source, 0, 8, 32)[0] == 2
    assert _outcome(source, 0, 16, 40)[0] == 5
    assert _outcome(source.replace(".quad room", ".quad room + 8"), 0, 16, 40)[0] == 4


def test_the_budget_stops_before_the_block_that_would_pass_it() -> None:
    with Process(guests.image(f"{_LOOP}\n{_DATA}"), budget=27) as process:
        with pytest.raises(BudgetSpent) as caught:
            process.call("f", 0, 0, 0, 1000)
        assert caught.value.scene.instructions == 7 + 3 * 6


def test_code_that_was_changed_is_judged_anew() -> None:
    source = f"f: movaps xmm0, [rdi]\nret\n{_DATA}"
    with Process(guests.image(source)) as process:
        start, room = (process.image.symbols[name] for name in ("f", "room"))
        assert process.call("f", room).instructions == 2
        process.memory.write(start, bytes.fromhex("0f2806"))  # movaps xmm0, [rsi]
        assert process.call("f", room + 8, room).instructions == 2
        with pytest.raises(GuestFault, match="#GP"):
            process.call("f", room, room + 8)


def test_what_stands_before_a_refused_instruction_is_checked() -> None:
    vzeroupper = ".byte 0xc5, 0xf8, 0x77"
    source = f"f: lea rdi, [rip + room]\nmovaps xmm0, [rdi + rsi]\nnop\n{vzeroupper}\nret\n{_DATA}"
    for offset, ran, why in ((0, 3, "AVX"), (8, 1, "#GP")):
        with Process(guests.image(source)) as process:
            with pytest.raises(GuestFault, match=why) as caught:
                process.call("f", 0, offset)
            assert caught.value.scene.instructions == ran


def test_where_registers_are_not_found_every_access_is_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert entry_check.usable()
    monkeypatch.setattr(entry_check, "registers_found", lambda: False)
    with Process(guests.image(f"{_LOOP}\n{_DATA}")) as process:
        assert process.call("f", 0, 0, 16, 3).instructions == 1 + 18 + 1
        assert len(process.cpu._minding) > 0
        assert len(_made(process)) == 0


def test_a_block_with_many_different_addresses_is_looked_at_in_place() -> None:
    registers = "rax rbx rcx rdx rsi rdi r8 r9 r10".split()
    loads = "\n".join(f"lea {name}, [rip + room]" for name in registers)
    uses = "\n".join(f"movaps xmm0, [{name}]" for name in registers)
    source = f"f: {loads}\njmp .Luse\n.Luse: {uses}\nret\n{_DATA}"
    with Process(guests.image(source)) as process:
        assert process.call("f").instructions == 9 + 1 + 9 + 1
        assert len(_made(process)) == 0


def test_accesses_at_an_odd_place_that_is_written_in_the_code() -> None:
    source = f"f: nop\nmovaps xmm0, [rip + room + 8]\nret\n{_DATA}"
    assert _outcome(source)[0] == 1
