"""The rows of the system calls on signals and timers."""

from __future__ import annotations

from syscalls import (
    itimer,
    kill,
    sigaction,
)
from syscalls import kinds as k
from syscalls.row import Row

SIGNALS = (
    Row(13, "rt_sigaction", (k.SIGNAL, k.SIGACTION_IN, k.SIGACTION_OUT, k.SIZE), k.INT,
        sigaction.rt_sigaction, "whole"),
    Row(14, "rt_sigprocmask", (k.SIGMASK_HOW, k.SIGSET_IN, k.SIGSET_OUT, k.SIZE), k.INT,
        sigaction.rt_sigprocmask, "whole"),
    Row(15, "rt_sigreturn", (), k.SIGRETURN, sigaction.rt_sigreturn, "whole"),
    Row(34, "pause", (), k.INT, sigaction.pause, "ended by a timer"),
    Row(36, "getitimer", (k.ITIMER, k.ITIMERVAL_OUT), k.INT, itimer.getitimer, "whole"),
    Row(37, "alarm", (k.UNSIGNED,), k.INT, itimer.alarm, "whole"),
    Row(38, "setitimer", (k.ITIMER, k.ITIMERVAL_IN, k.ITIMERVAL_OUT), k.INT, itimer.setitimer,
        "whole; no more often than every 100 us"),
    Row(62, "kill", (k.INT, k.SIGNAL), k.INT, kill.kill, "to itself"),
    Row(127, "rt_sigpending", (k.PENDING_OUT, k.SIZE), k.INT, sigaction.rt_sigpending, "whole"),
    Row(128, "rt_sigtimedwait", (k.SIGSET_IN, k.SIGINFO_OUT, k.TIMESPEC_IN, k.SIZE), k.INT,
        sigaction.rt_sigtimedwait, "whole"),
    Row(129, "rt_sigqueueinfo", (k.INT, k.SIGNAL, k.SIGINFO_IN), k.INT, kill.rt_sigqueueinfo,
        "to itself"),
    Row(130, "rt_sigsuspend", (k.SIGSET_IN, k.SIZE), k.INT, sigaction.rt_sigsuspend, "whole"),
    Row(131, "sigaltstack", (k.STACK_IN, k.STACK_OUT), k.INT, sigaction.sigaltstack, "whole"),
    Row(200, "tkill", (k.INT, k.SIGNAL), k.INT, kill.tkill, "to itself"),
    Row(234, "tgkill", (k.INT, k.INT, k.SIGNAL), k.INT, kill.tgkill, "to itself"),
    Row(297, "rt_tgsigqueueinfo", (k.INT, k.INT, k.SIGNAL, k.SIGINFO_IN), k.INT,
        kill.rt_tgsigqueueinfo, "to itself"),
)  # fmt: skip
