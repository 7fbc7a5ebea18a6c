"""What is there without a disk: devices, /proc, /sys, and the standard files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from file_arguments import BAD, CREAT, NONBLOCK, RW, In, Out, W, i64, op, s
from two_filesystems import Ours

from syscalls import Kernel
from syscalls.abi import EACCES, EFAULT, EINVAL, EISDIR, ENODEV, ENOENT, ENOSPC, Errno
from syscalls.files.proc import Program
from syscalls.memory import NoMemory
from syscalls.world import World


@pytest.fixture
def guest():
    made = Ours(None)
    yield made
    made.close()


def read(guest, path, size=4000):
    fd = guest.call(*op(path))[0]
    assert fd >= 0, path
    got, data = guest.call("read", fd, Out(size), size)
    guest.call("close", fd)
    return data[:got]


def said(guest, path):
    got, text = guest.call("readlink", s(path), Out(100), 100)
    return text[:got] if got >= 0 else got


# Devices, which answer as the host's do


@pytest.mark.parametrize("name", ["null", "zero", "full", "random", "urandom"])
def test_devices_answer_as_the_hosts(guest, name):
    host = os.stat(f"/dev/{name}")
    answer, stat = guest.call("stat", s(f"/dev/{name}"), Out(144))
    assert answer == 0
    assert int.from_bytes(stat[24:28], "little") == host.st_mode
    assert int.from_bytes(stat[40:48], "little") == host.st_rdev
    fd = guest.call(*op(f"/dev/{name}", RW))[0]
    theirs = os.open(f"/dev/{name}", os.O_RDWR)
    for size in (0, 1, 5000):
        assert guest.call("read", fd, Out(size), size)[0] == len(os.read(theirs, size))
        if name != "full":
            assert guest.call("write", fd, In(b"x" * size), size)[0] == size
    for whence in range(3):
        assert guest.call("lseek", fd, 7, whence)[0] == os.lseek(theirs, 7, whence)
    os.close(theirs)


def test_full_has_no_room_and_null_does_not_look(guest):
    full, null = (guest.call(*op(f"/dev/{name}", RW))[0] for name in ("full", "null"))
    assert guest.call("write", full, In(b"x"), 1)[0] == -ENOSPC
    guest.call("memfd_create", s("m"), 0)
    guest.call("write", 5, In(b"x"), 1)
    assert guest.call("sendfile", full, 5, i64(0), 1)[0] == -ENOSPC
    assert guest.call("sendfile", null, 5, i64(0), 1)[0] == 1
    assert guest.call("write", null, BAD, 1 << 40)[0] == 0x7FFF_F000
    assert guest.call("write", null, 1 << 47, 1)[0] == -EFAULT
    assert guest.call("read", null, BAD, 9)[0] == 0
    assert guest.call("read", full, BAD, 9)[0] == -EFAULT


def test_random_bytes_are_the_same_in_every_run_and_another_seed_has_others():
    def run(seed):
        guest = Ours(None, seed=seed)
        found = read(guest, "/dev/urandom", 64), read(guest, "/dev/random", 64)
        guest.close()
        return found

    assert run(1) == run(1) != run(2)
    assert len({*run(1), *run(2)}) == 4


def test_a_device_lies_in_no_file_and_cannot_be_mapped_here(guest):
    fd = guest.call(*op("/dev/zero", RW))[0]
    with pytest.raises(Errno) as caught:
        guest.kernel.context.files.at(fd).source()
    assert caught.value.number == ENODEV


def test_the_entries_of_dev_come_sorted(guest):
    entries = guest.kernel.context.filesystem.walk().locate(
        guest.kernel.context.filesystem.root, b"/dev"
    )
    names = [entry.name.decode() for entry in entries.node.entries()]
    assert names == "fd full null random stderr stdin stdout tty urandom zero".split()


# /proc


def test_proc_tells_of_the_program(guest):
    guest.kernel.context.filesystem.program.executable = b"/bin/a-name-of-many-letters"
    program = guest.kernel.context.filesystem.program
    program.arguments, program.environment = (b"prog", b"", b"-x"), (b"A=1", b"B=2")
    program.auxiliary = bytes(range(16))
    assert read(guest, "/proc/self/cmdline") == b"prog\0\0-x\0"
    assert read(guest, "/proc/1000/environ") == b"A=1\0B=2\0"
    assert read(guest, "/proc/self/auxv") == bytes(range(16))
    assert read(guest, "/proc/self/comm") == b"a-name-of-many-\n"
    assert read(guest, "/proc/self/stat").startswith(b"1000 (a-name-of-many-) R 1 1000 ")
    assert len(read(guest, "/proc/self/stat").split()) == 52
    assert b"\nPid:\t1000\nPPid:\t1\n" in read(guest, "/proc/self/status")
    assert said(guest, "/proc/self") == b"1000"
    assert Program().command == b"emu"


def test_exe_is_a_link_to_what_runs(tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/prog").write_bytes(b"\x7fELF")
    guest = Ours(tmp_path)
    assert said(guest, "/proc/self/exe") == -ENOENT
    guest.kernel.context.filesystem.program.executable = b"/bin/prog"
    assert said(guest, "/proc/self/exe") == b"/bin/prog"
    assert read(guest, "/proc/self/exe") == b"\x7fELF"
    guest.close()


def test_maps_has_a_line_a_region(guest):
    text = read(guest, "/proc/self/maps", 8000)
    regions = guest.kernel.space.regions
    lines = text.decode().splitlines()
    assert len(lines) == len(regions)
    assert lines[0] == f"{regions[0].start:08x}-{regions[0].end:08x} rw-p 00000000 00:00 0 "
    assert len(read(guest, "/proc/self/maps", 8)) == 8


def test_the_open_files_are_links(guest):
    guest.call("pipe2", Out(8), 0)
    guest.call("memfd_create", s("mem"), 0)
    assert said(guest, "/proc/self/fd/3") == b"pipe:[1]"
    assert said(guest, "/proc/self/fd/5") == b"/memfd:mem (deleted)"
    assert said(guest, "/proc/self/fd/6") == said(guest, "/proc/self/fd/x") == -ENOENT
    listing = guest.kernel.context.filesystem.walk().locate(
        guest.kernel.context.filesystem.root, b"/dev/fd"
    )
    assert [entry.name for entry in listing.node.entries()] == [b"0", b"1", b"2", b"3", b"4", b"5"]


def test_a_file_without_a_name_is_opened_anew_by_its_link(guest):
    guest.call("memfd_create", s("mem"), 0)
    guest.call("write", 3, In(b"hello"), 5)
    assert read(guest, "/proc/self/fd/3") == b"hello"
    guest.call("pipe2", Out(8), NONBLOCK)
    assert guest.call(*op("/proc/self/fd/4", W | NONBLOCK))[0] == 6
    guest.call("write", 6, In(b"abc"), 3)
    assert guest.call("read", 4, Out(3), 3) == (3, b"abc")


def test_what_programs_ask_of_the_machine(guest):
    assert read(guest, "/sys/devices/system/cpu/online") == b"0\n"
    assert read(guest, "/proc/cpuinfo").count(b"processor") == 1
    assert read(guest, "/proc/meminfo").startswith(b"MemTotal:       67108864 kB\n")
    assert guest.call(*op("/proc/version"))[0] == -ENOENT


def test_a_text_is_read_in_parts_and_anywhere(guest):
    fd = guest.call(*op("/proc/meminfo"))[0]
    whole = read(guest, "/proc/meminfo")
    assert guest.call("read", fd, Out(4), 4) == (4, whole[:4])
    assert guest.call("read", fd, Out(4), 4) == (4, whole[4:8])
    assert guest.call("pread64", fd, Out(4), 4, 2) == (4, whole[2:6])
    assert guest.call("lseek", fd, -4, 1)[0] == 4
    assert guest.call("lseek", fd, -5, 1)[0] == -EINVAL
    assert guest.call("lseek", fd, 1 << 40, 0)[0] == 1 << 40
    assert guest.call("read", fd, Out(4), 4)[0] == 0


# For those who load programs and map files


def test_the_contents_of_a_file(tmp_path):
    (tmp_path / "large").write_bytes(b"x" * 3_000_000)
    (tmp_path / "link").symlink_to("/large")
    kernel = Kernel(NoMemory(), world=World(root=tmp_path))
    filesystem = kernel.context.filesystem
    assert filesystem.contents("/link") == b"x" * 3_000_000
    assert filesystem.host_file("link").stat().size == 3_000_000
    for path, number in (("/missing", ENOENT), ("/", EISDIR), ("/dev/null", EACCES)):
        with pytest.raises(Errno) as caught:
            filesystem.host_file(path)
        assert caught.value.number == number
    kernel.close()


def test_who_maps_a_file_is_told_before_and_after_it_is_used(tmp_path):
    (tmp_path / "file").write_bytes(b"0123456789")
    guest = Ours(tmp_path)
    fd = guest.call(*op("/file", RW))[0]
    told = []

    class Mappings:
        def write_back(self, source):
            told.append("before")

        def reread(self, source, start, end):
            told.append((start, min(end, 99)))

    guest.kernel.context.filesystem.disk.mappings = Mappings()
    guest.call("read", fd, Out(3), 3)
    assert told == []
    source = guest.kernel.context.files.at(fd).source()
    for call, expected in (
        (("read", fd, Out(3), 3), ["before"]),
        (("write", fd, In(b"ab"), 2), ["before", (6, 8)]),
        (("pread64", fd, Out(3), 3, 0), ["before"]),
        (("pwrite64", fd, In(b"abc"), 3, 7), ["before", (7, 10)]),
        (("ftruncate", fd, 5), ["before", (0, 99)]),
        (("truncate", s("/file"), 6), ["before", (0, 99)]),
        (("fallocate", fd, 0, 0, 20), ["before", (0, 20)]),
        (op("/file", RW | 0o1000), ["before", (0, 99)]),
        (op("/file", RW | 0o2000), []),
        (("pwrite64", fd + 2, In(b"x"), 1, 0), ["before", (0, 99)]),
        (("write", fd + 2, In(b"xyz"), 3), ["before", (1, 4)]),
    ):
        told.clear()
        assert guest.call(*call)[0] >= 0
        assert told == expected, call
    assert source.read(0, 9) == b"xxyz"
    guest.close()


def test_every_open_file_of_one_file_has_one_source(tmp_path):
    (tmp_path / "file").write_bytes(b"0123456789")
    os.link(tmp_path / "file", tmp_path / "other")
    guest = Ours(tmp_path)
    first = guest.call(*op("/file"))[0]
    second = guest.call(*op("/other", RW))[0]
    files = guest.kernel.context.files
    source = files.at(first).source()
    assert files.at(second).source() is source
    assert (source.size, source.read(8, 10)) == (10, b"89")
    source.write(8, b"abcdef")
    guest.call("close", second)
    source.write(0, b"X")
    assert Path(tmp_path / "file").read_bytes() == b"X1234567ab"
    guest.call("ftruncate", guest.call(*op("/file", RW | CREAT))[0], 3)
    assert (source.size, source.read(0, 10)) == (3, b"X12")
    guest.close()
