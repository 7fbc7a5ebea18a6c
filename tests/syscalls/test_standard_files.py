"""The standard files: buffers of ours, or what the host has."""

from __future__ import annotations

import os
import pty
import select
import termios
import time

import pytest
from file_arguments import RW, In, Out, W, op
from two_filesystems import Ours

from syscalls.abi import ENOTTY, ENXIO, EPIPE, ESPIPE
from syscalls.host_stream import HostStream
from syscalls.world import Capture


@pytest.fixture
def guest():
    made = Ours(None)
    yield made
    made.close()


def test_what_is_given_is_read_and_what_is_written_is_kept():
    guest = Ours(None, stdin=Capture(b"given"))
    assert guest.call("read", 0, Out(3), 3) == (3, b"giv")
    again = guest.call(*op("/dev/stdin"))[0]
    assert guest.call("read", again, Out(9), 9)[1].startswith(b"en")
    assert guest.call("read", 0, Out(3), 3)[0] == 0
    out = guest.call(*op("/dev/stdout", W))[0]
    guest.call("write", out, In(b"hello"), 5)
    guest.call("close", out)
    guest.call("writev", 2, 0, 0)
    assert guest.kernel.output(1) == b"hello"
    guest.close()


def test_no_terminal_is_no_tty(guest):
    assert guest.call(*op("/dev/tty", RW))[0] == -ENXIO
    assert guest.call("ioctl", 1, 0x5401, Out(36))[0] == -ENOTTY


def hosted(stdin, stdout, **world):
    return Ours(None, stdin=HostStream(stdin), stdout=HostStream(stdout), **world)


def test_a_terminal_of_the_host_is_a_terminal():
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (30, 100))
    before = termios.tcgetattr(theirs)
    guest = hosted(theirs, theirs)
    answer, attributes = guest.call("ioctl", 0, 0x5401, Out(36))
    assert answer == 0
    assert guest.call("ioctl", 1, 0x5413, Out(8)) == (0, bytes.fromhex("1e00640000000000"))
    assert guest.call("ioctl", 1, 0x540F, Out(4)) == (0, (1000).to_bytes(4, "little"))
    answer, stat = guest.call("fstat", 0, Out(144))
    assert int.from_bytes(stat[24:28], "little") == os.fstat(theirs).st_mode
    assert int.from_bytes(stat[40:48], "little") == os.fstat(theirs).st_rdev
    assert stat[72:120] == bytes(48)
    os.write(ours, b"typed\n")
    select.select([theirs], [], [])
    assert guest.call("ioctl", 0, 0x541B, Out(4)) == (0, (6).to_bytes(4, "little"))
    assert guest.call("read", 0, Out(100), 100)[0] == 6
    assert guest.call(*op("/dev/tty", RW))[0] == 3
    assert guest.call("write", 3, In(b"shown"), 5)[0] == 5
    raw = bytearray(attributes)
    raw[12:16] = bytes(4)  # no echo, no lines
    assert guest.call("ioctl", 0, 0x5402, In(bytes(raw)))[0] == 0
    assert termios.tcgetattr(theirs)[3] == 0
    guest.close()
    assert termios.tcgetattr(theirs) == before
    seen = b""
    while b"shown" not in seen:
        seen += os.read(ours, 100)
    os.close(ours)
    os.close(theirs)


def test_a_regular_file_of_the_host_as_standard_file_can_be_sought(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    fd = os.open(path, os.O_RDWR | os.O_APPEND)
    guest = hosted(fd, fd)
    assert guest.call("lseek", 0, 5, 0)[0] == 5
    assert guest.call("read", 0, Out(2), 2) == (2, b"56")
    assert guest.call("pread64", 0, Out(2), 2, 1) == (2, b"12")
    assert guest.call("fcntl", 1, 3, 0)[0] == 0o102002
    assert guest.call("write", 1, In(b"end"), 3)[0] == 3
    assert path.read_bytes() == b"0123456789end"
    source = guest.kernel.context.files.at(0).source()
    assert (source.size, source.read(8, 3)) == (13, b"89e")
    guest.close()
    os.close(fd)


def test_a_closed_standard_output_is_epipe_and_the_signal_is_told():
    end, out = os.pipe()
    os.close(end)
    guest = hosted(out, out)
    assert guest.call("write", 1, In(b"x"), 1)[0] == -EPIPE
    assert guest.kernel.context.signals.pending == 1 << 13 - 1
    assert guest.call("lseek", 1, 0, 1)[0] == -ESPIPE
    guest.close()
    os.close(out)


def test_a_standard_file_that_the_host_has_closed_is_not_open():
    end, out = os.pipe()
    os.close(out)
    guest = Ours(None, stdin=HostStream(end), stdout=HostStream(out), stderr=HostStream(out))
    assert guest.kernel.context.files.numbers() == [0]
    assert guest.call(*op("/dev/null"))[0] == 1
    guest.close()
    os.close(end)


def later(out, data):
    """Another process writes, soon."""
    child = os.fork()
    if not child:
        time.sleep(0.1)
        os.write(out, data)
        os._exit(0)
    return child


@pytest.fixture
def idle():
    """A pipe of the host that nobody has written to, and does not make one wait."""
    end, out = os.pipe()
    os.set_blocking(end, False)
    yield end, out
    os.close(end)
    os.close(out)


POLLED = In(b"\0\0\0\0\1\0\0\0")


def test_reading_waits_for_the_host_even_where_it_would_not(idle):
    guest = hosted(*idle)
    child = later(idle[1], b"late")
    assert guest.call("read", 0, Out(10), 10)[0] == 4
    os.waitpid(child, 0)
    guest.close()


def test_polling_without_end_waits_for_the_host(idle):
    guest = hosted(*idle)
    child = later(idle[1], b"late")
    assert guest.call("poll", POLLED, 1, -1)[0] == 1
    assert guest.call("select", 1, In(b"\1" + bytes(7)), 0, 0, 0)[0] == 1
    os.waitpid(child, 0)
    guest.close()


def test_a_timeout_takes_no_time_of_the_hosts_unless_its_clock_was_asked_for(idle):
    guest = hosted(*idle)
    before = time.perf_counter()
    assert guest.call("poll", POLLED, 1, 10_000_000)[0] == 0
    assert time.perf_counter() - before < 1
    assert guest.kernel.context.clock.monotonic() == 10_000_000_000_000
    guest.close()
    guest = hosted(*idle, host_time=True)
    child = later(idle[1], b"late")
    assert guest.call("poll", POLLED, 1, 10_000)[0] == 1
    os.waitpid(child, 0)
    guest.close()


def test_a_timeout_longer_than_the_host_can_wait_is_one_all_the_same(idle):
    guest = hosted(*idle, host_time=True)
    child = later(idle[1], b"late")
    centuries = In((1 << 40).to_bytes(8, "little") + bytes(8))
    assert guest.call("ppoll", POLLED, 1, centuries, 0, 8)[0] == 1
    os.waitpid(child, 0)
    guest.close()
