"""Real gdb finds lines, names and callers in our ELF files, and runs one natively."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from core import core
from gdb import gdb
from shadow import Called, Shadow

from asm import assemble
from asm.elf import executable
from asm.image import Image
from asm.source import PACKAGE
from emu import Heap
from emu.debug.executable import executable as of_process
from emu.debug.unwind import frames
from emu.errors import BudgetSpent


@pytest.fixture(scope="module")
def osmem() -> Image:
    return assemble(PACKAGE / "osmem" / "osmem.s")


@pytest.fixture(scope="module")
def file(osmem: Image, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gdb") / "osmem.elf"
    path.write_bytes(of_process(osmem))
    return path


def test_every_function_begins_at_its_line(file: Path, osmem: Image) -> None:
    names = [n for n, a in osmem.symbols.items() if a < osmem.segments[0].end]
    said = gdb(file, *(f"info line *{osmem.symbols[name]:#x}" for name in names)).splitlines()
    for name, answer in zip(names, said, strict=True):
        line = osmem.line_at(osmem.symbols[name])
        assert line
        start, end = osmem.symbols[name], line.address + line.size
        assert answer.startswith(f'Line {line.line} of "')
        assert f"starts at address {start:#x} <{name}> and ends at {end:#x} " in answer
        assert f"/{line.file}" in answer or Path(line.file).name in answer


def test_every_address_has_its_symbol(file: Path, osmem: Image) -> None:
    addresses = [line.address for line in osmem.lines]
    said = gdb(file, *(f"info symbol {address:#x}" for address in addresses)).splitlines()
    found = [re.sub(r" in section \..*", "", answer) for answer in said]
    expected = [osmem.symbol_at(address) or "" for address in addresses]
    assert [_spelled(name) for name in expected] == found


def _spelled(symbol: str) -> str:
    name, plus, offset = symbol.partition("+")
    return f"{name} + {int(offset, 0)}" if plus else name


def test_a_breakpoint_on_any_line_is_at_its_address(file: Path, osmem: Image) -> None:
    """By the name that our messages give the file."""
    code = [line for line in osmem.lines if line.address < osmem.segments[0].end]
    said = gdb(file, *(f"break {line.place}" for line in code))
    found = re.findall(r"^Breakpoint \d+ at (0x[0-9a-f]+)", said, re.MULTILINE)
    assert [int(address, 16) for address in found] == [line.address for line in code]
    assert gdb(file, "break os_malloc").startswith(
        f"Breakpoint 1 at {osmem.symbols['os_malloc']:#x}: file "
    )


def test_the_source_is_listed(file: Path) -> None:
    assert "os_malloc:\n" in gdb(file, "list os_malloc")
    shown = gdb(file, "disassemble /s os_free")
    source = (PACKAGE / "osmem" / "free.s").read_text().splitlines()
    lines = [line for line in source if line.startswith(" ") and ".globl" not in line]
    assert all(line in shown for line in lines)
    assert "<unmap_block>" in shown


@pytest.mark.parametrize("budget", [3, 20, 40, 60])
def test_a_backtrace_of_an_emulated_process_ends_at_the_way_out(
    budget: int, file: Path, tmp_path: Path
) -> None:
    """gdb reads a core file of a process that a budget stopped, and tells what the calls were."""
    truth: list[list[int]] = []
    with Heap() as heap:
        Shadow(heap.process, lambda at, _, calls: truth.append([at, *_returns(calls)]))
        heap.malloc(100)
    with Heap(budget=budget) as heap:
        with pytest.raises(BudgetSpent):
            heap.malloc(100)
        stopped = tmp_path / "core"
        stopped.write_bytes(core(heap.process))
        expected = truth[heap.process.cpu.counter.count]
    said = gdb(file, "bt", 'printf "end\\n"', core=stopped)
    outermost = re.findall(r"^#\d+ .*\bleave \(\) at .*harness\.s:\d+\nend$", said, re.MULTILINE)
    assert len(outermost) == 1, said
    commands = [c for n in range(len(expected)) for c in (f"frame {n}", "p/x (long)$pc")]
    found = re.findall(r"^\$\d+ = (0x[0-9a-f]+)", gdb(file, *commands, core=stopped), re.MULTILINE)
    assert [int(address, 16) for address in found] == expected


def _returns(calls: list[Called]) -> list[int]:
    return [call.returns_to for call in calls]


NESTED = """\
        .intel_syntax noprefix
        .globl  _start
_start:
        mov     ebx, 7
        call    outer
        mov     edi, ebx
        mov     eax, 60
        syscall
