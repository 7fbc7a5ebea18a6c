"""How often lines and jumps ran is what a count of every instruction finds."""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path

import guests
import naive
import programs
import pytest
from hypothesis import given, settings
from test_profile import SHIPPED, symbols

from emu import run
from emu.launch import launch
from emu.trace import coverage
from emu.trace.recorder import Recorder
from emu.trace.trace import Trace


def _lines(trace: Trace) -> dict[int, int]:
    return {line.line: line.runs for line in coverage.lines(trace)}


def _outcomes(trace: Trace) -> dict[int, tuple[int, int]]:
    found = {one.address: (one.taken, one.not_taken) for one in coverage.branches(trace)}
    return {address: counts for address, counts in found.items() if any(counts)}


@given(programs.returning)
@settings(max_examples=60)
def test_lines_and_jumps_are_those_of_a_count_of_every_instruction(source: str) -> None:
    image, begun = guests.image(source), programs.trace(source)
    trace = naive.recorded(source)
    assert _lines(trace) == naive.line_runs(image, begun)
    assert _outcomes(trace) == naive.outcomes(image, begun)


@given(programs.faulting)
@settings(max_examples=60)
def test_what_faults_did_not_run(source: str) -> None:
    image, begun = guests.image(source), programs.trace(source)
    ran = begun if "jmp r11" in source else begun[:-1]
    trace = naive.recorded(source)
    assert _lines(trace) == naive.line_runs(image, ran)
    assert _outcomes(trace) == naive.outcomes(image, begun)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_osmems_counts_are_those_of_its_instructions_one_by_one(path: Path) -> None:
    trace = run(path, trace=True).trace
    assert trace is not None
    counts = Counter(trace.addresses().tolist())
    addresses, times = coverage.instructions(trace)
    assert dict(zip(addresses.tolist(), times.tolist(), strict=True)) == counts
    ran = {(line.file, line.line): line.runs for line in coverage.lines(trace)}
    code = list(coverage.code_lines(trace))
    assert ran == {(line.file, line.line): counts[line.address] for line in code}
    assert 0 in ran.values()
    for jump in coverage.branches(trace):
        assert jump.line is not None
        assert jump.line.text.split()[0].startswith("j")
        assert jump.taken + jump.not_taken == counts[jump.address]


def test_data_is_no_line_and_a_jump_that_never_ran_is_one() -> None:
    source = "f: ret\nnever: jz .Lend\nnop\n.Lend: ret\n.data\nvalue: .quad 5\n"
    trace = naive.recorded(source)
    assert _lines(trace) == {2: 1, 3: 0, 4: 0, 5: 0}
    (jump,) = coverage.branches(trace)
    assert jump.line is not None
    assert (jump.line.line, jump.taken, jump.not_taken) == (3, 0, 0)


_INTERRUPTED = r"""
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>
static char *page;
static void repairs(int n) { mprotect(page, 4096, PROT_READ | PROT_WRITE); }
volatile int ticks;
static void tick(int n) { ticks++; }
__attribute__((noinline)) static void loop(long n) {
    __asm__ volatile("turn: dec %0\n\tjnz turn" : "+r"(n));
}
__attribute__((noinline)) static void faults(char *to, long n) {
    __asm__ volatile("again: test %0, %0\n\tjz none\nstore: movb $1, (%1)\n\t"
                     "dec %0\n\tjmp again\nnone:" : "+r"(n) : "r"(to) : "memory");
}
int main() {
    struct itimerval each = {{0, 50}, {0, 50}}, never = {{0, 0}, {0, 0}};
    signal(SIGSEGV, repairs);
    signal(SIGALRM, tick);
    page = mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    faults(page, 9);
    setitimer(ITIMER_REAL, &each, 0);
    loop(2000000);
    setitimer(ITIMER_REAL, &never, 0);
    return ticks < 5;
}
"""


def test_a_handler_between_a_jump_and_its_target_hides_nothing(tmp_path: Path) -> None:
    (tmp_path / "interrupted.c").write_text(_INTERRUPTED)
    made = tmp_path / "interrupted"
    subprocess.run(["gcc", "-O1", "-static", "-o", made, tmp_path / "interrupted.c"], check=True)
    told = subprocess.run(["nm", made], capture_output=True, text=True, check=True).stdout
    at = {name: int(address, 16) for address, _, name in
          (line.split() for line in told.splitlines() if len(line.split()) == 3)}  # fmt: skip
    with launch(str(made)) as process:
        recorder = Recorder(process, sources=symbols(made))
        with recorder:
            assert process.play().status == 0
    found = {one.address: (one.taken, one.not_taken) for one in coverage.branches(recorder.trace)}
    (turn,) = [a for a in found if at["turn"] < a < at["turn"] + 8]
    (none,) = [a for a in found if at["again"] < a < at["store"]]
    assert found[turn] == (1_999_999, 1)
    assert found[none] == (1, 9)
