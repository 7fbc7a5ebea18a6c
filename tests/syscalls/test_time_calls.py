"""Clocks, sleeping, random bytes, and what is told of the system: as on the host's Linux."""

from __future__ import annotations

import struct

import pytest
from two_kernels import (
    BAD,
    END,
    HOLE,
    LAST,
    OWN,
    RO,
    RW,
    assert_same,
    assert_same_kind,
    kind,
    ours,
    theirs,
)

from syscalls import Kernel
from syscalls.clock import END_OF_TIME, EPOCH, HostClock, InstructionClock
from syscalls.memory import NoMemory
from syscalls.processor import NoProcessor
from syscalls.world import World

CLOCKS = [*range(-10, 21), -(1 << 31), (1 << 31) - 1, 1 << 32 | 1]
CPU = (2, -6, -7, -8)
"""Clocks that stand still while the process sleeps."""
TIMES = ((0, 0), (0, 1000), (-1, 0), (0, 10**9), (0, -1))


def at(seconds, rest=0, place=RW):
    return {place: struct.pack("<qq", seconds, rest)}


def test_every_clock_is_told_or_refused():
    assert_same_kind(
        [(name, clock, place, at(5, 5))]
        for name in ("clock_gettime", "clock_getres", "clock_settime")
        for clock in CLOCKS
        for place in (RW, 0, HOLE, RO, END - 8)
    )


def test_the_resolution_is_a_nanosecond():
    assert_same([("clock_getres", clock, RW)] for clock in (0, 1, 2, 3, 4, 7, 11, -6, -2))


def test_no_clock_can_be_set():
    assert_same([("clock_settime", clock, RW, at(*time))] for clock in CLOCKS for time in TIMES)
    assert_same(
        [("settimeofday", RW, zone, at(*time))]
        for time in ((1, 0), (1, 999_999), (1, 10**6), (-1, 0), (1, -1))
        for zone in (0, LAST, HOLE)
    )
    assert_same([[("settimeofday", 0, LAST, {LAST: bytes(8)})]])


def test_sleeping_by_every_clock():
    assert_same(
        [("clock_nanosleep", clock, flags, RW, HOLE, at(*time))]
        for clock in CLOCKS
        for time in TIMES
        for flags in (0, 1, 2, -2)
        if clock not in CPU or time != (0, 1000)
    )
    assert_same(
        [("clock_nanosleep", clock, flags, place, 0)]
        for clock in CLOCKS for flags in (0, 1) for place in (HOLE, RO, END - 8)
    )  # fmt: skip
    assert_same([("nanosleep", RW, HOLE, at(*time))] for time in TIMES)


def test_the_cpu_time_of_who_sleeps_does_not_pass():
    assert_same([[("clock_nanosleep", 2, 0, RW, 0, at(0, 1000))]])
    assert ours([("clock_nanosleep", -6, 1, RW, 0, at(100))]) == ["never"]


ANSWERS = (
    "nanosleep", "gettimeofday", "time", "times", "adjtimex", "sysinfo", "uname",
)  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
def test_a_bad_place_is_efault(name):
    assert_same_kind([(name, place)] for place in (*BAD.values(), RW))


def test_bad_places_behind_other_arguments():
    assert_same_kind(
        [call]
        for place in BAD.values()
        for call in (("gettimeofday", 0, place), ("settimeofday", place),
                     ("settimeofday", 0, place), ("getrusage", 0, place), ("getrusage", -1, place),
                     ("getrusage", 1, place), ("getrusage", -2, place), ("getrusage", 7, place),
                     ("clock_adjtime", 0, place))
    )  # fmt: skip


def test_how_the_clock_is_disciplined_may_be_read():
    modes = (0, 0x8000, 0x8001, 0xA001, 1, 0x2000, 0xA000, 0xA101, 0x4000, 0x100)
    calls = [("adjtimex", RW), *(("clock_adjtime", clock, RW) for clock in CLOCKS)]
    assert_same_kind(
        [(*call, {RW: struct.pack("<I", mode) + bytes(204)})] for call in calls for mode in modes
    )


