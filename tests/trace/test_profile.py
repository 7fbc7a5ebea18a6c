"""What functions cost is what a slow count of every instruction finds; handlers and longjmp too."""

from __future__ import annotations

import subprocess
from pathlib import Path

import guests
import naive
import programs
import pytest
from hypothesis import given, settings

from emu import run
from emu.launch import launch
from emu.process.sources import Sources, Symbol
from emu.trace import profile
from emu.trace.profile import Node
from emu.trace.recorder import Recorder
from emu.trace.trace import Trace
from tests.callgrind import counted

SHIPPED = sorted((Path(__file__).parents[2] / "emu/scenario/shipped").glob("*.heap"))


def with_functions(source: str) -> str:
    """The labels of a random program as functions: calls of them, jumps and passages into them."""
    return source.replace(".Lsub", "sub").replace(".Lover", "over").replace(".Lpast", "past")


def as_dict(trace: Trace) -> dict[str, tuple[int, int, int]]:
    return {one.name: (one.calls, one.own, one.inclusive) for one in profile.flat(trace)}


@given(programs.returning)
@settings(max_examples=60)
def test_costs_are_those_of_a_count_of_every_instruction(source: str) -> None:
    source = with_functions(source)
    expected = naive.costs(guests.image(source), programs.trace(source))
    assert as_dict(naive.recorded(source)) == expected


@given(programs.faulting.filter(lambda source: "jmp r11" not in source))
@settings(max_examples=40)
def test_costs_of_a_program_that_dies_are_those_until_then(source: str) -> None:
    source = with_functions(source)
    begun = programs.trace(source)
    counted = naive.costs(guests.image(source), begun[:-1])
    found = as_dict(naive.recorded(source))
    assert {name: cost for name, cost in found.items() if cost[1:] != (0, 0)} == counted


def test_recursion_is_not_counted_twice() -> None:
    source = "f: mov edi, 5\ncall down\nret\ndown: dec edi\njz .Lend\ncall down\n.Lend: ret"
    trace = naive.recorded(source)
    assert as_dict(trace) == {"f": (1, 3, 22), "down": (5, 19, 19)}


def test_recursion_may_be_deep() -> None:
    source = "f: mov edi, 50000\ndown: dec edi\njz .Lend\ncall down\n.Lend: ret"
    trace = naive.recorded(source)
    assert as_dict(trace) == {"f": (1, 1, 200_000), "down": (50_000, 199_999, 199_999)}
    node = profile.tree(trace)
    depth = 0
    while node.children:
        (node,) = node.children
        depth += 1
    assert (depth, node.inclusive) == (50_001, 3)


def _sum(node: Node) -> int:
    assert node.inclusive == node.own + sum(child.inclusive for child in node.children)
    return node.own + sum(map(_sum, node.children))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_osmems_calls_are_the_roots_of_the_tree(path: Path) -> None:
    done = run(path, trace=True)
    assert done.trace is not None
    tree = profile.tree(done.trace)
    assert _sum(tree) == tree.inclusive == len(done.trace)
    for step in done.steps:
        if step.call:
            span = done.trace.calls[step.call.index - 1]
            (root,) = profile.tree(done.trace, span).children
            assert (root.name, root.inclusive) == (step.call.name, step.call.instructions)
    calls = [step.call.name for step in done.steps if step.call]
    roots = {node.name: node.calls for node in tree.children if node.name != "fill"}
    assert roots == {name: calls.count(name) for name in roots}


