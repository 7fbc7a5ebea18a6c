"""The summary of strace -c, from the same calls and times."""

from __future__ import annotations

import re
import subprocess

import pytest
from player import Player, laid
from signatures import ALL_ROWS

from syscalls.count import Count
from syscalls.kernel import missing_row

HOSTS = """\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- -----------------------
100.00    1.050943          15     70000      8750 sched_get_priority_max
  0.00    0.000015          15         1         1 write
  0.00    0.000000           0         5           brk
  0.00    0.000000           0         1           getrandom
------ ----------- ----------- --------- --------- -----------------------
100.00    1.050958          15     70007      8751 total
"""
"""strace 6.1 on Linux 6.18, with some of its lines left out."""


def counted(calls):
    """calls: (name, how often, how often it fails, what all of them take)."""
    now = 0.0
    count = Count(lambda: now)
    for name, times, errors, seconds in calls:
        row = ALL_ROWS[name]
        for index in range(times):
            entered = count.entering(row, (0,) * len(row.params))
            now += seconds / times
            count.leaving(entered, -1 if index < errors else 0)
    return count


def test_the_table_of_times_is_strace_s():
    calls = [
        ("write", 1, 1, 0.000015),
        ("getrandom", 1, 0, 0.0),
        ("brk", 5, 0, 0.0),
        ("sched_get_priority_max", 70000, 8750, 1.050943),
    ]
    assert counted(calls).table() == HOSTS


def test_nothing_counted_is_a_table_too():
    assert Count().table().splitlines()[-1].split() == ["100.00", "0.000000", "0", "0", "total"]


def test_neither_what_does_not_come_back_nor_what_has_no_name_is_counted():
    count = Count()
    count.leaving(count.entering(ALL_ROWS["exit"], (1,)), None)
    count.leaving(count.entering(missing_row(999), (1,)), -38)
    assert count.tallies == {}


NAMES = ["getpid", "close", "getppid", "close", "sched_get_priority_max", "getpid", "write"]


@pytest.mark.parametrize("calls", [[], NAMES, ["umask", *NAMES, *NAMES, "sync"]])
def test_the_table_of_calls_is_strace_s(calls, tmp_path):
    Player(tmp_path).lines([laid(name, 77) for name in calls])
    options = ["-C", "-S", "calls", "-U", "calls,errors,name", "-o", "counted"]
    subprocess.run(["strace", *options, "./played"], cwd=tmp_path, capture_output=True, check=True)
    log = (tmp_path / "counted").read_text()
    made = re.findall(r"^(\w+)\(.* = ([-?\w]+)", log, re.M)
    count, rows = Count(), {**ALL_ROWS, "execve": missing_row(59)}
    for name, answer in made:
        row = rows.get(name) or missing_row(0x1000)
        count.leaving(count.entering(row, ()), {"-1": -1, "?": None}.get(answer, 0))
    assert count.table_of_calls() == log[log.index("    calls") :]