def test_random_bytes_are_as_many_as_can_be_stored():
    counts = (0, 1, 5, 100, 4096, 8192, 8193, 1 << 20, 1 << 31, 1 << 40, 1 << 63, -1)
    sequences = [
        [("getrandom", place, count, 0)]
        for place in (RW, RW + 5, END - 10, END, LAST, RO, 0, (1 << 47) - 8, -8)
        for count in counts
    ]
    assert [[answer.split()[0] for answer in ours(sequence)] for sequence in sequences] == [
        [answer.split()[0] for answer in answers] for answers in theirs(sequences)
    ]
    assert_same_kind([("getrandom", RW, 8, flags)] for flags in (*range(10), 1 << 32, -1, 1 << 31))


# Our machine


def test_time_is_the_count_of_instructions_and_what_was_slept():
    told = [("clock_gettime", clock, RW, at(0)) for clock in (0, 1, 2)]
    assert ours([("nanosleep", RW, 0, at(3))]) == ["0"]
    real, monotonic, cpu = ours([("nanosleep", RW, 0, at(3)), *told])[1:]
    start = (EPOCH // 10**9 + 3).to_bytes(4, "little").hex()
    assert (real, monotonic, cpu) == (f"0 4096:{start}", "0 4096:03", "0")


def test_who_sleeps_for_ever_wakes_at_the_end_of_time():
    forever = ("nanosleep", RW, 0, at((1 << 63) - 1, 999_999_999))
    told = [("clock_gettime", clock, RW, at(0)) for clock in (0, 1, 5, 11)]
    answers = ours([forever, forever, *told, ("gettimeofday", RW, 0), ("times", 0)])
    assert all(kind(answer) == "well" for answer in answers)
    clock = InstructionClock(NoProcessor())
    clock.sleep(END_OF_TIME)
    clock.sleep(END_OF_TIME)
    assert clock.realtime() == clock.monotonic() == END_OF_TIME


def test_coarse_clocks_tell_ticks():
    told = ("clock_gettime", 6, RW, at(0))
    answers = ours([told, ("nanosleep", RW, 0, at(0, 4_000_999)), told])
    assert answers == ["0", "0", f"0 4105:{(4_000_000 >> 8).to_bytes(2, 'little').hex()}"]


def test_cpu_clocks_have_numbers_by_pid():
    clock = ~int(OWN) << 3 | 2
    assert ours([("clock_getres", clock, 0), ("clock_getres", clock - 8, 0)]) == ["0", "-22"]


def test_the_hosts_clocks_pass_by_themselves():
    clock = HostClock()
    before = clock.monotonic()
    clock.sleep(2_000_000)
    assert clock.monotonic() - before >= 2_000_000
    kernel = Kernel(NoMemory(), world=World(host_time=True))
    assert kernel.call(201, (0,) * 6) > EPOCH // 10**9


def test_the_system_is_always_the_same():
    (answer,) = ours([("uname", RW, {RW: bytes(390)})])
    runs = [bytes.fromhex(run.partition(":")[2]) for run in answer.split()[1:]]
    assert runs == [b"Linux", b"emu", b"6.1.0", b"#1 emu", b"x86_64", b"(none)"]


def test_random_bytes_follow_from_the_seed():
    call = ("getrandom", RW, 16, 0)
    assert ours([call]) == ours([call])
    assert ours([call, call])[0] != ours([call, call])[1]


def test_memory_is_told_by_the_limits():
    (answer,) = ours([("sysinfo", RW, {RW: b"\xee" * 112})])
    data = bytes.fromhex(answer.partition(":")[2])
    uptime, _, _, _, total, free = struct.unpack_from("<q5Q", data)
    assert (uptime, total, total - free) == (0, 64 << 30, 5 * 4096)


def test_usage_tells_time_and_memory():
    (answer,) = ours([("getrusage", 0, RW, {RW: bytes(144)})])
    assert answer == f"0 {4096 + 32}:14"  # 20 KiB are mapped
    assert ours([("getrusage", -1, RW, {RW: bytes(144)})]) == ["0"]
