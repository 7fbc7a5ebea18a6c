"""One row a system call: how it is decoded, called and shown are all derived from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from syscalls import (
    clock_gettime,
    getpid,
    getpriority,
    getrlimit,
    gettimeofday,
    itimer,
    kill,
    nanosleep,
    sched,
    setuid,
    sigaction,
    threads,
    wait4,
)
from syscalls import kinds as k
from syscalls.adjtimex import adjtimex, clock_adjtime
from syscalls.arch_prctl import arch_prctl
from syscalls.brk import brk
from syscalls.capget import capget, capset
from syscalls.exit import exit_process
from syscalls.futex import futex
from syscalls.getrandom import getrandom
from syscalls.getrusage import getrusage, times
from syscalls.kinds import Kind
from syscalls.membarrier import membarrier
from syscalls.mmap import mmap
from syscalls.mprotect import mprotect
from syscalls.munmap import munmap
from syscalls.personality import personality
from syscalls.prctl import prctl
from syscalls.sysinfo import sysinfo
from syscalls.syslog import syslog
from syscalls.uname import uname
from syscalls.write import write


@dataclass(frozen=True, slots=True)
class Row:
    """A system call of Linux. `note` says what is supported."""

    number: int
    name: str
    params: tuple[Kind, ...]
    result: Kind
    handler: Callable[..., int]
    note: str


MEMORY = (
    Row(9, "mmap", (k.ADDRESS, k.SIZE, k.PROT, k.MAP_FLAGS, k.FD, k.OFFSET), k.ADDRESS, mmap,
        "anonymous private memory"),
    Row(10, "mprotect", (k.ADDRESS, k.SIZE, k.PROT), k.INT, mprotect, "whole"),
    Row(11, "munmap", (k.ADDRESS, k.SIZE), k.INT, munmap, "whole"),
    Row(12, "brk", (k.ADDRESS,), k.ADDRESS, brk, "whole"),
)  # fmt: skip
FILES = (
    Row(1, "write", (k.FD, k.BYTES_IN, k.SIZE), k.SIZE, write,
        "to the standard output and error, captured"),
)  # fmt: skip
SIGNALS = (
    Row(13, "rt_sigaction", (k.SIGNAL, k.SIGACTION_IN, k.SIGACTION_OUT, k.SIZE), k.INT,
        sigaction.rt_sigaction, "whole"),
    Row(14, "rt_sigprocmask", (k.SIGMASK_HOW, k.SIGSET_IN, k.SIGSET_OUT, k.SIZE), k.INT,
        sigaction.rt_sigprocmask, "whole"),
    Row(15, "rt_sigreturn", (), k.LONG, sigaction.rt_sigreturn, "whole"),
    Row(34, "pause", (), k.INT, sigaction.pause, "ended by a timer"),
    Row(36, "getitimer", (k.ITIMER, k.ITIMERVAL_OUT), k.INT, itimer.getitimer, "whole"),
    Row(37, "alarm", (k.SECONDS,), k.INT, itimer.alarm, "whole"),
    Row(38, "setitimer", (k.ITIMER, k.ITIMERVAL_IN, k.ITIMERVAL_OUT), k.INT, itimer.setitimer,
        "whole; no more often than every 100 us"),
    Row(62, "kill", (k.PID, k.SIGNAL), k.INT, kill.kill, "to itself"),
    Row(127, "rt_sigpending", (k.SIGSET_OUT, k.SIZE), k.INT, sigaction.rt_sigpending, "whole"),
    Row(128, "rt_sigtimedwait", (k.SIGSET_IN, k.SIGINFO_OUT, k.TIMESPEC_IN, k.SIZE), k.INT,
        sigaction.rt_sigtimedwait, "whole"),
    Row(129, "rt_sigqueueinfo", (k.PID, k.SIGNAL, k.SIGINFO_IN), k.INT, kill.rt_sigqueueinfo,
        "to itself"),
    Row(130, "rt_sigsuspend", (k.SIGSET_IN, k.SIZE), k.INT, sigaction.rt_sigsuspend, "whole"),
    Row(131, "sigaltstack", (k.STACK_IN, k.STACK_OUT), k.INT, sigaction.sigaltstack, "whole"),
    Row(200, "tkill", (k.PID, k.SIGNAL), k.INT, kill.tkill, "to itself"),
    Row(234, "tgkill", (k.PID, k.PID, k.SIGNAL), k.INT, kill.tgkill, "to itself"),
    Row(297, "rt_tgsigqueueinfo", (k.PID, k.PID, k.SIGNAL, k.SIGINFO_IN), k.INT,
        kill.rt_tgsigqueueinfo, "to itself"),
)  # fmt: skip
TIME = (
    Row(24, "sched_yield", (), k.INT, sched.sched_yield, "whole"),
    Row(35, "nanosleep", (k.TIMESPEC_IN, k.TIMESPEC_OUT), k.INT, nanosleep.nanosleep,
        "the clock is put forward"),
    Row(96, "gettimeofday", (k.TIMEVAL_OUT, k.TIMEZONE_OUT), k.INT, gettimeofday.gettimeofday,
        "whole"),
    Row(100, "times", (k.TMS_OUT,), k.LONG, times, "all time is the user's"),
    Row(159, "adjtimex", (k.ADDRESS,), k.INT, adjtimex, "to read"),
    Row(164, "settimeofday", (k.TIMEVAL_IN, k.ADDRESS), k.INT, gettimeofday.settimeofday,
        "checked, then EPERM"),
    Row(201, "time", (k.TIME_OUT,), k.LONG, gettimeofday.time, "whole"),
    Row(227, "clock_settime", (k.CLOCK, k.TIMESPEC_IN), k.INT, clock_gettime.clock_settime,
        "checked, then EPERM"),
    Row(228, "clock_gettime", (k.CLOCK, k.TIMESPEC_OUT), k.INT, clock_gettime.clock_gettime,
        "all clocks but those of alarms, files and other processes"),
    Row(229, "clock_getres", (k.CLOCK, k.TIMESPEC_OUT), k.INT, clock_gettime.clock_getres,
        "as clock_gettime"),
    Row(230, "clock_nanosleep", (k.CLOCK, k.CLOCK_FLAGS, k.TIMESPEC_IN, k.TIMESPEC_OUT), k.INT,
        nanosleep.clock_nanosleep, "the clock is put forward"),
    Row(305, "clock_adjtime", (k.CLOCK, k.ADDRESS), k.INT, clock_adjtime, "to read"),
)  # fmt: skip
PROCESS = (
    Row(39, "getpid", (), k.INT, getpid.getpid, "whole"),
    Row(60, "exit", (k.INT,), k.INT, exit_process, "whole"),
    Row(61, "wait4", (k.INT, k.ADDRESS, k.WAIT_OPTIONS, k.RUSAGE_OUT), k.INT, wait4.wait4,
        "there are no children"),
    Row(63, "uname", (k.UTSNAME_OUT,), k.INT, uname, "always the same"),
    Row(97, "getrlimit", (k.RESOURCE, k.RLIMIT_OUT), k.INT, getrlimit.getrlimit, "whole"),
    Row(98, "getrusage", (k.RUSAGE_WHO, k.RUSAGE_OUT), k.INT, getrusage,
        "time, and the most that was mapped"),
    Row(99, "sysinfo", (k.SYSINFO_OUT,), k.INT, sysinfo, "memory and time"),
    Row(102, "getuid", (), k.INT, setuid.getuid, "whole"),
    Row(103, "syslog", (k.INT, k.ADDRESS, k.INT), k.INT, syslog, "EPERM"),
    Row(104, "getgid", (), k.INT, setuid.getgid, "whole"),
    Row(105, "setuid", (k.INT,), k.INT, setuid.setuid, "whole"),
    Row(106, "setgid", (k.INT,), k.INT, setuid.setgid, "whole"),
    Row(107, "geteuid", (), k.INT, setuid.geteuid, "whole"),
    Row(108, "getegid", (), k.INT, setuid.getegid, "whole"),
    Row(109, "setpgid", (k.INT, k.INT), k.INT, getpid.setpgid, "of the only process"),
    Row(110, "getppid", (), k.INT, getpid.getppid, "1"),
    Row(111, "getpgrp", (), k.INT, getpid.getpgrp, "whole"),
    Row(112, "setsid", (), k.INT, getpid.setsid, "whole"),
    Row(113, "setreuid", (k.INT, k.INT), k.INT, setuid.setreuid, "whole"),
    Row(114, "setregid", (k.INT, k.INT), k.INT, setuid.setregid, "whole"),
    Row(115, "getgroups", (k.INT, k.ADDRESS), k.INT, setuid.getgroups, "whole"),
    Row(116, "setgroups", (k.INT, k.ADDRESS), k.INT, setuid.setgroups, "whole"),
    Row(117, "setresuid", (k.INT, k.INT, k.INT), k.INT, setuid.setresuid, "whole"),
    Row(118, "getresuid", (k.ADDRESS, k.ADDRESS, k.ADDRESS), k.INT, setuid.getresuid, "whole"),
    Row(119, "setresgid", (k.INT, k.INT, k.INT), k.INT, setuid.setresgid, "whole"),
    Row(120, "getresgid", (k.ADDRESS, k.ADDRESS, k.ADDRESS), k.INT, setuid.getresgid, "whole"),
    Row(121, "getpgid", (k.INT,), k.INT, getpid.getpgid, "of the only process"),
    Row(122, "setfsuid", (k.INT,), k.INT, setuid.setfsuid, "whole"),
    Row(123, "setfsgid", (k.INT,), k.INT, setuid.setfsgid, "whole"),
    Row(124, "getsid", (k.INT,), k.INT, getpid.getsid, "of the only process"),
    Row(125, "capget", (k.ADDRESS, k.ADDRESS), k.INT, capget, "of the only process"),
    Row(126, "capset", (k.ADDRESS, k.ADDRESS), k.INT, capset, "whole"),
    Row(135, "personality", (k.PERSONALITY,), k.LONG, personality, "remembered"),
    Row(140, "getpriority", (k.PRIORITY_WHICH, k.INT), k.INT, getpriority.getpriority,
        "of the only process"),
    Row(141, "setpriority", (k.PRIORITY_WHICH, k.INT, k.INT), k.INT, getpriority.setpriority,
        "remembered"),
    Row(142, "sched_setparam", (k.INT, k.ADDRESS), k.INT, sched.sched_setparam, "remembered"),
    Row(143, "sched_getparam", (k.INT, k.ADDRESS), k.INT, sched.sched_getparam, "whole"),
    Row(144, "sched_setscheduler", (k.INT, k.POLICY, k.ADDRESS), k.INT, sched.sched_setscheduler,
        "remembered; neither SCHED_DEADLINE nor SCHED_EXT"),
    Row(145, "sched_getscheduler", (k.INT,), k.INT, sched.sched_getscheduler, "whole"),
    Row(146, "sched_get_priority_max", (k.POLICY,), k.INT, sched.sched_get_priority_max, "whole"),
    Row(147, "sched_get_priority_min", (k.POLICY,), k.INT, sched.sched_get_priority_min, "whole"),
    Row(148, "sched_rr_get_interval", (k.INT, k.TIMESPEC_OUT), k.INT, sched.sched_rr_get_interval,
        "whole"),
    Row(157, "prctl", (k.PRCTL_OPTION, k.ADDRESS, k.ADDRESS, k.ADDRESS, k.ADDRESS), k.INT, prctl,
        "what is told of the process itself"),
    Row(158, "arch_prctl", (k.ARCH_CODE, k.ARCH_ADDRESS), k.INT, arch_prctl, "fs and gs"),
    Row(160, "setrlimit", (k.RESOURCE, k.RLIMIT_IN), k.INT, getrlimit.setrlimit,
        "AS, DATA, STACK, MEMLOCK and NOFILE hold; the others are remembered"),
    Row(186, "gettid", (), k.INT, threads.gettid, "whole"),
    Row(202, "futex", (k.ADDRESS, k.FUTEX_OP, k.INT, k.ADDRESS, k.ADDRESS, k.INT), k.INT, futex,
        "for one thread"),
    Row(203, "sched_setaffinity", (k.INT, k.SIZE, k.CPUSET_IN), k.INT, sched.sched_setaffinity,
        "one CPU"),
    Row(204, "sched_getaffinity", (k.INT, k.SIZE, k.CPUSET_OUT), k.INT, sched.sched_getaffinity,
        "one CPU"),
    Row(218, "set_tid_address", (k.ADDRESS,), k.INT, threads.set_tid_address, "remembered"),
    Row(231, "exit_group", (k.INT,), k.INT, exit_process, "whole"),
    Row(247, "waitid", (k.WAIT_WHICH, k.INT, k.ADDRESS, k.WAIT_OPTIONS, k.RUSAGE_OUT), k.INT,
        wait4.waitid, "there are no children"),
    Row(251, "ioprio_set", (k.IO_PRIORITY_WHICH, k.INT, k.INT), k.INT, getpriority.ioprio_set,
        "remembered"),
    Row(252, "ioprio_get", (k.IO_PRIORITY_WHICH, k.INT), k.INT, getpriority.ioprio_get,
        "of the only process"),
    Row(273, "set_robust_list", (k.ADDRESS, k.SIZE), k.INT, threads.set_robust_list, "remembered"),
    Row(274, "get_robust_list", (k.INT, k.ADDRESS, k.ADDRESS), k.INT, threads.get_robust_list,
        "of the only thread"),
    Row(302, "prlimit64", (k.INT, k.RESOURCE, k.RLIMIT_IN, k.RLIMIT_OUT), k.INT,
        getrlimit.prlimit64, "as setrlimit, of the process itself"),
    Row(309, "getcpu", (k.ADDRESS, k.ADDRESS, k.ADDRESS), k.INT, sched.getcpu, "always the first"),
    Row(318, "getrandom", (k.BYTES_OUT, k.SIZE, k.RANDOM_FLAGS), k.SIZE, getrandom,
        "bytes that follow from a seed"),
    Row(324, "membarrier", (k.MEMBARRIER_COMMAND, k.INT, k.INT), k.INT, membarrier,
        "for one thread"),
    Row(334, "rseq", (k.ADDRESS, k.INT, k.INT, k.INT), k.INT, threads.rseq,
        "ENOSYS, as a kernel without it"),
)  # fmt: skip

ROWS: tuple[Row, ...] = (*MEMORY, *FILES, *SIGNALS, *TIME, *PROCESS)
BY_NUMBER = {row.number: row for row in ROWS}
BY_NAME = {row.name: row for row in ROWS}
