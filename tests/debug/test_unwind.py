"""Wherever an allocator stands, the way to its callers is the true one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from random import Random

import pytest
from programs_to_debug import assembled as guest
from shadow import Called, Shadow
from unwinding import Unwinder

from asm.dwarf.frame import Frame
from asm.elf import executable
from emu import Heap, allocators
from emu.debug.unwind import frames
from emu.errors import BudgetSpent
from emu.process.disassembly import statements
from emu.process.process import Process, harness
from emu.run import run
from emu.scenario.load import TOUR, shipped

OUTERMOST = ("enter", "leave")


def _frames() -> tuple[Frame, ...]:
    return frames(allocators.find("osmem")) + frames(harness(), OUTERMOST)


def _unwinder(rows: tuple[Frame, ...]) -> Unwinder:
    return Unwinder(executable([allocators.find("osmem"), harness()], frames=rows))


class _Comparison:
    """Every call chain is compared once at each instruction where it is met."""

    def __init__(self, process: Process, unwinder: Unwinder) -> None:
        self.seen: set[tuple[int, ...]] = set()
        self.differences: list[str] = []
        self._memory, self._unwinder = process.memory, unwinder
        Shadow(process, self._see)

    def read(self, address: int) -> int:
        return int.from_bytes(self._memory.read(address, 8), "little")

    def _see(self, address: int, registers: Mapping[str, int], calls: list[Called]) -> None:
        key = (address, *(call.returns_to for call in calls))
        if key in self.seen:
            return
        self.seen.add(key)
        try:
            found = list(self._unwinder.callers(address, registers, self.read))
        except LookupError:  # on a wrong way nothing stands where it leads
            found = []
        if [caller["rip"] for caller in found] != [call.returns_to for call in calls]:
            self.differences.append(f"callers of {address:#x}")
            return
        for caller, call in zip(found, calls, strict=True):
            told = {name: caller[name] for name in caller if name != "rip"}
            if told != {name: call.registers[name] for name in told}:
                self.differences.append(f"registers of a caller of {address:#x}")


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> list[_Comparison]:
    """The comparisons of the heaps that `run` makes."""
    made: list[_Comparison] = []
    unwinder = _unwinder(_frames())

    class Watched(Heap):
        def __init__(self, *args: object, **options: object) -> None:
            super().__init__(*args, **options)
            made.append(_Comparison(self.process, unwinder))

    monkeypatch.setitem(run.__globals__, "Heap", Watched)
    return made


@pytest.mark.parametrize("name", TOUR)
def test_in_every_scenario_the_callers_are_those_that_called(
    name: str, watched: list[_Comparison]
) -> None:
    (path,) = shipped([name])
    run(path)
    (comparison,) = watched
    assert comparison.differences == []
    assert len(comparison.seen) > 50


def test_the_scenarios_execute_every_instruction(watched: list[_Comparison]) -> None:
    for path in shipped():
        run(path)
    executed = {key[0] for comparison in watched for key in comparison.seen}
    assert executed == set(_instructions())
    assert max(len(key) for comparison in watched for key in comparison.seen) > 4


def test_a_wrong_row_would_be_seen() -> None:
    """Each row of osmem in turn is moved by a word; where it is passed, that is found."""
    good = frames(allocators.find("osmem"))
    around = frames(harness(), OUTERMOST)
    found = 0
    for number, frame in enumerate(good):
        for row, end in zip(frame.rows, _ends(frame), strict=True):
            register, offset = row.cfa
            moved = replace(row, cfa=(register, offset + 8))
            rows = tuple(moved if one is row else one for one in frame.rows)
            bad = (*good[:number], replace(frame, rows=rows), *good[number + 1 :], *around)
            with Heap() as heap:
                comparison = _Comparison(heap.process, _unwinder(bad))
                _exercise(heap)
            passed = any(row.address <= key[0] < end for key in comparison.seen)
            assert bool(comparison.differences) == passed
            found += passed
    assert found > 50


def _ends(frame: Frame) -> list[int]:
    return [*(row.address for row in frame.rows[1:]), frame.end]


def test_the_way_to_the_caller_is_known_at_every_instruction_of_osmem() -> None:
    unwinder = _unwinder(_frames())
    assert [hex(a) for a in _instructions() if unwinder.rules(a) is None] == []


def test_where_a_budget_ends_the_callers_are_those_of_that_instruction() -> None:
    unwinder = _unwinder(_frames())
    truth: list[tuple[int, ...]] = []
    with Heap() as heap:
        Shadow(heap.process, lambda at, _, calls: truth.append((at, *_returns(calls))))
        block = _prepare(heap)
        truth.clear()
        heap.realloc(block, 5000)
    depths = set()
    for count in Random(1).sample(range(1, len(truth)), 60):
        with Heap() as heap:
            block = _prepare(heap)
            process = heap.process
            process.budget = count
            before = process.cpu.counter.count
            with pytest.raises(BudgetSpent):
                heap.realloc(block, 5000)
            state = process.cpu.state()
            address = state.pop("rip")

            def read(place: int, process: Process = process) -> int:
                return int.from_bytes(process.memory.read(place, 8), "little")

            callers = unwinder.callers(address, state, read)
            stopped = (address, *(caller["rip"] for caller in callers))
            assert stopped == truth[process.cpu.counter.count - before]
            depths.add(len(stopped))
    assert {2, 3, 4} <= depths


def _returns(calls: list[Called]) -> Iterator[int]:
    return (call.returns_to for call in calls)


def _prepare(heap: Heap) -> int:
    block = heap.malloc(100)
    heap.malloc(24)
    heap.free(heap.malloc(300))
    return block


def _exercise(heap: Heap) -> None:
    block = _prepare(heap)
    heap.realloc(block, 5000)
    heap.free(heap.calloc(10, 40))
    heap.free(heap.malloc(200_000))


def _instructions() -> Iterator[int]:
    image = allocators.find("osmem")
    for line in image.lines:
        if line.address < image.segments[0].end:
            code = image.bytes_at(line.address, line.size)
            yield from (address for address, _, _ in statements(code, line.address))


# What the flow of the code tells, one idiom each


_MAIN = ".globl f\nf:\n"
_KNOWN = {
    "a frame pointer, and the stack aligned": (
        "push rbp\nmov rbp, rsp\nand rsp, -16\nnop\nleave\nret",
        ["rsp+8", "rsp+16", "rsp+16", "rbp+16", "rbp+16", "rsp+8"],
    ),
    "room that is made and given back": (
        "sub rsp, 40\nlea rsp, [rsp + 8]\nadd rsp, 32\nret",
        ["rsp+8", "rsp+48", "rsp+40", "rsp+8"],
    ),
    "enter": ("nop\nenter 32, 0\nleave\nret", ["rsp+8", "rsp+8", "rsp+48", "rsp+8"]),
    "flags": ("pushfq\npopfq\nret", ["rsp+8", "rsp+16", "rsp+8"]),
    "the stack kept in another register": (
        "mov r11, rsp\nmov rsp, rdi\nnop\nmov rsp, r11\nret",
        ["rsp+8", "rsp+8", "r11+8", "r11+8", "rsp+8"],
    ),
    "a loop that leaves the stack alone": (
        "push rbx\n.Lagain:\ndec rdi\njnz .Lagain\npop rbx\nret",
        ["rsp+8", "rsp+16", "rsp+16", "rsp+16", "rsp+8"],
    ),
    "a loop that pushes": (
        ".Lagain:\npush rdi\ndec rdi\njnz .Lagain\nret",
        [None, None, None, None],
    ),
    "the return address taken off": ("pop rax\njmp rax", ["rsp+8", None]),
    "the return address overwritten": ("mov [rsp], rdi\nret", ["rsp+8", None]),
    "the return address exchanged": ("lock cmpxchg [rsp], rdi\nret", ["rsp+8", None]),
    "code that asks where it is": (
        "call .Lhere\n.Lhere:\npop rax\nret",
        ["rsp+8", "rsp+16", "rsp+8"],
    ),
    "code behind a jump that nothing reaches": ("jmp rax\nnop\nret", ["rsp+8", None, None]),
    "a stack of which nothing is known": ("mov rsp, rdi\nret", ["rsp+8", None]),
    "room whose size is computed": ("sub rsp, rdi\nret", ["rsp+8", None]),
    "the end of the process": (
        "push rbx\nmov eax, 60\nsyscall\ng: nop\nret",
        ["rsp+8", "rsp+16", "rsp+16", "rsp+8", "rsp+8"],
    ),
    "a jump into another function takes the stack along": (
        "push rbx\njmp g\ng: nop\npop rbx\nret",
        ["rsp+8", "rsp+16", "rsp+16", "rsp+16", "rsp+8"],
    ),
    "a function that is called and jumped into with more on the stack": (
        "call g\npush rbx\njmp g\ng: nop\nret",
        ["rsp+8", "rsp+8", "rsp+16", None, None],
    ),
}


@pytest.mark.parametrize("idiom", _KNOWN)
def test_the_caller_is_found_or_nothing_is_said(idiom: str) -> None:
    source, expected = _KNOWN[idiom]
    image = guest(_MAIN + source)
    unwinder = Unwinder(executable(image, frames=frames(image)))
    text = image.segments[0]
    told = []
    for address, _, _ in statements(text.data, text.address):
        rules = unwinder.rules(address)
        told.append(rules and f"{_name(rules['cfa'].reg)}+{rules['cfa'].offset}")
    assert told == expected


def _name(number: int) -> str:
    return "rax rdx rcx rbx rsi rdi rbp rsp r8 r9 r10 r11".split()[number]


_SAVED = {
    "pushed": ("push rbx\nmov ebx, 1\nnop\nret", {"rbx": -16}, set()),
    "stored": ("mov [rsp - 24], r12\nmov r12, rdi\nnop\nret", {"r12": -32}, set()),
    "taken back": ("push rbx\nmov ebx, 1\npop rbx\nnop\nret", {}, set()),
    "overwritten": ("push rbx\nmov ebx, 1\nmov dword ptr [rsp + 4], 2\nnop\nret", {}, {"rbx"}),
    "not saved": ("mov r13b, 1\nnop\nret", {}, {"r13"}),
    "another's value pushed": ("mov rbx, rax\npush rbx\nnop\nret", {}, {"rbx"}),
    "behind a call": ("push rbx\ncall g\nmov ebx, 1\nnop\nret\ng: ret", {"rbx": -16}, None),
    "exchanged": ("xchg rbx, r12\nnop\nret", {}, {"rbx", "r12"}),
    "by the kernel": ("syscall\nnop\nret", {}, {"rax", "rcx", "r11"}),
}


@pytest.mark.parametrize("how", _SAVED)
def test_where_a_callers_register_is(how: str) -> None:
    source, saved, lost = _SAVED[how]
    image = guest(_MAIN + source)
    at = next(line.address for line in image.lines if line.text.strip() == "nop")
    (row,) = [
        [row for row in frame.rows if row.address <= at][-1]
        for frame in frames(image)
        if frame.start <= at < frame.end
    ]
    assert row.saved == saved
    assert lost is None or row.lost == lost


def test_without_exported_names_code_that_is_jumped_to_is_not_taken_for_a_beginning() -> None:
    image = guest("f: push rbx\njmp g\ng: pop rbx\nret\nh: ret")
    cfas = {row.address: row.cfa for frame in frames(image) for row in frame.rows}
    assert cfas[image.symbols["g"]] == ("rsp", 16)
    assert cfas[image.symbols["h"]] == ("rsp", 8)
