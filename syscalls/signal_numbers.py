"""Signals and their flags by name: signal(7), sigaction(2), sigaltstack(2); x86.

A set of signals is a word: bit n - 1 stands for signal n.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag

LAST, FIRST_REALTIME = 64, 32


class Signal(IntEnum):
    """signal(7), x86."""

    SIGHUP = 1
    SIGINT = 2
    SIGQUIT = 3
    SIGILL = 4
    SIGTRAP = 5
    SIGABRT = 6
    SIGBUS = 7
    SIGFPE = 8
    SIGKILL = 9
    SIGUSR1 = 10
    SIGSEGV = 11
    SIGUSR2 = 12
    SIGPIPE = 13
    SIGALRM = 14
    SIGTERM = 15
    SIGSTKFLT = 16
    SIGCHLD = 17
    SIGCONT = 18
    SIGSTOP = 19
    SIGTSTP = 20
    SIGTTIN = 21
    SIGTTOU = 22
    SIGURG = 23
    SIGXCPU = 24
    SIGXFSZ = 25
    SIGVTALRM = 26
    SIGPROF = 27
    SIGWINCH = 28
    SIGIO = 29
    SIGPWR = 30
    SIGSYS = 31


class Code(IntEnum):
    """si_code of a signal that somebody sent; those of faults are numbers of their own."""

    SI_USER = 0
    SI_KERNEL = 0x80
    SI_QUEUE = -1
    SI_TKILL = -6


class SaFlag(IntFlag):
    """sigaction(2)."""

    SA_RESTORER = 0x0400_0000
    SA_ONSTACK = 0x0800_0000
    SA_RESTART = 0x1000_0000
    SA_NODEFER = 0x4000_0000
    SA_RESETHAND = 0x8000_0000


class StackFlag(IntFlag):
    """sigaltstack(2)."""

    SS_ONSTACK = 1
    SS_DISABLE = 2
    SS_AUTODISARM = 1 << 31


def bit(number: int) -> int:
    """The set that holds one signal."""
    return 1 << number - 1


def bits(*numbers: int) -> int:
    return sum(map(bit, numbers))


def signal_name(number: int) -> str:
    """As strace has it: 11 as "SIGSEGV", 34 as "SIGRT_2"; the number where it is no signal."""
    if number in tuple(Signal):
        return Signal(number).name
    if number == FIRST_REALTIME:
        return "SIGRTMIN"
    return f"SIGRT_{number - FIRST_REALTIME}" if FIRST_REALTIME < number <= LAST else str(number)
