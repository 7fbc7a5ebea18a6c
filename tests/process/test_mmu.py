"""Memory as the guest meets it: rights, fresh zeros, boundaries, and what has been touched."""

from __future__ import annotations

import time

import guests
import pytest
from guests import Load

from emu.errors import GuestFault, MemorySpent
from emu.process.process import STACK_SIZE, STACK_TOP, Process
from emu.process.windows import WINDOW
from syscalls import Limits
from syscalls.abi import PAGE

AT = 0x1000_0000
NONE, READ, WRITE, EXECUTE = 0, 1, 2, 4
RET = 0xC3

_DENIES = {
    NONE: {"read", "write", "run"},
    READ: {"write", "run"},
    WRITE: {"run"},
    READ | WRITE: {"run"},
    EXECUTE: {"write"},
    READ | EXECUTE: {"write"},
    READ | WRITE | EXECUTE: set(),
}
_ACCESS = {"read": "read", "write": "write", "run": "execute"}


def _map(process: Process, where: int, size: int, rights: int = READ | WRITE) -> None:
    assert process.call("map", where, size, rights).result == where


def _refused(process: Process, verb: str, address: int) -> GuestFault:
    with pytest.raises(GuestFault) as caught:
        process.call(verb, address, 0)
    assert caught.value.access == _ACCESS[verb]
    return caught.value


# Rights


@pytest.mark.parametrize("verb", ["read", "write", "run"])
@pytest.mark.parametrize("rights", _DENIES)
def test_a_page_allows_what_its_rights_say_as_x86_does(
    pages: Process, rights: int, verb: str
) -> None:
    """x86 knows no write-only and no execute-only page."""
    _map(pages, AT, PAGE, rights)
    pages.memory.write(AT, bytes([RET]))
    if verb in _DENIES[rights]:
        assert _refused(pages, verb, AT).address == AT
    else:
        pages.call(verb, AT, RET)


@pytest.mark.parametrize("verb", ["read", "write", "run"])
@pytest.mark.parametrize("side", [-1, 1])
def test_rights_end_with_the_page(pages: Process, verb: str, side: int) -> None:
    _map(pages, AT - PAGE, 3 * PAGE, READ | WRITE | EXECUTE)
    pages.memory.write(AT - PAGE, bytes([RET]) * 3 * PAGE)
    pages.call("protect", AT, PAGE, NONE)
    word = 8 if verb != "run" else 1
    outside = AT + PAGE if side > 0 else AT - word
    pages.call(verb, outside, 0x0101_0101_0101_01C3)
    inside = AT + PAGE - word if side > 0 else AT
    assert _refused(pages, verb, inside).address == inside


def test_protection_takes_effect_while_the_program_runs(load: Load) -> None:
    process = load(
        f"{guests.PAGES}\n both: call write\n push rdi\n mov esi, 4096\n mov edx, 1\n"
        " call protect\n pop rdi\n mov rbx, [rdi]\n mov [rdi], rbx\n ret"
    )
    _map(process, AT, PAGE)
    with pytest.raises(GuestFault) as caught:
        process.call("both", AT, 5)
    assert caught.value.access == "write"
    assert caught.value.scene.registers["rbx"] == 5, "reading was still allowed"


def test_protection_takes_effect_in_later_calls_and_can_be_taken_back(pages: Process) -> None:
    _map(pages, AT, PAGE)
    pages.call("write", AT, 5)
    pages.call("protect", AT, PAGE, NONE)
    pages.call("protect", AT, PAGE, READ | WRITE)
    assert pages.call("read", AT).result == 5
    pages.call("protect", AT, PAGE, READ)
    _refused(pages, "write", AT)


def test_an_unmapped_page_faults_though_it_was_just_used(pages: Process) -> None:
    _map(pages, AT, 2 * PAGE)
    pages.call("write", AT, 5)
    pages.call("write", AT + PAGE, 6)
    pages.call("unmap", AT, PAGE)
    assert pages.call("read", AT + PAGE).result == 6
    assert _refused(pages, "read", AT).address == AT


def test_code_written_between_two_protections_runs_as_it_is_now(pages: Process) -> None:
    _map(pages, AT, PAGE)
    for value in (1, 2):
        pages.call("protect", AT, PAGE, READ | WRITE)
        pages.call("write", AT, 0xC3_0000_0000_B8 | value << 8)
        pages.call("protect", AT, PAGE, READ | EXECUTE)
        assert pages.call("run", AT).result == value


# Fresh pages


def test_a_page_mapped_again_is_zero(pages: Process) -> None:
    _map(pages, AT, PAGE)
    pages.call("write", AT, 5)
    pages.call("unmap", AT, PAGE)
    _map(pages, AT, PAGE)
    assert pages.call("read", AT).result == 0


