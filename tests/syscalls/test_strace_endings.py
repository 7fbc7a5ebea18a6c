"""Signals and the ends of processes, as the host's strace tells them."""

from __future__ import annotations

import re
import struct
import subprocess
from pathlib import Path

import pytest
from signatures import ALL_ROWS

from syscalls.strace import Strace

PID = 77
SIGILL, SIGKILL, SIGUSR1, SIGSEGV, SIGALRM, SIGRT_2 = 4, 9, 10, 11, 14, 34
SI_USER, SI_KERNEL, SI_TKILL = 0, 0x80, -6
MAPERR, ACCERR, ILLOPN = 1, 2, 2


@pytest.fixture(scope="module")
def endings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("endings")
    source = Path(__file__).with_name("endings.c")
    subprocess.run(
        ["gcc", "-w", "-static", "-no-pie", "-o", folder / "endings", source], check=True
    )

    def play(how, *, core=False):
        """The last lines of strace's log; process numbers are all PID."""
        limit = "unlimited" if core else "0"
        command = f'ulimit -c {limit}; exec strace -o log ./endings "{how}"'
        subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, check=False)
        log = (folder / "log").read_text()
        own = re.search(r"(?:getpid|gettid)\(\) += (\d+)", log)
        return [aligned(line, own[1]) if own else line for line in log.splitlines()]

    return play


def aligned(line, own):
    """The line with PID for the process's own number; the answer stays in its column."""
    made, equals, answer = line.replace(own, str(PID)).rpartition("= ")
    return f"{made.rstrip() + ' ':40}= {answer}" if line[:1].isalpha() else made + equals + answer


def info(number, code, cause=b""):
    return (struct.pack("<iii4x", number, 0, code) + cause).ljust(128, b"\0")


def sender():
    return struct.pack("<iI", PID, 0)


@pytest.fixture
def told():
    """A printer, and what it has printed."""
    lines = []
    return Strace(lines.append, lambda address, size: bytes(size)), lines


def call(strace, name, result, *args):
    row = ALL_ROWS[name]
    registers = [arg % (1 << 64) for arg in (*args, *(0,) * (6 - len(args)))]
    strace.leaving(strace.entering(row, row.decode(struct.pack("<6Q", *registers))), result)


def test_a_process_ends_itself(told, endings):
    strace, lines = told
    call(strace, "exit", None, 7)
    strace.exited(7)
    assert endings("exit")[-2:] == lines
    lines.clear()
    call(strace, "exit_group", None, 0x1FF)
    strace.exited(0xFF)
    assert endings("exit_group")[-2:] == lines


@pytest.mark.parametrize("core", [False, True])
def test_a_fault_kills_it(core, told, endings):
    strace, lines = told
    strace.signal(info(SIGSEGV, MAPERR, struct.pack("<Q", 0)))
    strace.killed(SIGSEGV, core=core)
    assert endings("null", core=core)[-2:] == lines


def test_faults_tell_why_and_where(told, endings):
    strace, _ = told
    for how, number, code in (("rights", SIGSEGV, ACCERR), ("ud2", SIGILL, ILLOPN)):
        signal_line, end = endings(how)[-2:]
        address = int(re.search(r"si_addr=(0x[0-9a-f]+)", signal_line)[1], 16)
        strace.signal(info(number, code, struct.pack("<Q", address)))
        strace.killed(number)
        assert told[1][-2:] == [signal_line, end]


def test_signals_tell_who_sent_them(told, endings):
    strace, lines = told
    call(strace, "kill", 0, PID, SIGUSR1)
    strace.signal(info(SIGUSR1, SI_USER, sender()))
    strace.killed(SIGUSR1)
    assert endings("user")[-3:] == lines
    lines.clear()
    call(strace, "tgkill", 0, PID, PID, SIGRT_2)
    strace.signal(info(SIGRT_2, SI_TKILL, sender()))
    strace.killed(SIGRT_2)
    assert endings("realtime")[-3:] == lines


def test_a_signal_interrupts_a_call(told, endings):
    strace, lines = told
    call(strace, "pause", -514)
    strace.signal(info(SIGALRM, SI_KERNEL))
    strace.killed(SIGALRM)
    assert endings("alarm")[-3:] == lines


def test_a_handler_returns(told, endings):
    """rt_sigreturn answers what the interrupted call does; its mask is empty."""
    strace, lines = told
    call(strace, "pause", -514)
    strace.signal(info(SIGALRM, SI_KERNEL))
    call(strace, "rt_sigreturn", -4)
    assert endings("handled")[-5:-2] == lines


def test_a_call_that_does_not_come_back_is_told_as_far_as_it_is_known(told, endings):
    strace, lines = told
    call(strace, "kill", None, PID, SIGKILL)
    strace.killed(SIGKILL)
    assert endings("kill")[-2:] == lines
    lines.clear()
    call(strace, "read", None, 3, 0x1000, 1)
    strace.killed(SIGKILL)
    assert endings("killed while it reads")[-2:] == lines
