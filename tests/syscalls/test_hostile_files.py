"""Whatever a guest passes: an errno, and neither an exception nor time or memory without bound."""

from __future__ import annotations

import os
import resource
import time
import tracemalloc

import pytest
from file_arguments import AT_FDCWD, CREAT, RW, In, Out, W, op, s
from hypothesis import given, settings
from hypothesis import strategies as st
from planted_trees import plant
from two_filesystems import (
    ARENA,
    ARENA_SIZE,
    EDGE_SIZE,
    FIRST_EDGE,
    NOWHERE,
    NUMBERS,
    PAGE,
    Ours,
)

from syscalls.abi import EFAULT, EMFILE, ENFILE, TASK_SIZE
from syscalls.ending import Ending, OutputSpent
from syscalls.file_rows import FILES
from syscalls.region import READ_WRITE, Rights

BIG = 1 << 40
NUMBERS_ALONE = ("eventfd", "eventfd2")
READ_ONLY = 0x4000_0000
WORDS = [
    b"/",
    b"file",
    b"a/b",
    b"/proc/self/fd/3",
    b"/dev/zero",
    b"w/new",
    b"loop",
    b"",
    b"x" * 300,
]


@pytest.fixture
def guest(tmp_path):
    plant(tmp_path)
    made = Ours(tmp_path, "w", most_output=1 << 24)
    yield made
    made.close()


def prepared(guest):
    """Strings, structures and every kind of page, at fixed places."""
    space = guest.kernel.space
    space.map(READ_ONLY, PAGE, Rights(read=True, write=False, execute=False))
    for i, word in enumerate(WORDS):
        space.memory.write(ARENA + 512 * i, word + b"\0")
    numbers = b"".join(n.to_bytes(8, "little") for n in (ARENA, 100, NOWHERE, 5, ARENA, 1 << 62))
    space.memory.write(ARENA + PAGE, numbers)
    space.memory.write(FIRST_EDGE + EDGE_SIZE - 24, bytes(24))
    for path in ("file", "w/old", "a", "/dev/zero"):
        guest.call(*op(path, RW if path.startswith("w") else 0))


addresses = st.sampled_from(
    [0, 1, ARENA + 3, ARENA + PAGE, ARENA + ARENA_SIZE - 5, NOWHERE, READ_ONLY, (1 << 64) - 1]
    + [READ_ONLY + PAGE - 3, FIRST_EDGE + EDGE_SIZE - 24, TASK_SIZE - 1, TASK_SIZE, 1 << 63]
    + [ARENA + 512 * i for i in range(len(WORDS))]
)  # fmt: skip
numbers = st.sampled_from(
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 24, 100, 144, 256, 4096, 1 << 20, 1 << 31, 1 << 40, 1 << 62]
    + [(1 << 64) - n for n in (1, 2, 100, 4096)] + [1 << 63, (1 << 32) - 100]
    + [1030, 1031, 1033, 0x541B, 0x5421]
)  # fmt: skip
registers = st.tuples(*[addresses | numbers | numbers | st.integers(0, (1 << 64) - 1)] * 6)
numbers_of_calls = st.sampled_from([row.number for row in FILES])


def test_any_call_with_any_arguments_answers_a_number(tmp_path):
    plant(tmp_path)

    @settings(max_examples=4 * settings().max_examples)
    @given(st.lists(st.tuples(numbers_of_calls, registers), min_size=5, max_size=20))
    def play(sequence):
        guest = Ours(tmp_path, "w", most_output=1 << 20)
        prepared(guest)
        for number, arguments in sequence:
            try:
                answer = guest.kernel.call(number, arguments)
            except Ending:
                continue
            assert 0 <= answer < 1 << 64
        guest.close()

    play()


def test_a_bad_address_is_efault_wherever_it_stands(guest):
    """Every call, with good descriptors and an address where nothing is."""
    prepared(guest)
    bad = {row.name: guest.call(row.name, *[NOWHERE] * 6)[0] for row in FILES if row.params}
    assert {name for name, answer in bad.items() if answer >= 0} <= {
        "umask",
        "close_range",
        *NUMBERS_ALONE,
    }
    with_paths = "stat lstat open chdir unlink rename mkdir statfs truncate".split()
    assert {bad[name] for name in with_paths} == {-EFAULT}