def test_a_page_mapped_over_is_zero_and_its_neighbours_are_not(pages: Process) -> None:
    _map(pages, AT, 3 * PAGE)
    for page in range(3):
        pages.call("write", AT + page * PAGE, 5)
    _map(pages, AT + PAGE, PAGE)
    assert [pages.call("read", AT + page * PAGE).result for page in range(3)] == [5, 0, 5]


def test_memory_below_a_break_that_shrank_and_grew_is_zero(pages: Process) -> None:
    start = pages.kernel.space.heap_start
    pages.call("brk", start + 2 * PAGE)
    for page in range(2):
        pages.call("write", start + page * PAGE, 5)
    pages.call("brk", start + PAGE)
    pages.call("brk", start + 2 * PAGE)
    assert [pages.call("read", start + page * PAGE).result for page in range(2)] == [5, 0]


def test_a_mapping_costs_nothing_until_it_is_touched(pages: Process) -> None:
    size = 60 << 30
    begun = time.perf_counter()
    _map(pages, 1 << 40, size)
    pages.call("write", (1 << 40) + size - 8, 5)
    pages.call("unmap", 1 << 40, size)
    assert time.perf_counter() - begun < 1, "it takes 0.3 ms"


# Boundaries


@pytest.mark.parametrize("boundary", [AT, 2 * WINDOW], ids=["page", "window"])
@pytest.mark.parametrize("before", range(1, 8))
def test_an_access_may_cross_a_boundary(pages: Process, boundary: int, before: int) -> None:
    _map(pages, boundary - PAGE, 2 * PAGE)
    pages.call("write", boundary - before, 0x1122_3344_5566_7788)
    assert pages.call("read", boundary - before).result == 0x1122_3344_5566_7788
    assert pages.memory.read(boundary - before, 8).hex() == "8877665544332211"


def test_the_host_reads_and_writes_across_windows(pages: Process) -> None:
    data = bytes(range(256)) * 64
    pages.memory.write(WINDOW - 5000, data)
    assert pages.memory.read(WINDOW - 5000, len(data)) == data


def test_a_store_across_the_end_of_a_mapping_faults_at_the_first_missing_byte(
    pages: Process,
) -> None:
    _map(pages, AT, PAGE)
    assert _refused(pages, "write", AT + PAGE - 3).address == AT + PAGE


# Touched


def test_touched_tells_the_runs_of_pages_that_may_hold_something(pages: Process) -> None:
    _map(pages, AT, 10 * PAGE)
    for page in (1, 2, 5):
        pages.call("write", AT + page * PAGE, 5)
    assert list(pages.memory.touched(AT, AT + 10 * PAGE)) == [
        (AT + PAGE, AT + 3 * PAGE),
        (AT + 5 * PAGE, AT + 6 * PAGE),
    ]
    assert list(pages.memory.touched(AT + PAGE + 8, AT + PAGE + 16)) == [
        (AT + PAGE + 8, AT + PAGE + 16)
    ]


def test_discarded_pages_are_touched_no_more(pages: Process) -> None:
    _map(pages, AT, 2 * PAGE)
    pages.call("write", AT, 5)
    pages.call("unmap", AT, PAGE)
    assert list(pages.memory.touched(AT, AT + 2 * PAGE)) == []


def test_host_and_guest_both_touch(pages: Process) -> None:
    _map(pages, AT, 2 * PAGE)
    pages.memory.write(AT + 2 * PAGE - 4, bytes(4))
    assert list(pages.memory.touched(AT, AT + 2 * PAGE)) == [(AT + PAGE, AT + 2 * PAGE)]


def test_the_stack_is_touched_where_it_was_used(load: Load) -> None:
    process = load("f: lea rax, [rsp - 65536]\nmov [rax], rax\nret")
    process.call("f")
    runs = list(process.memory.touched(STACK_TOP - STACK_SIZE, STACK_TOP))
    assert len(runs) == 2


# Limits


def test_a_process_that_touches_more_than_it_may_ends(load: Load) -> None:
    source = "f: mov [rdi], rdi\nadd rdi, 4096\njmp f"
    process = load(guests.PAGES + source, limits=Limits(touched=100 * PAGE))
    _map(process, AT, 200 * PAGE)
    with pytest.raises(MemorySpent) as caught:
        process.call("f", AT)
    assert str(100 * PAGE) in str(caught.value)
    assert caught.value.scene.code == "mov qword ptr [rdi], rdi"
    pages_written = (caught.value.scene.registers["rdi"] - AT) // PAGE
    assert 90 <= pages_written <= 100, "the image and the stack take the rest"
    assert caught.value.scene.instructions == 3 * pages_written
    assert process.died
