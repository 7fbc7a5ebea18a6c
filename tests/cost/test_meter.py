"""What the meter counts: the same as other ways of counting, of which two share nothing with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import unicorn
from small_allocators import READER, written
from unicorn import x86_const as x86

from emu import Heap, allocators, run
from emu.bench.bench import Bench, bench
from emu.process import host_code
from emu.process.process import STACK_TOP
from emu.scenario.load import from_text
from emu.scenario.patterns import pattern
from emu.trace.costs import costs
from tests.bench.engines import pieces

MIX = """\
a = malloc 100
b = calloc 30 5
c = malloc 24
a = realloc a 400
free c
b = realloc b 120
d = malloc 8
free a
e = calloc 100 3
free null
"""


def _counts(of: Bench, *names: str) -> list[tuple[int, ...]]:
    return list(zip(*(of.counts[name].tolist() for name in names), strict=True))


@pytest.mark.parametrize("name", ["uniform", "realloc-growth", "hash-table"])
def test_a_bench_counts_what_emu_run_counts(name: str) -> None:
    scenario = pattern(name, 60, 3)
    calls = [step.call for step in run(scenario).steps if step.call]
    counted = _counts(bench(scenario), "instructions", "syscalls")
    assert counted == [(call.instructions, len(call.syscalls)) for call in calls]


@pytest.mark.parametrize("name", ["power-law", "realloc-growth"])
def test_a_bench_counts_what_a_trace_counts(name: str) -> None:
    scenario = pattern(name, 60, 5)
    trace = run(scenario, accesses=True).trace
    assert trace is not None
    names = "instructions", "reads", "writes", "lines", "pages", "syscalls"
    found = [tuple(getattr(cost, name) for name in names) for cost in costs(trace)]
    assert _counts(bench(scenario), *names) == found


def test_a_bench_counts_what_a_bare_engine_does() -> None:
    """Instruction by instruction, with hooks in Python, on Unicorn as it comes."""
    scenario = from_text(MIX, "mix.heap")
    assert _counts(bench(scenario), *_Bare.COUNTERS) == list(_Bare().played(MIX))


class _Bare:
    """osmem on a bare engine, with its stack where a process has it."""

    COUNTERS = "instructions", "reads", "writes", "lines", "pages"
    _RSP = STACK_TOP - 4096 + 8
    _LEAVE = 0x7100_0000

    def __init__(self) -> None:
        osmem = allocators.find("osmem")
        self._symbols = osmem.symbols
        with Heap() as heap:
            self._heap = heap.start
        self._engine = unicorn.Uc(unicorn.UC_ARCH_X86, unicorn.UC_MODE_64)
        stack, leave = (STACK_TOP - 0x10000, bytes(0x10000), False), (self._LEAVE, b"\xf4", True)
        for address, data, _ in (*pieces(osmem), (self._heap, bytes(1 << 18), False), stack, leave):
            self._engine.mem_map(address, len(data) + 4095 & -4096)
            self._engine.mem_write(address, data)
        self._engine.hook_add(unicorn.UC_HOOK_CODE, self._step)
        self._engine.hook_add(unicorn.UC_HOOK_MEM_READ | unicorn.UC_HOOK_MEM_WRITE, self._access)
        syscall = x86.UC_X86_INS_SYSCALL
        self._engine.hook_add(unicorn.UC_HOOK_INSN, self._brk, None, 1, 0, syscall)

    def played(self, text: str) -> Iterator[tuple[int, ...]]:
        held: dict[str, int] = {"null": 0}
        for line in text.splitlines():
            name, _, call = line.rpartition(" = ")
            word, *arguments = call.split()
            values = [int(a) if a.isdecimal() else held[a] for a in arguments]
            held[name] = self._call(self._symbols[f"os_{word}"], values)
            yield (
                self._steps, self._kinds.count(unicorn.UC_MEM_READ),
                self._kinds.count(unicorn.UC_MEM_WRITE), len(self._lines), len(self._pages),
            )  # fmt: skip

    def _call(self, function: int, arguments: list[int]) -> int:
        self._steps, self._kinds = 0, list[int]()
        self._lines, self._pages = set[int](), set[int]()
        self._engine.mem_write(self._RSP, self._LEAVE.to_bytes(8, "little"))
        self._engine.reg_write(x86.UC_X86_REG_RSP, self._RSP)
        registers = x86.UC_X86_REG_RDI, x86.UC_X86_REG_RSI
        for register, value in zip(registers, arguments, strict=False):
            self._engine.reg_write(register, value)
        self._engine.emu_start(function, 0)
        result: int = self._engine.reg_read(x86.UC_X86_REG_RAX)
        return result

    def _step(self, _: object, address: int, size: int, __: object) -> None:
        self._steps += address != self._LEAVE

    def _access(
        self, _: object, kind: int, address: int, size: int, value: int, __: object
    ) -> None:
        self._kinds.append(kind)
        self._lines |= {address >> 6, address + size - 1 >> 6}
        self._pages |= {address >> 12, address + size - 1 >> 12}

    def _brk(self, engine: unicorn.Uc, _: object) -> None:
        assert engine.reg_read(x86.UC_X86_REG_RAX) == 12
        engine.reg_write(x86.UC_X86_REG_RAX, engine.reg_read(x86.UC_X86_REG_RDI) or self._heap)


# Counted by hand


@pytest.fixture
def reader(tmp_path: Path) -> Path:
    return written(READER, tmp_path)


@pytest.mark.parametrize("words", [1, 8, 9, 1000, 100_000])
def test_lines_and_pages_are_counted_once_a_call_however_long_it_is(
    reader: Path, words: int
) -> None:
    """100 000 accesses come in several pieces; twice, so that two calls do not share them."""
    done = bench(from_text(f"a = malloc {words}\nb = malloc {words}\n", "x.heap"), reader)
    lines, pages = -(-words // 8) + 1, -(-words // 512) + 1  # and the stack's
    each = (4 * words + 4, words + 1, lines, pages)
    assert _counts(done, "instructions", "accesses", "lines", "pages") == [each, each]


def test_an_access_across_a_border_touches_two_lines_or_pages(reader: Path) -> None:
    done = bench(from_text("a = calloc 1 1\n", "x.heap"), reader)
    assert _counts(done, "writes", "lines", "pages") == [(2, 5, 3)]


@pytest.mark.parametrize(("words", "repeated"), [(0, 0), (1, 1), (7, 7)])
def test_repetitions_and_functions_that_copy_are_told_apart(
    reader: Path, words: int, repeated: int
) -> None:
    """Of rep, only the first step is none: with 7 words it takes 8, the last of which finds 0."""
    done = bench(from_text(f"a = realloc null {words}\n", "x.heap"), reader)
    assert _counts(done, "instructions", "copying") == [(9 + repeated, 3 + repeated)]


# The same, always


def test_two_benches_are_the_same() -> None:
    scenario = pattern("uniform", 80, 1)
    one, two = bench(scenario), bench(scenario)
    assert {name: counts.tolist() for name, counts in one.counts.items()} == {
        name: counts.tolist() for name, counts in two.counts.items()
    }
    assert one.footprint.tolist() == two.footprint.tolist()


def test_a_quick_bench_counts_the_same_but_for_accesses() -> None:
    scenario = pattern("power-law", 80, 1)
    whole, quick = bench(scenario), bench(scenario, accesses=False)
    assert set(whole.counts) - set(quick.counts) == {
        "accesses",
        "reads",
        "writes",
        "lines",
        "pages",
    }
    for name, counts in quick.counts.items():
        assert counts.tolist() == whole.counts[name].tolist()


def test_a_host_that_cannot_run_our_probes_counts_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = from_text(MIX, "mix.heap")
    expected = bench(scenario)
    monkeypatch.setattr(host_code, "runs_here", lambda: False)
    found = bench(scenario)
    for name, counts in expected.counts.items():
        assert found.counts[name].tolist() == counts.tolist(), name
