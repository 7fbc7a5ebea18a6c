"""The kernel: decoding, answering, recording, failing by plan."""

from __future__ import annotations

import pytest
from books import balance
from calling import MINUS, call
from hypothesis import given
from hypothesis import strategies as st
from paged_memory import PagedMemory

from syscalls import Kernel, Limits, ProcessExit, SystemCall
from syscalls import vm_flags as vm
from syscalls.abi import (
    EAFNOSUPPORT,
    EBADF,
    EFAULT,
    EINVAL,
    ENOMEM,
    ENOSYS,
    ENOTSOCK,
    MAX_MAP_COUNT,
    PAGE,
    TASK_SIZE,
)
from syscalls.ending import Ending
from syscalls.memory import TooMuchTouched
from syscalls.region import READ_WRITE, Region, Rights
from syscalls.strace import Strace
from syscalls.table import ROWS

HEAP = 0x40_0000
WRITE, MMAP, MPROTECT, MUNMAP, BRK, MREMAP, MADVISE = 1, 9, 10, 11, 12, 25, 28
EXIT, MLOCK, EXIT_GROUP = 60, 149, 231
SOCKET, CONNECT, SOCKETPAIR = 41, 42, 53
ANONYMOUS = 0x22


@pytest.fixture
def kernel():
    return Kernel(PagedMemory(), HEAP)


def test_an_unknown_number_answers_enosys_and_is_recorded(kernel):
    assert call(kernel, 999, 1, 2) == -ENOSYS
    (made,) = kernel.calls
    assert (made.name, made.result, made.errno) == ("syscall_0x3e7", -1, "ENOSYS")


def test_every_call_is_recorded_with_decoded_arguments(kernel):
    call(kernel, MMAP, 0, 5000, 3, ANONYMOUS, -1, 0)
    (made,) = kernel.calls
    assert made.args == (0, 5000, 3, ANONYMOUS, -1, 0)
    assert repr(made) == (
        f"mmap(0, 5000, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = {made.result:#x}"
    )


def test_flags_without_a_name_are_shown_as_a_number(kernel):
    call(kernel, MPROTECT, 0, 0, 0x40 | 1)
    assert "PROT_READ|0x40" in repr(kernel.calls[0])
    assert "PROT_NONE" in repr(SystemCall(MPROTECT, "mprotect", (0, 0, 0), 0))


def test_an_int_argument_is_the_low_half_of_its_register(kernel):
    assert call(kernel, WRITE, (7 << 32) | 1, HEAP, 0) == 0


def test_the_first_mapping_lies_where_linux_puts_it_without_randomization(kernel):
    assert call(kernel, MMAP, 0, 0x21000, 3, ANONYMOUS, -1, 0) == 0x7FFFF7FDE000


def test_a_gap_is_filled_before_the_space_below(kernel):
    first = call(kernel, MMAP, 0, 4 * PAGE, 3, ANONYMOUS, -1, 0)
    call(kernel, MMAP, 0, PAGE, 1, ANONYMOUS, -1, 0)
    call(kernel, MUNMAP, first + PAGE, 2 * PAGE)
    assert call(kernel, MMAP, 0, PAGE, 0, ANONYMOUS, -1, 0) == first + 2 * PAGE


def test_memory_is_told_what_it_loses(kernel):
    at = call(kernel, MMAP, 0, 2 * PAGE, 3, ANONYMOUS, -1, 0)
    call(kernel, MPROTECT, at, PAGE, 1)
    call(kernel, MUNMAP, at, PAGE)
    call(kernel, BRK, HEAP + 3 * PAGE)
    call(kernel, BRK, HEAP + 1)
    assert kernel.space.memory.told == [
        ("rights", at, at + PAGE),
        ("discard", at, at + PAGE),
        ("discard", HEAP + PAGE, HEAP + 3 * PAGE),
    ]


def test_unmapping_the_middle_leaves_two_regions(kernel):
    at = call(kernel, MMAP, 0, 5 * PAGE, 3, ANONYMOUS, -1, 0)
    call(kernel, MUNMAP, at + PAGE, 2 * PAGE)
    assert [(r.start - at, r.end - at) for r in kernel.space.regions] == [
        (0, PAGE),
        (3 * PAGE, 5 * PAGE),
    ]


