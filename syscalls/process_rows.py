"""The rows of the system calls on the process itself."""

from __future__ import annotations

from syscalls import (
    getpid,
    getpriority,
    getrlimit,
    sched,
    setuid,
    threads,
    wait4,
)
from syscalls import kinds as k
from syscalls.arch_prctl import arch_prctl
from syscalls.capget import capget, capset
from syscalls.exit import exit_process
from syscalls.futex import futex
from syscalls.getrandom import getrandom
from syscalls.getrusage import getrusage
from syscalls.membarrier import membarrier
from syscalls.personality import personality
from syscalls.prctl import prctl
from syscalls.row import Row
from syscalls.sysinfo import sysinfo
from syscalls.syslog import syslog
from syscalls.uname import uname

PROCESS = (
    Row(39, "getpid", (), k.INT, getpid.getpid, "whole"),
    Row(60, "exit", (k.INT,), k.INT, exit_process, "whole"),
    Row(61, "wait4", (k.INT, k.WAIT_STATUS_OUT, k.WAIT_OPTIONS, k.WAIT_USAGE_OUT), k.INT,
        wait4.wait4,
        "there are no children"),
    Row(63, "uname", (k.UTSNAME_OUT,), k.INT, uname, "always the same"),
    Row(97, "getrlimit", (k.RESOURCE, k.RLIMIT_OUT), k.INT, getrlimit.getrlimit, "whole"),
    Row(98, "getrusage", (k.RUSAGE_WHO, k.RUSAGE_OUT), k.INT, getrusage,
        "time, and the most that was mapped"),
    Row(99, "sysinfo", (k.SYSINFO_OUT,), k.INT, sysinfo, "memory and time"),
    Row(102, "getuid", (), k.INT, setuid.getuid, "whole"),
    Row(103, "syslog", (k.SYSLOG_ACTION, k.SYSLOG_OUT, k.SYSLOG_SIZE), k.INT, syslog, "EPERM"),
    Row(104, "getgid", (), k.INT, setuid.getgid, "whole"),
    Row(105, "setuid", (k.OWNER,), k.INT, setuid.setuid, "whole"),
    Row(106, "setgid", (k.OWNER,), k.INT, setuid.setgid, "whole"),
    Row(107, "geteuid", (), k.INT, setuid.geteuid, "whole"),
    Row(108, "getegid", (), k.INT, setuid.getegid, "whole"),
    Row(109, "setpgid", (k.INT, k.INT), k.INT, getpid.setpgid, "of the only process"),
    Row(110, "getppid", (), k.INT, getpid.getppid, "1"),
    Row(111, "getpgrp", (), k.INT, getpid.getpgrp, "whole"),
    Row(112, "setsid", (), k.INT, getpid.setsid, "whole"),
    Row(113, "setreuid", (k.OWNER, k.OWNER), k.INT, setuid.setreuid, "whole"),
    Row(114, "setregid", (k.OWNER, k.OWNER), k.INT, setuid.setregid, "whole"),
    Row(115, "getgroups", (k.INT, k.GROUPS_OUT), k.INT, setuid.getgroups, "whole"),
    Row(116, "setgroups", (k.INT, k.GROUPS_IN), k.INT, setuid.setgroups, "whole"),
    Row(117, "setresuid", (k.OWNER, k.OWNER, k.OWNER), k.INT, setuid.setresuid, "whole"),
    Row(118, "getresuid", (k.UNSIGNED_OUT, k.UNSIGNED_OUT, k.UNSIGNED_OUT), k.INT,
        setuid.getresuid, "whole"),
    Row(119, "setresgid", (k.OWNER, k.OWNER, k.OWNER), k.INT, setuid.setresgid, "whole"),
    Row(120, "getresgid", (k.UNSIGNED_OUT, k.UNSIGNED_OUT, k.UNSIGNED_OUT), k.INT,
        setuid.getresgid, "whole"),
    Row(121, "getpgid", (k.INT,), k.INT, getpid.getpgid, "of the only process"),
    Row(122, "setfsuid", (k.OWNER,), k.INT, setuid.setfsuid, "whole"),
    Row(123, "setfsgid", (k.OWNER,), k.INT, setuid.setfsgid, "whole"),
    Row(124, "getsid", (k.INT,), k.INT, getpid.getsid, "of the only process"),
    Row(125, "capget", (k.CAP_HEADER, k.CAP_DATA_OUT), k.INT, capget, "of the only process"),
    Row(126, "capset", (k.CAP_HEADER, k.CAP_DATA_IN), k.INT, capset, "whole"),
    Row(135, "personality", (k.PERSONALITY,), k.INT, personality, "remembered"),
    Row(140, "getpriority", (k.PRIORITY_WHICH, k.INT), k.INT, getpriority.getpriority,
        "of the only process"),
    Row(141, "setpriority", (k.PRIORITY_WHICH, k.INT, k.INT), k.INT, getpriority.setpriority,
        "remembered"),
    Row(142, "sched_setparam", (k.INT, k.SCHED_PARAM_IN), k.INT, sched.sched_setparam,
        "remembered"),
    Row(143, "sched_getparam", (k.INT, k.SCHED_PARAM_OUT), k.INT, sched.sched_getparam, "whole"),
    Row(144, "sched_setscheduler", (k.INT, k.POLICY_SET, k.SCHED_PARAM_IN), k.INT,
        sched.sched_setscheduler, "remembered; neither SCHED_DEADLINE nor SCHED_EXT"),
    Row(145, "sched_getscheduler", (k.INT,), k.POLICY_ANSWER, sched.sched_getscheduler, "whole"),
    Row(146, "sched_get_priority_max", (k.POLICY,), k.INT, sched.sched_get_priority_max, "whole"),
    Row(147, "sched_get_priority_min", (k.POLICY,), k.INT, sched.sched_get_priority_min, "whole"),
    Row(148, "sched_rr_get_interval", (k.INT, k.TIMESPEC_OUT), k.INT, sched.sched_rr_get_interval,
        "whole"),
    Row(157, "prctl", (k.PRCTL_OPTION, k.PRCTL_ARGUMENT, k.PRCTL_ARGUMENT, k.PRCTL_ARGUMENT,
        k.PRCTL_ARGUMENT), k.INT, prctl, "what is told of the process itself"),
    Row(158, "arch_prctl", (k.ARCH_CODE, k.ARCH_ADDRESS), k.INT, arch_prctl, "fs and gs"),
    Row(160, "setrlimit", (k.RESOURCE, k.RLIMIT_IN), k.INT, getrlimit.setrlimit,
        "AS, DATA, STACK, MEMLOCK and NOFILE hold; the others are remembered"),
    Row(186, "gettid", (), k.INT, threads.gettid, "whole"),
    Row(202, "futex", (k.ADDRESS, k.FUTEX_OP, k.FUTEX_VALUE, k.FUTEX_ARGUMENT, k.FUTEX_ARGUMENT,
        k.FUTEX_VALUE), k.INT, futex, "for one thread"),
    Row(203, "sched_setaffinity", (k.INT, k.SIZE, k.CPUSET_IN), k.INT, sched.sched_setaffinity,
        "one CPU"),
    Row(204, "sched_getaffinity", (k.INT, k.SIZE, k.CPUSET_OUT), k.INT, sched.sched_getaffinity,
        "one CPU"),
    Row(218, "set_tid_address", (k.RAW,), k.INT, threads.set_tid_address, "remembered"),
    Row(231, "exit_group", (k.INT,), k.INT, exit_process, "whole"),
    Row(247, "waitid", (k.WAIT_WHICH, k.INT, k.WAIT_INFO_OUT, k.WAIT_OPTIONS, k.RUSAGE_OUT), k.INT,
        wait4.waitid, "there are no children"),
    Row(251, "ioprio_set", (k.IO_PRIORITY_WHICH, k.INT, k.IOPRIO), k.INT, getpriority.ioprio_set,
        "remembered"),
    Row(252, "ioprio_get", (k.IO_PRIORITY_WHICH, k.INT), k.IOPRIO_ANSWER, getpriority.ioprio_get,
        "of the only process"),
    Row(273, "set_robust_list", (k.ADDRESS, k.SIZE), k.INT, threads.set_robust_list, "remembered"),
    Row(274, "get_robust_list", (k.INT, k.ADDRESS_OUT, k.SIZE_OUT), k.INT, threads.get_robust_list,
        "of the only thread"),
    Row(302, "prlimit64", (k.INT, k.RESOURCE, k.RLIMIT_IN, k.RLIMIT_OUT), k.INT,
        getrlimit.prlimit64, "as setrlimit, of the process itself"),
    Row(309, "getcpu", (k.UNSIGNED_OUT, k.UNSIGNED_OUT, k.ADDRESS), k.INT, sched.getcpu,
        "always the first"),
    Row(318, "getrandom", (k.RANDOM_OUT, k.SIZE, k.RANDOM_FLAGS), k.SIZE, getrandom,
        "bytes that follow from a seed"),
    Row(324, "membarrier", (k.MEMBARRIER_COMMAND, k.MEMBARRIER_FLAGS, k.INT), k.INT, membarrier,
        "for one thread"),
    Row(334, "rseq", (k.RAW, k.HEX32, k.HEX32, k.HEX32), k.INT, threads.rseq,
        "ENOSYS, as a kernel without it"),
)  # fmt: skip
