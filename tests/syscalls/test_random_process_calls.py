"""Random sequences of calls about the process and its time: as on the host's Linux, or an errno.

Left out on the host: what reaches other processes of the same user, or would change how this one
runs. Other pids are such as nobody has.
"""

from __future__ import annotations

import struct

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from two_kernels import (
    BAD,
    END,
    LAST,
    NUMBERS,
    OWN,
    RW,
    WORD,
    assert_same,
    assert_same_kind,
    new_kernel,
)

from syscalls.ending import Ending
from syscalls.kernel import Kernel
from syscalls.table import PROCESS, TIME

TORN = "straddling"
small = st.integers(-3, 24) | st.sampled_from([63, 64, 99, 255, 1 << 12, 0x1003, 0x1002])
large = st.sampled_from([1 << bit for bit in (13, 30, 31, 32, 47, 62, 63)]) | st.just((1 << 31) - 1)
places = st.sampled_from(
    [RW, RW + 8, RW + 1, RW + 4090, END - 16, LAST, *(BAD[name] for name in BAD if name != TORN)]
)
"""Not where a part can be stored: Linux stores it before EFAULT, and shows it later."""
heads = places.filter(lambda place: place != BAD["kernel"])
"""Of robust lists: newer kernels take -8 for an errno of their own when they are asked for it."""
elsewhere = st.integers(0, WORD).filter(lambda value: not 1 << 22 <= value < 1 << 26)
"""Not where the host's driver itself lies."""
anything = st.one_of(small, small, places, large, elsewhere)
pids = st.sampled_from([0, OWN, OWN, -1, 99_999_999, -(1 << 31)])
ids = st.integers(-1, 4)
seconds = st.sampled_from([0, 0, 1, -1, 1 << 40])
times = st.builds(
    lambda seconds, rest: struct.pack("<qq", seconds, rest), seconds, st.sampled_from([0, 5, 10**9])
)
words = st.binary(min_size=4, max_size=32) | st.builds(lambda n: struct.pack("<q", n), small)
stored = st.dictionaries(st.sampled_from([RW, RW + 8, LAST]), words, max_size=1)


def calls(name, *kinds):
    return st.tuples(st.just(name), *kinds, stored)


def every(names, *kinds):
    return [calls(name, *kinds) for name in names.split()]


limits = st.builds(
    lambda soft, hard: {RW: struct.pack("<QQ", soft, hard)}, st.integers(0, 9), st.integers(5, 9)
)
SAME = st.one_of(
    *every("getpid gettid getpgrp setsid getuid geteuid getgid getegid sched_yield"),
    *every("getpgid sched_getscheduler", pids),
    *every("setuid setgid setfsuid setfsgid", ids),
    *every("setreuid setregid setpgid", ids, ids),
    *every("setresuid setresgid", ids, ids, ids),
    *every("getresuid getresgid", places, places, places),
    *every("getgroups setgroups", st.integers(-1, 5), places),
    *every("capget capset", places, places),
    calls("capget", st.just(RW), places),
    *every("arch_prctl", st.sampled_from([0x1001, 0x1002, 0x1003, 0x1004, 0x1011]), anything),
    calls("personality", anything),
    calls("prctl", st.sampled_from([1, 2, 3, 4, 7, 8, 13, 14, 15, 23, 24, 29, 30, 36, 37, 38, 39]),
          anything, st.integers(0, 1), st.just(0), st.just(0)),
    calls("prctl", st.just(47), small, small, st.just(0), st.just(0)),
    *every("set_tid_address", places),
    *every("set_robust_list", heads, st.sampled_from([24, 24, 0, 23])),
    *every("get_robust_list", pids, places, places),
    *every("getpriority", st.integers(-1, 1), pids),
    calls("setpriority", st.integers(-1, 1), pids, st.integers(-30, 30)),
    *every("sched_getparam sched_setparam", pids, places),
    *every("sched_get_priority_max sched_get_priority_min", st.integers(-2, 6)),
    calls("sched_setscheduler", pids, st.integers(-1, 6), places),
    *every("membarrier", st.sampled_from([1, 2, 4, 8, 16, 32, 64, 3]), st.integers(0, 1)),
    calls("wait4", anything, places, anything, places),
    calls("waitid", small, anything, places, anything, places),
    *every("clock_settime", small, places),
    st.tuples(st.just("prlimit64"), pids, st.sampled_from([1, 4, 10, 13, 14]), st.just(RW), places,
              limits),
    calls("prlimit64", st.just(0), st.sampled_from([1, 4, 10, 13, 14]), st.just(0), places),
    calls("futex", places, st.sampled_from([1, 3, 4, 5, 7, 10, 12, 129, 133]), anything, anything,
          places, anything),
    st.builds(lambda mode, value, time, word: ("futex", RW, mode, value, RW + 64, 0, 7,
                                               {RW + 64: time, RW: word}),
              st.sampled_from([9, 128, 137]), st.just(8), times, st.just(bytes(4))),
)  # fmt: skip
FACTS = st.one_of(
    *every("gettimeofday", places, places),
    *every("time times sysinfo uname", places),
    *every("clock_gettime clock_getres", st.integers(-8, 20), places),
    *every("getrusage", small, places),
    *every("getsid", pids),
    calls("getcpu", places, places, anything),
    *every("getrandom", places, st.integers(0, 9000), small),
    *every("sched_getaffinity", pids, st.sampled_from([0, 7, 8]), places),
    *every("sched_rr_get_interval", pids, places),
    st.tuples(st.just("adjtimex"), st.sampled_from([RW, LAST, *BAD.values()]),
              st.just(dict.fromkeys((RW, LAST), bytes(208)))),
    st.tuples(st.just("nanosleep"), st.just(RW), places, st.builds(
        lambda rest: {RW: struct.pack("<qq", 0, rest)}, st.sampled_from([0, 5, -1, 10**9]))),
)  # fmt: skip


AS_FOUND = (Phase.explicit, Phase.reuse, Phase.generate)
"""Not made smaller: the call that differs is named, and calls may take the host seconds."""


@settings(max_examples=40, phases=AS_FOUND)
@given(st.lists(st.lists(SAME, max_size=25), min_size=5, max_size=10))
def test_random_calls_answer_as_on_linux(sequences):
    assert_same(sequences)


@settings(max_examples=20, phases=AS_FOUND)
@given(st.lists(st.lists(FACTS, max_size=25), min_size=5, max_size=10))
def test_random_questions_about_the_machine_succeed_or_fail_as_on_linux(sequences):
    assert_same_kind(sequences)


numbers = st.sampled_from([row.number for row in (*TIME, *PROCESS)])


@given(st.lists(st.tuples(numbers, st.tuples(*[anything] * 6), stored), max_size=40))
def test_nothing_a_guest_passes_is_an_exception(sequence):
    kernel: Kernel = new_kernel()
    for number, args, bytes_at in sequence:
        for address, data in bytes_at.items():
            kernel.space.memory.write(address, data)
        try:
            answer = kernel.call(number, tuple(arg & WORD for arg in args))
        except Ending:
            continue
        assert 0 <= answer <= WORD
        repr(kernel.calls[-1])


def test_no_row_is_without_a_call_here():
    """What the random calls leave out is looked at in the other files."""
    assert {row.name for row in (*TIME, *PROCESS)} <= set(NUMBERS)