# write


def test_what_is_written_is_captured(kernel):
    kernel.space.map(0x10000, PAGE, READ_WRITE)
    kernel.space.memory.write(0x10000, b"hello")
    assert call(kernel, WRITE, 1, 0x10000, 5) == 5
    assert call(kernel, WRITE, 2, 0x10001, 2) == 2
    assert (kernel.output(1), kernel.output(2)) == (b"hello", b"el")


def test_writing_elsewhere_is_ebadf_before_anything_else(kernel):
    assert call(kernel, WRITE, 3, 0, 5) == -EBADF
    assert call(kernel, WRITE, -1, 0, 0) == -EBADF


def test_a_bad_buffer_is_efault_and_a_partly_bad_one_is_written_in_part(kernel):
    kernel.space.map(0x10000, PAGE, READ_WRITE)
    kernel.space.map(0x12000, PAGE, Rights(read=False, write=False, execute=False))
    assert call(kernel, WRITE, 1, 0, 5) == -EFAULT
    assert call(kernel, WRITE, 1, 0x12000, 5) == -EFAULT
    assert call(kernel, WRITE, 1, TASK_SIZE - 2, 5) == -EFAULT
    assert call(kernel, WRITE, 1, -1, 5) == -EFAULT
    assert call(kernel, WRITE, 1, 0x10FFD, 10) == 3
    assert call(kernel, WRITE, 1, 0, 0) == 0


# exit


@pytest.mark.parametrize("number", [EXIT, EXIT_GROUP])
def test_exit_ends_the_process_with_the_low_byte(kernel, number):
    with pytest.raises(ProcessExit) as caught:
        call(kernel, number, 0x1FF)
    assert caught.value.status == 0xFF
    assert repr(kernel.calls[0]).endswith("(511) = ?")


# Shortages and limits


def test_the_nth_call_from_now_on_fails_once(kernel):
    def mapped():
        return call(kernel, MMAP, 0, PAGE, 3, ANONYMOUS, -1, 0)

    mapped()
    kernel.shortages.plan("mmap", 2, ENOMEM)
    kernel.shortages.plan("mmap", 4, EINVAL)
    answers = [mapped() for _ in range(5)]
    assert [min(answer, 0) for answer in answers] == [0, -ENOMEM, 0, -EINVAL, 0]
    assert kernel.shortages.planned == ()


def test_a_failing_brk_answers_the_old_break(kernel):
    call(kernel, BRK, HEAP + 100)
    kernel.shortages.plan("brk", 1, ENOMEM)
    assert call(kernel, BRK, HEAP + 200) == HEAP + 100
    assert kernel.calls[-1].errno is None
    assert call(kernel, BRK, HEAP + 200) == HEAP + 200


def test_a_plan_counts_from_one(kernel):
    with pytest.raises(ValueError, match="counted from 1"):
        kernel.shortages.plan("brk", 0, ENOMEM)


def test_the_data_limit_holds_for_the_heap_and_for_mappings():
    kernel = Kernel(PagedMemory(), HEAP, Limits(data=4 * PAGE))
    assert call(kernel, BRK, HEAP + 5 * PAGE) == HEAP
    assert call(kernel, BRK, HEAP + 2 * PAGE) == HEAP + 2 * PAGE
    assert call(kernel, MMAP, 0, 3 * PAGE, 3, ANONYMOUS, -1, 0) == -ENOMEM
    assert call(kernel, MMAP, 0, 3 * PAGE, 1, ANONYMOUS, -1, 0) > 0
    assert call(kernel, MMAP, 0, 2 * PAGE, 3, ANONYMOUS, -1, 0) > 0


def test_the_address_space_limit_counts_what_is_mapped():
    kernel = Kernel(PagedMemory(), HEAP, Limits(address_space=4 * PAGE))
    at = call(kernel, MMAP, 0, 4 * PAGE, 1, ANONYMOUS, -1, 0)
    assert call(kernel, MMAP, 0, PAGE, 1, ANONYMOUS, -1, 0) == -ENOMEM
    assert call(kernel, MMAP, at, PAGE, 3, ANONYMOUS | 0x10, -1, 0) == at
    call(kernel, MUNMAP, at, PAGE)
    assert call(kernel, BRK, HEAP + PAGE) == HEAP + PAGE


