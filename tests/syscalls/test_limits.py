"""Resource limits, scheduling, priorities: answers of the host's Linux, and limits that hold."""

from __future__ import annotations

import struct

import pytest
from two_kernels import (
    END,
    HELD,
    HOLE,
    NUMBERS,
    OWN,
    RO,
    RW,
    WORD,
    assert_same,
    new_kernel,
    ours,
    parted,
)

from syscalls.abi import EMFILE, Errno
from syscalls.credentials import Cap
from syscalls.resources import INFINITY, MOST_FILES, Resource

NOBODY = 99_999_999
MMAP_PAGES = ("mmap", 0, 8 * 4096, 3, 0x22, -1, 0)


def limits(soft, hard):
    return {RW: struct.pack("<QQ", soft, hard)}


def number(value):
    return {RW: struct.pack("<i", value)}


def cpus(mask, pid=0, size=8):
    return "sched_setaffinity", pid, size, RW, {RW: mask.to_bytes(16, "little")}


def _about(resource, name, *args):
    """A call with another resource."""
    which = 1 if name == "prlimit64" else 0
    return name, *args[:which], resource, *args[which + 1 :]


LOWERED = [
    ("setrlimit", 0, RW, limits(5, 10)), ("getrlimit", 0, RW + 64),
    ("setrlimit", 0, RW, limits(11, 10)), ("setrlimit", 0, RW, limits(3, 4)),
    ("prlimit64", OWN, 0, RW, RW + 32, limits(2, 2)), ("prlimit64", NOBODY, 0, 0, 0),
    ("prlimit64", -1, 0, 0, 0), ("prlimit64", 0, 0, RW, HOLE, limits(1, 1)),
    ("getrlimit", 0, RW + 96), ("setrlimit", 0, HOLE), ("getrlimit", 0, HOLE),
    ("getrlimit", 0, RO), ("setrlimit", 0, RO), ("prlimit64", 0, 0, 0, 0),
]  # fmt: skip
CASES = {
    "no such resource": [
        ("setrlimit", 16, RW, limits(5, 10)), ("setrlimit", -1, HOLE), ("getrlimit", 16, HOLE),
        ("prlimit64", -1, 16, HOLE, 0), ("prlimit64", -1, 16, 0, 0), ("prlimit64", 0, 16, 0, 0),
    ],
    "too many files": [
        ("setrlimit", 7, RW, limits(5, MOST_FILES + 1)), ("setrlimit", 7, RW, limits(5, INFINITY)),
    ],
    "the first CPU": [
        cpus(1), ("sched_getaffinity", 0, 8, RW + 64), cpus(1, size=1), cpus(1, size=0),
        cpus(1, OWN, 16), cpus(1 << 31, size=4), cpus(1, -1), cpus(1, NOBODY), cpus(0),
        ("sched_setaffinity", -1, 8, HOLE), ("sched_setaffinity", 0, 8, END - 4),
        ("sched_getaffinity", 0, 1 << 40 | 8, RW + 64),
    ] + [("sched_getaffinity", 0, size, RW) for size in (0, 1, 7, 9, -1)] + [
        ("sched_getaffinity", -1, 8, RW), ("sched_getaffinity", 0, 8, RO), ("sched_yield",),
    ],
    "policies": [
        ("sched_getscheduler", 0), ("sched_getscheduler", -1), ("sched_getscheduler", NOBODY),
        ("sched_setscheduler", 0, 1, RW, number(5)), ("sched_getscheduler", OWN),
        ("sched_getparam", 0, RW + 8), ("sched_rr_get_interval", 0, RW + 16),
        ("sched_setscheduler", 0, 2, RW, number(99)), ("sched_rr_get_interval", 0, RW + 32),
        ("sched_setparam", 0, RW, number(3)), ("sched_getparam", 0, RW + 8),
        *[("sched_setscheduler", 0, policy, RW, number(priority))
          for policy in (-1, 0, 1, 2, 3, 4, 5, 6) for priority in (-1, 0, 1, 99, 100)],
        ("sched_setscheduler", 0, 0x4000_0000, RW, number(0)), ("sched_getscheduler", 0),
        ("sched_setparam", 0, RW, number(0)), ("sched_setparam", 0, RW, number(1)),
    ],
    "policies at bad places": [
        ("sched_getparam", 0, 0), ("sched_getparam", -1, RW), ("sched_getparam", NOBODY, HOLE),
        ("sched_getparam", 0, HOLE), ("sched_setscheduler", 0, -1, HOLE),
        ("sched_setscheduler", 0, 0, 0), ("sched_setscheduler", -1, 0, RW),
        ("sched_setscheduler", NOBODY, 0, RW), ("sched_setscheduler", NOBODY, 0, HOLE),
        ("sched_setparam", 0, 0), ("sched_setparam", 0, END - 2), ("sched_setparam", NOBODY, RW),
        ("sched_rr_get_interval", -1, RW), ("sched_rr_get_interval", 0, HOLE),
    ],
    "ranges of priorities": [
        (f"sched_get_priority_{end}", policy)
        for end in ("min", "max") for policy in (-1, 0, 1, 2, 3, 4, 5, 6, 8, 0x4000_0000)
    ],
    "who is nobody": [
        ("setresuid", 5, 5, 5), ("sched_setscheduler", 0, 1, RW, number(1)),
        ("sched_setscheduler", 0, 5, RW, number(0)), ("sched_setscheduler", 0, 0, RW, number(0)),
        ("setpriority", 0, 0, 5), ("setpriority", 0, 0, 4), ("setpriority", 0, 0, 5),
        ("getpriority", 0, 0), ("ioprio_set", 1, 0, 1 << 13 | 3),
        ("sched_setscheduler", 0, 0x4000_0005, RW, number(0)),
        ("sched_setscheduler", 0, 5, RW, number(0)), ("sched_getscheduler", 0),
    ],
    "niceness": [
        ("setpriority", 0, 0, -100), ("getpriority", 0, 0), ("setpriority", 0, OWN, 100),
        ("getpriority", 0, OWN), ("getpriority", 1, 0), ("getpriority", 1, OWN),
        ("getpriority", 3, 0), ("getpriority", -1, 0), ("getpriority", 0, -1),
        ("getpriority", 0, NOBODY), ("getpriority", 2, 77), ("setpriority", 0, NOBODY, 1),
        ("setpriority", 4, 0, 1),
    ],
    "priority of transfers": [
        ("ioprio_get", 1, 0), ("ioprio_set", 1, 0, 2 << 13 | 3), ("ioprio_get", 1, OWN),
        ("ioprio_get", 2, OWN), ("ioprio_set", 1, 0, 0), ("ioprio_get", 1, 0),
        *[("ioprio_set", 1, 0, value)
          for value in (5, 3 << 13, 3 << 13 | 5, 1 << 13 | 9, 2 << 13 | 8, 4 << 13, -1)],
        ("ioprio_set", 0, 0, 2 << 13), ("ioprio_set", 4, 0, 2 << 13), ("ioprio_set", 0, 0, 4 << 13),
        ("ioprio_get", 0, 0), ("ioprio_get", 4, 0), ("ioprio_get", 1, NOBODY),
    ],
    "the CPU it runs on": [
        ("getcpu", 0, 0, -1), ("getcpu", HOLE, 0, 0), ("getcpu", 0, HOLE, 0), ("getcpu", 0, RW, 0),
    ],
    "the log": [("syslog", 10, 0, 0), ("syslog", 3, RW, 8), ("syslog", -1, 0, 0)],
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_linux_answers_the_same(case):
    assert_same([CASES[case]])


KEPT_BY_OTHERS = (Resource.AS, Resource.DATA)
"""Limits this small would end the host's process."""


@pytest.mark.parametrize("resource", [r for r in Resource if r not in KEPT_BY_OTHERS])
def test_limits_are_lowered_and_told(resource):
    assert_same([[_about(resource, *call) for call in LOWERED]])


@pytest.mark.parametrize("resource", Resource)
def test_limits_at_the_start_are_infinite_where_linuxs_are(resource):
    (mine,) = ours([("prlimit64", 0, resource, 0, RW)])
    soft, hard = struct.unpack("<QQ", bytes.fromhex(mine.partition(":")[2]))
    assert soft <= hard


def test_only_who_may_raises_a_hard_limit():
    lower = ("setrlimit", 0, RW, limits(5, 10))
    higher = ("setrlimit", 0, RW, limits(5, 11))
    if HELD >> Cap.SYS_RESOURCE & 1:
        assert_same([[lower, higher]])
    assert ours([lower, ("setresuid", 5, 5, 5), higher]) == ["0", "0", "-1"]
    kernel = new_kernel()
    kernel.context.task.credentials.effective |= 1 << Cap.SYS_RESOURCE
    assert [play(kernel, call) for call in (lower, higher)] == [0, 0]


@pytest.mark.parametrize("resource", KEPT_BY_OTHERS)
def test_a_limit_of_memory_holds_from_then_on(resource):
    kernel = new_kernel()
    assert play(kernel, MMAP_PAGES) > 0
    assert play(kernel, ("setrlimit", resource, RW, limits(16 * 4096, 32 * 4096))) == 0
    assert play(kernel, MMAP_PAGES) == -12
    assert play(kernel, ("setrlimit", resource, RW, limits(32 * 4096, 32 * 4096))) == 0
    assert play(kernel, MMAP_PAGES) > 0


def test_the_stack_and_locked_memory_have_limits():
    kernel = new_kernel()
    for resource in (Resource.STACK, Resource.MEMLOCK):
        play(kernel, ("setrlimit", resource, RW, limits(4096, 8192)))
    assert (kernel.space.limits.stack, kernel.space.limits.locked) == (4096, 4096)


def test_no_more_files_than_the_limit_are_opened():
    kernel = new_kernel()
    play(kernel, ("setrlimit", Resource.NOFILE, RW, limits(4, 8)))
    files = kernel.context.files
    assert files.add(files.at(0)) == 3
    with pytest.raises(Errno) as caught:
        files.add(files.at(0))
    assert caught.value.number == EMFILE


def play(kernel, call):
    """The result of one call, signed."""
    name, args, stored = parted(call)
    for address, data in stored.items():
        kernel.space.memory.write(address, data)
    answer = kernel.call(NUMBERS[name], tuple(arg & WORD for arg in args))
    return answer - (answer >> 63 << 64)