outer:
        push    rbp
        mov     rbp, rsp
        push    rbx
        and     rsp, -16
        mov     ebx, 9
        call    middle
        lea     rsp, [rbp - 8]
        pop     rbx
        leave
        ret
middle:
        push    rbx
        sub     rsp, 24
        mov     ebx, 11
        call    inner
        add     rsp, 24
        pop     rbx
        jmp     last
inner:
        push    r12
        mov     r12, rdi
        pop     r12
        ret
last:
        ret
"""


@pytest.fixture
def nested(tmp_path: Path) -> Path:
    source = tmp_path / "nested.s"
    source.write_text(NESTED)
    return _native(assemble(source), tmp_path / "nested")


def _native(image: Image, path: Path) -> Path:
    path.write_bytes(executable(image, frames=frames(image, {"_start"})))
    path.chmod(0o755)
    return path


def test_gdb_walks_from_the_innermost_function_out(nested: Path) -> None:
    said = gdb(nested, "break inner", "run", "stepi 2", "bt", "up", "p $rbx", "up", "p $rbx",
               "up", "p $rbx", "break last", "continue", "bt", "delete", "continue")  # fmt: skip
    calls = re.findall(r"^#(\d) .*?(\w+) \(\) at .*nested\.s:(\d+)$", said, re.MULTILINE)
    inside = [("0", "inner", "31"), ("1", "middle", "24"), ("2", "outer", "15"),
              ("3", "_start", "5")]  # fmt: skip
    at_last = [("0", "last", "34"), ("1", "outer", "15"), ("2", "_start", "5")]
    assert calls == [*inside, *inside[1:], *at_last]
    assert re.findall(r"^\$\d = (\d+)", said, re.MULTILINE) == ["11", "9", "7"]
    assert "exited with code 07" in said


DRIVER = """\
        .intel_syntax noprefix
        .globl  _start
        .include "osmem/osmem.s"
_start:
        mov     edi, 100
        call    os_malloc
        mov     r12, rax
        mov     edi, 100000
        call    os_malloc
        mov     rdi, r12
        mov     esi, 50000
        call    os_realloc
        mov     r12, rax
        mov     edi, 30
        mov     esi, 5
        call    os_calloc
        mov     rdi, r12
        mov     rsi, 200000
        call    os_realloc
        mov     rdi, rax
        call    os_free
finish:
        mov     eax, 60
        xor     edi, edi
        syscall
"""

WALK = """\
import gdb
gdb.execute("break *_start")
gdb.execute("run")
finish = int(gdb.parse_and_eval("(long)&finish"))
calls, steps, depth, wrong = [], 0, 0, 0
while int(gdb.parse_and_eval("(long)$pc")) != finish:
    frame = gdb.selected_frame()
    pc = frame.pc()
    name = frame.architecture().disassemble(pc)[0]
    told = []
    while (frame := frame.older()) is not None:
        told.append(frame.pc())
    wrong += told != calls[::-1]
    depth = max(depth, len(calls))
    word = name["asm"].split()[0]
    if word.startswith("call"):
        calls.append(pc + name["length"])
    elif word.startswith("ret"):
        calls.pop()
    gdb.execute("stepi", to_string=True)
    steps += 1
print(f"{steps} steps, {depth} deep, {wrong} wrong")
gdb.execute("kill")
"""


def test_gdb_knows_the_callers_at_every_step_of_the_allocator(tmp_path: Path) -> None:
    """osmem runs on the host's CPU and kernel, and gdb's frames are compared with the calls."""
    image = _driver(tmp_path)
    steps, depth, wrong = _walked(_native(image, tmp_path / "driver"))
    assert (depth, wrong) == (5, 0)
    assert steps > 300


def test_without_frames_gdb_would_be_wrong(tmp_path: Path) -> None:
    """Which proves the comparison."""
    driver = tmp_path / "driver"
    driver.write_bytes(executable(_driver(tmp_path)))
    driver.chmod(0o755)
    assert _walked(driver)[2] > 100


def _driver(folder: Path) -> Image:
    (folder / "driver.s").write_text(DRIVER)
    return assemble(folder / "driver.s")


def _walked(driver: Path) -> tuple[int, int, int]:
    """Steps, the deepest chain of calls, and at how many steps gdb's was another."""
    script = driver.with_name("walk.py")
    script.write_text(WALK)
    said = gdb(driver, f"source {script}")
    found = re.search(r"^(\d+) steps, (\d+) deep, (\d+) wrong$", said, re.MULTILINE)
    assert found, said
    return int(found[1]), int(found[2]), int(found[3])