def test_one_request_for_more_than_the_machine_has_is_refused():
    kernel = Kernel(PagedMemory(), HEAP, Limits(ram=1 << 30))
    assert call(kernel, MMAP, 0, (1 << 30) + PAGE, 3, ANONYMOUS, -1, 0) == -ENOMEM
    assert call(kernel, MMAP, 0, 1 << 30, 3, ANONYMOUS, -1, 0) > 0
    assert call(kernel, MMAP, 0, 2 << 30, 3, ANONYMOUS | 0x4000, -1, 0) > 0  # MAP_NORESERVE


def test_there_are_only_so_many_regions(kernel):
    """Linux lets one more be made than it then lets be split (mm/mmap.c, mm/vma.c)."""
    first = 0x1000_0000
    for number in range(MAX_MAP_COUNT):
        start = first + number * 4 * PAGE
        kernel.space.areas.insert(Region(start, start + 3 * PAGE, vm.MAY_ALL))
        kernel.space.account(vm.MAY_ALL, 3)
    assert call(kernel, MUNMAP, first + PAGE, PAGE) == -ENOMEM
    assert call(kernel, MPROTECT, first + PAGE, PAGE, 1) == -ENOMEM
    assert call(kernel, MREMAP, first, 3 * PAGE, 4 * PAGE, 1) == first, "and joins the next"
    assert call(kernel, MREMAP, first, 4 * PAGE, 5 * PAGE, 1) == -ENOMEM
    assert call(kernel, MMAP, 0, PAGE, 3, ANONYMOUS, -1, 0) > 0
    assert call(kernel, MMAP, 0, PAGE, 1, ANONYMOUS, -1, 0) > 0
    assert call(kernel, MMAP, 0, PAGE, 3, ANONYMOUS, -1, 0) == -ENOMEM
    assert call(kernel, MUNMAP, first, PAGE) == 0


def test_what_one_call_may_touch_is_limited_in_time_and_memory():
    kernel = Kernel(PagedMemory(), HEAP, Limits(touched=100 * PAGE, ram=None, locked=None))
    huge = call(kernel, MMAP, 0, 1 << 45, 3, ANONYMOUS | 0x4000, -1, 0)
    for number, *rest in ((MADVISE, 22), (MADVISE, 23), (MADVISE, 102), (MLOCK,)):
        with pytest.raises(TooMuchTouched):
            call(kernel, number, huge, 1 << 45, *rest)
        call(kernel, MADVISE, huge, 1 << 45, 4)


registers = st.integers(0, MINUS - 1) | st.integers(0, 1 << 13) | st.integers(HEAP, HEAP + 1 << 13)
known = st.sampled_from([row.number for row in ROWS]) | st.integers(0, 500)


@given(st.lists(st.tuples(known, st.tuples(*[registers] * 6)), max_size=30))
def test_nothing_a_guest_passes_is_an_exception(sequence):
    kernel = Kernel(PagedMemory(), HEAP)
    for number, args in sequence:
        try:
            answer = kernel.call(number, args)
        except Ending:
            continue
        assert 0 <= answer < MINUS
        balance(kernel.space)
        repr(kernel.calls[-1])


# Sockets


def test_there_is_no_network_and_no_descriptor_is_a_socket(kernel):
    assert call(kernel, SOCKET, 1, 1, 0) == -EAFNOSUPPORT
    assert call(kernel, SOCKETPAIR, 1, 1, 0, 0) == -EAFNOSUPPORT
    assert call(kernel, CONNECT, 1, 0, 0) == -ENOTSOCK
    assert call(kernel, CONNECT, 77, 0, 0) == -EBADF
    assert kernel.missing == {}


def test_a_socket_asked_for_reads_as_strace_has_it(kernel):
    lines = []
    kernel.tracer = Strace(lines.append, kernel.read)
    call(kernel, SOCKET, 1, 1 | 0o2000000 | 0o4000, 0)
    assert lines == [
        "socket(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK, 0) = -1 EAFNOSUPPORT "
        "(Address family not supported by protocol)"
    ]
