"""futex, membarrier, wait4 and waitid, in a world of one thread: answers of the host's Linux."""

from __future__ import annotations

import struct

import pytest
from two_kernels import (
    END,
    HOLE,
    LAST,
    NONE,
    OWN,
    PAGE,
    RO,
    RW,
    assert_same,
    assert_same_kind,
    new_kernel,
    ours,
)

from syscalls.ending import Deadlock

WORD = {RW: struct.pack("<I", 7)}
SHORT, LONG, WRONG = (struct.pack("<qq", *time) for time in ((0, 1000), (1 << 40, 0), (0, 10**9)))
TIME = RW + 64
BEFORE = {**WORD, TIME: SHORT}
PRIVATE, REALTIME = 0x80, 0x100
WAIT, WAKE_OP, LOCK_PI, UNLOCK_PI, TRYLOCK_PI, WAIT_BITSET, LOCK_PI2 = 0, 5, 6, 7, 8, 9, 13
LOCKS = (LOCK_PI, TRYLOCK_PI, LOCK_PI2)
OPERATIONS = [op for op in range(15) if op not in LOCKS] + [0x200, 0x400, -1]
PLACES = (RW + 1, RW + 2, 0, HOLE, RO, NONE, END, LAST, 1 << 47, (1 << 47) - PAGE, -4, 1 << 63)
STRANGER = 5 << 20
"""A thread that does not exist: Linux has no tids so high."""


def modes():
    return [op | flags for op in OPERATIONS for flags in (0, PRIVATE, REALTIME, PRIVATE | REALTIME)]


def test_a_futex_is_looked_at_as_linux_does():
    assert_same(
        [("futex", word, mode, 1, timeout, other, 7, BEFORE)]
        for mode in modes()
        for place in PLACES
        for word, timeout, other in ((place, TIME, RW + 4), (RW, TIME, place), (RW, place, RW))
    )


def test_a_futex_of_another_value_or_none_waits_for_nothing():
    assert_same(
        [("futex", RW, mode, value, timeout, RW + 4, compared, BEFORE)]
        for mode in modes()
        for value, timeout, compared in ((8, TIME, 7), (7, TIME, 7), (1, TIME, 0), (-1, 1, 7),
                                         (1, -1, 7), (-1, -1, 7))
    )  # fmt: skip


@pytest.mark.parametrize("time", [WRONG, struct.pack("<qq", -1, 0), struct.pack("<qq", 0, -1)])
def test_a_timeout_that_is_no_time_is_einval(time):
    assert_same([("futex", RW, mode, 7, TIME, RW + 4, 7, {**WORD, TIME: time})] for mode in modes())


def test_to_wait_without_a_timeout_is_for_ever():
    assert_same([[("futex", RW, WAIT | PRIVATE, 7, 0, 0, 0, BEFORE)]])
    assert ours([("futex", RW, WAIT_BITSET, 7, 0, 0, -1, BEFORE)]) == ["never"]
    with pytest.raises(Deadlock, match="nobody is there to bring it"):
        new_kernel().context.timers.wait(None)


def test_waiting_puts_the_clock_forward():
    told = ("clock_gettime", 1, RW + 128, {RW + 128: bytes(16)})
    ten = struct.pack("<qq", 10, 0)
    later = struct.pack("<qq", 15, 0)
    relative = ("futex", RW, WAIT, 7, TIME, 0, 0, {**WORD, TIME: ten})
    absolute = ("futex", RW, WAIT_BITSET, 7, TIME, 0, -1, {TIME: later})
    answers = ours([relative, told, absolute, told])
    assert [answer.split()[0] for answer in answers] == ["-110", "0", "-110", "0"]
    assert [answer.split()[1][-2:] for answer in answers[1::2]] == ["0a", "0f"]


def test_wake_op_computes_and_compares():
    def code(change, compare, operand, compared):
        return change << 28 | compare << 24 | (operand & 0xFFF) << 12 | compared & 0xFFF

    assert_same(
        [("futex", RW, WAKE_OP | PRIVATE, 1, 1, RW + 4, code(*args), {RW + 4: word})]
        for args in ((change, compare, operand, compared)
                     for change in range(16) for compare in (0, 1, 4, 5, 6, 15)
                     for operand in (1, -1, 33, 31) for compared in (0, -1))
        for word in (bytes(4), b"\xff" * 4, b"\0\0\0\x80")
    )  # fmt: skip


@pytest.mark.parametrize("held", [0, 0x4000_0000, 0x8000_0000, 0xC000_0000, STRANGER])
@pytest.mark.parametrize("flags", [0, PRIVATE])
def test_locks_are_taken_and_given_back(held, flags):
    """By somebody whose pid differs on the two kernels: the word is not compared."""
    sequences = [
        [("futex", RW, lock | flags, 1, 0, 0, 0, {RW: struct.pack("<I", held)})] for lock in LOCKS
    ]
    assert_same_kind(sequences)
    again = [[*taken, ("futex", RW, lock | flags)] for taken in sequences for lock in LOCKS]
    assert_same_kind(again)
    assert_same_kind([*taken, *[("futex", RW, UNLOCK_PI | flags)] * 2] for taken in sequences)


def test_a_lock_holds_the_tid_of_its_owner():
    (taken,) = ours([("futex", RW, LOCK_PI, 1, 0, 0, 0, {RW: bytes(4)})])
    assert taken == f"0 4096:{int(OWN).to_bytes(2, 'little').hex()}"


def test_barriers():
    commands = (0x3FF & ~1, 1, 2, 4, 8, 32, 16, 8, 32, 64, 32, 3, -1, 1024)
    assert_same([[("membarrier", command, flags) for command in commands for flags in (0, 2)]])
    assert ours([("membarrier", 0), ("membarrier", 256)]) == [str(0x7F), "-22"]


def test_there_is_nobody_to_wait_for():
    options = (0, 1, 2, 4, 8, 16, 0x100_0000, 1 << 28, 1 << 29, 1 << 30, 1 << 31)
    assert_same(
        [("wait4", pid, status, option, status)]
        for pid in (-1, 0, 5, -5, -(1 << 31)) for status in (0, HOLE) for option in options
    )  # fmt: skip
    assert_same(
        [("waitid", which, who, info, option, 0)]
        for which in (-1, 0, 1, 2, 3, 4)
        for who in (-1, 0, 1, 9_999_999)
        for info in (0, RW, HOLE)
        for option in (0, 1, 2, 4, 5, 8, 0x10, 0x100_0004, 0x8000_000C)
    )
