"""Signals as gdb numbers them, on whatever system: include/gdb/signals.def in its source."""

from __future__ import annotations

from syscalls.signal_numbers import FIRST_REALTIME, LAST, Signal

_UNKNOWN = 143
_FIRST_REALTIME = 77
_LAST_REALTIME = 78
_SECOND_REALTIME = 45
"""gdb's numbers of signals 33 to 63 follow each other; 32 and 64 came later."""
_OTHERS = {
    Signal.SIGBUS: 10, Signal.SIGSYS: 12, Signal.SIGURG: 16, Signal.SIGSTOP: 17,
    Signal.SIGTSTP: 18, Signal.SIGCONT: 19, Signal.SIGCHLD: 20, Signal.SIGTTIN: 21,
    Signal.SIGTTOU: 22, Signal.SIGIO: 23, Signal.SIGXCPU: 24, Signal.SIGXFSZ: 25,
    Signal.SIGVTALRM: 26, Signal.SIGPROF: 27, Signal.SIGWINCH: 28, Signal.SIGUSR1: 30,
    Signal.SIGUSR2: 31, Signal.SIGPWR: 32, Signal.SIGSTKFLT: _UNKNOWN,
}  # fmt: skip
"""Where gdb's number is another one than Linux's on x86-64."""


def number_for_gdb(signal: int) -> int:
    """gdb's number of a signal that Linux numbers so."""
    if FIRST_REALTIME < signal < LAST:
        return _SECOND_REALTIME + signal - FIRST_REALTIME - 1
    if signal == FIRST_REALTIME:
        return _FIRST_REALTIME
    if signal == LAST:
        return _LAST_REALTIME
    known = signal in tuple(Signal)
    return _OTHERS.get(Signal(signal), signal) if known else _UNKNOWN