_C = r"""
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#define OWN __attribute__((noinline, noclone))
static jmp_buf place;
static sigjmp_buf out;
static char *page;
volatile int sink;
OWN int leaf(int n) { int s = 0; while (n--) s += n ^ sink; return s; }
OWN int fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
OWN int tail(int n) { sink++; return leaf(n + sink); }
OWN void copy(char *to, char *from, long n) {
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) :: "memory");
}
OWN void deep(int n) { if (!n) longjmp(place, 1); deep(n - 1); sink++; }
OWN int jumper(void) { if (!setjmp(place)) deep(5); return leaf(3); }
OWN int work(void) {
    static char from[300], to[300];
    copy(to, from, 300);
    copy(to, from, 0);
    int s = jumper();
    for (int i = 0; i < 7; i++) s += leaf(i) + tail(2);
    return s + fib(12);
}
#ifdef SIGNALS
OWN void handled(int n) { sink += leaf(2); }
OWN void repairs(int n) { mprotect(page, 4096, PROT_READ | PROT_WRITE); }
OWN void leaves(int n) { siglongjmp(out, 1); }
OWN int store(void) { *page = 1; return leaf(4); }
OWN int escaped(void) { if (!sigsetjmp(out, 1)) raise(SIGUSR2); return leaf(5); }
int main() {
    signal(SIGUSR1, handled);
    signal(SIGUSR2, leaves);
    signal(SIGSEGV, repairs);
    page = mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < 6; i++) raise(SIGUSR1);
    return !(work() + store() + escaped() + escaped());
}
#else
int main() { return !work(); }
#endif
"""


def built(folder: Path, *options: str) -> Path:
    (folder / "calls.c").write_text(_C)
    made = folder / "calls"
    command = ["gcc", "-O2", "-static", *options, "-o", str(made), str(folder / "calls.c")]
    subprocess.run(command, check=True)
    return made


def symbols(program: Path) -> Sources:
    """Functions as nm tells them, of those at one address the first."""
    told = subprocess.run(["nm", "-n", "-S", program], capture_output=True, text=True, check=True)
    rows = [line.split() for line in told.stdout.splitlines()]
    found: dict[int, Symbol] = {}
    end = 0
    for row in rows:
        if len(row) == 4 and row[2] in "tTwWiu" and int(row[0], 16) >= end:
            found[int(row[0], 16)] = Symbol(int(row[0], 16), int(row[1], 16), row[3])
            end = int(row[0], 16) + int(row[1], 16)
    return Sources(tuple(found.values()))


def played(program: Path) -> Trace:
    with launch(str(program)) as process:
        recorder = Recorder(process, sources=symbols(program))
        with recorder:
            assert process.play().status == 0
        return recorder.trace


def test_handlers_and_longjmp_leave_the_calls_in_order(tmp_path: Path) -> None:
    trace = played(built(tmp_path, "-DSIGNALS"))
    found = as_dict(trace)
    assert _sum(profile.tree(trace)) == len(trace) == sum(cost[1] for cost in found.values())
    calls = {"handled": 6, "leaves": 2, "repairs": 1, "store": 1, "escaped": 2, "work": 1,
             "jumper": 1, "deep": 6, "copy": 2, "tail": 7,
             "leaf": 6 + 1 + 7 + 7 + 1 + 2}  # fmt: skip
    assert {name: found[name][0] for name in calls} == calls
    assert found["main"][2] > sum(found[name][2] for name in ("work", "store", "escaped"))
    below = {child.name for child in _find(profile.tree(trace), "store").children}
    assert below == {"repairs", "leaf"}


def _find(node: Node, name: str) -> Node:
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if node.name == name:
            return node
        waiting += node.children
    raise AssertionError(name)


def test_costs_are_callgrinds_to_the_instruction(tmp_path: Path) -> None:
    """`rep` too: both count each repetition, and the look at rcx that ends it."""
    program = built(tmp_path)
    theirs = counted(program, tmp_path / "out")
    ours = as_dict(played(program))
    names = ("work", "fib", "leaf", "tail", "copy")
    assert {name: ours[name][1] for name in names} == {name: theirs[name][0] for name in names}
    inclusive = ("work", "leaf", "tail", "copy")
    assert {n: ours[n][2] for n in inclusive} == {n: theirs[n][1] for n in inclusive}