def test_a_huge_transfer_costs_no_memory(guest):
    """Address space is free, also for the guest: here it is never written to."""
    guest.kernel.space.map(BIG, 1 << 32, READ_WRITE)
    zero, null = (guest.call(*op(f"/dev/{name}", RW))[0] for name in ("zero", "null"))
    (free,) = (guest.call("pipe2", Out(8), 0o4000),)
    assert free[0] == 0
    tracemalloc.start()
    assert guest.call("write", null, BIG, 1 << 32)[0] == 0x7FFF_F000
    assert guest.call("sendfile", null, zero, 0, 1 << 32)[0] in (0x7FFF_F000, -22)
    assert guest.call("write", 6, BIG, 1 << 32)[0] == 65536
    with pytest.raises(OutputSpent):
        guest.kernel.call(NUMBERS["write"], (1, BIG, 1 << 32, 0, 0, 0))
    assert tracemalloc.get_traced_memory()[1] < 1 << 26
    tracemalloc.stop()


def test_output_is_counted_wherever_it_goes(guest):
    guest.kernel.context.written = (1 << 24) - 5 - 2 * PAGE
    assert guest.call("write", 1, In(b"x" * 3), 3)[0] == 3
    fd = guest.call(*op("w/f", CREAT | W))[0]
    assert guest.call("pwrite64", fd, In(b"x"), 1, 1 << 40)[0] == 1
    assert guest.call("mkdir", s("w/d"), 0o777)[0] == 0
    assert guest.call("write", fd, In(b"x"), 1)[0] == 1
    for call in (
        ("write", 1, In(b"x"), 1), ("mkdir", s("w/e"), 0), op("w/g", CREAT | W),
        ("symlink", s("x"), s("w/l")), ("link", s("w/f"), s("w/h")), ("fallocate", fd, 0, 0, 1),
    ):  # fmt: skip
        with pytest.raises(OutputSpent):
            guest.call(*call)


def test_files_without_end_are_refused(guest):
    for _ in range(2000):
        answer = guest.call("dup", 0)[0]
    assert answer == -EMFILE
    assert guest.call("close_range", 3, 5000, 0)[0] == 0
    for _ in range(1021):
        assert guest.call("memfd_create", s("m"), 0)[0] in (*range(3, 1024), -ENFILE)


def test_the_hosts_descriptors_do_not_run_out(guest):
    """Folders in folders without end hold a descriptor of the host each, up to a limit."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    answers = set()
    for _ in range(min(soft, 4096)):
        guest.kernel.context.written = 0
        answers.add(guest.call("mkdir", s("d"), 0o777)[0])
        answers.add(guest.call("chdir", s("d"))[0])
        if -ENFILE in answers:
            break
    assert answers <= {0, -30, -2, -ENFILE, -17}
    with open(os.devnull) as still:
        assert still.readable()


def test_a_path_of_many_links_takes_little_time(guest, tmp_path):
    """40 links of 4 000 bytes each are as much as one path can make us look at."""
    target = "./" * 1900
    for i in range(45):
        os.symlink(f"{target}l{i + 1}", tmp_path / f"w/l{i}")
    start = time.perf_counter()
    assert guest.call("stat", s("w/l0"), Out(144))[0] == -40
    assert time.perf_counter() - start < 2


def test_a_wait_without_end_for_the_clock_ends(guest):
    timeout = In((1 << 62).to_bytes(8, "little") + bytes(8))
    start = time.perf_counter()
    guest.call("pipe2", Out(8), 0)
    assert guest.call("ppoll", In(b"\7\0\0\0\1\0\0\0"), 1, timeout, 0, 0)[0] in (0, 1)
    assert guest.call("select", 0, 0, 0, 0, timeout)[0] == 0
    assert time.perf_counter() - start < 1


def test_a_folder_of_many_files_is_told_once_for_all_who_read_it(guest, tmp_path):
    for i in range(3000):
        (tmp_path / f"w/{i:04}").touch()
    fds = [guest.call("openat", AT_FDCWD, s("w"), 0, 0)[0] for _ in range(200)]
    tracemalloc.start()
    for fd in fds:
        assert guest.call("getdents64", fd, Out(64), 64)[0] == 48
    assert tracemalloc.get_traced_memory()[0] < 1 << 22
    tracemalloc.stop()
