"""The rows of the system calls on time."""

from __future__ import annotations

from syscalls import clock_gettime, gettimeofday, nanosleep, sched
from syscalls import kinds as k
from syscalls.adjtimex import adjtimex, clock_adjtime
from syscalls.getrusage import times
from syscalls.row import Row

TIME = (
    Row(24, "sched_yield", (), k.INT, sched.sched_yield, "whole"),
    Row(35, "nanosleep", (k.TIMESPEC_IN, k.TIMESPEC_LEFT), k.INT, nanosleep.nanosleep,
        "the clock is put forward"),
    Row(96, "gettimeofday", (k.TIMEVAL_OUT, k.TIMEZONE_OUT), k.INT, gettimeofday.gettimeofday,
        "whole"),
    Row(100, "times", (k.TMS_OUT,), k.LONG, times, "all time is the user's"),
    Row(159, "adjtimex", (k.TIMEX,), k.INT, adjtimex, "to read"),
    Row(164, "settimeofday", (k.TIMEVAL_IN, k.TIMEZONE_IN), k.INT, gettimeofday.settimeofday,
        "checked, then EPERM"),
    Row(201, "time", (k.TIME_OUT,), k.TIME_ANSWER, gettimeofday.time, "whole"),
    Row(227, "clock_settime", (k.CLOCK, k.TIMESPEC_IN), k.INT, clock_gettime.clock_settime,
        "checked, then EPERM"),
    Row(228, "clock_gettime", (k.CLOCK, k.TIMESPEC_OUT), k.INT, clock_gettime.clock_gettime,
        "all clocks but those of alarms, files and other processes"),
    Row(229, "clock_getres", (k.CLOCK, k.TIMESPEC_OUT), k.INT, clock_gettime.clock_getres,
        "as clock_gettime"),
    Row(230, "clock_nanosleep", (k.CLOCK, k.CLOCK_FLAGS, k.TIMESPEC_IN, k.TIMESPEC_LEFT), k.INT,
        nanosleep.clock_nanosleep, "the clock is put forward"),
    Row(305, "clock_adjtime", (k.CLOCK, k.TIMEX), k.INT, clock_adjtime, "to read"),
)  # fmt: skip
