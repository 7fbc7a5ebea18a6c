"""Of the host, a process sees what is under its root, and changes what is under one folder."""

from __future__ import annotations

import gc
import os
import socket
from pathlib import Path

import pytest
from file_arguments import AT_FDCWD, BAD, CREAT, RW, In, Out, W, i64, op, s
from two_filesystems import Ours, entries

from syscalls import Kernel
from syscalls.abi import EBUSY, EEXIST, ENOENT, ENXIO, EPERM, EROFS, EXDEV
from syscalls.memory import NoMemory
from syscalls.world import World

SECRET = b"secret"


@pytest.fixture
def tree(tmp_path):
    """A root with a writable folder, and a secret beside it."""
    root = tmp_path / "root"
    (root / "w").mkdir(parents=True)
    (root / "inside").write_bytes(b"inside")
    (root / "w" / "mine").write_bytes(b"mine")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_bytes(SECRET)
    return tmp_path


@pytest.fixture
def guest(tree):
    made = Ours(tree / "root", "w")
    yield made
    made.close()


def read(guest, path):
    """What the guest reads there, or the errno's negative."""
    fd = guest.call(*op(path))[0]
    if fd < 0:
        return fd
    size, data = guest.call("read", fd, Out(100), 100)
    guest.call("close", fd)
    return data[:size] if size >= 0 else size


@pytest.mark.parametrize(
    "target",
    ["../outside/secret", "../../outside/secret", "{tree}/outside/secret", "w/../../outside/secret",
     "/../outside/secret", "/proc/self/root/../outside/secret", "/proc/self/cwd/../outside/secret",
     "/dev/fd/../../../outside/secret", "/proc/1000/root/../../outside/secret"],
)  # fmt: skip
def test_neither_a_path_nor_a_link_leads_out(guest, tree, target):
    target = target.format(tree=tree)
    os.symlink(target, tree / "root" / "way")
    assert read(guest, "way") == read(guest, target) == -ENOENT
    os.symlink(os.path.dirname(target), tree / "root" / "folder")
    assert read(guest, "folder/secret") == -ENOENT


def test_a_link_of_the_guests_own_leads_no_further(guest, tree):
    assert guest.call("symlink", s(str(tree / "outside/secret")), s("/w/way"))[0] == 0
    assert read(guest, "/w/way") == -ENOENT
    assert guest.call(*op("/w/way", CREAT | W))[0] == -ENOENT
    assert (tree / "outside/secret").read_bytes() == SECRET


def test_a_folder_that_the_host_moves_away_leads_nowhere_else(guest, tree):
    (tree / "root/w/deep").mkdir()
    guest.call("chdir", s("/w/deep"))
    held = guest.call(*op("/w/deep"))[0]
    os.rename(tree / "root/w/deep", tree / "outside/deep")
    for path in ("../secret", "../../secret", "../../../outside/secret"):
        assert read(guest, path) == -ENOENT
        assert guest.call("openat", held, s(path), 0, 0)[0] == -ENOENT
    assert read(guest, "../mine") == b"mine"
    assert read(guest, "../../inside") == b"inside"


def test_the_writable_folder_replaced_by_the_host_is_no_longer_writable(guest, tree):
    os.rename(tree / "root/w", tree / "outside/w")
    (tree / "root/w").mkdir()
    (tree / "root/w/other").write_bytes(b"other")
    assert guest.call(*op("/w/new", CREAT | W))[0] == -EROFS
    assert guest.call(*op("/w/other", W))[0] == -EROFS
    assert read(guest, "/w/other") == b"other"


def test_a_folder_replaced_by_a_link_out_is_followed_inside(guest, tree):
    (tree / "root/w/sub").mkdir()
    assert guest.call("stat", s("/w/sub"), Out(144))[0] == 0
    os.rmdir(tree / "root/w/sub")
    os.symlink(tree / "outside", tree / "root/w/sub")
    assert read(guest, "/w/sub/secret") == -ENOENT
    assert guest.call(*op("/w/sub/new", CREAT | W))[0] == -ENOENT
    assert os.listdir(tree / "outside") == ["secret"]


@pytest.mark.parametrize(
    "call",
    [
        op("/inside", RW), op("/inside", 0o1000), op("/new", CREAT | RW), ("mkdir", s("/new"), 0),
        ("truncate", s("/inside"), 0), ("unlink", s("/inside")), ("rmdir", s("/w")),
        ("chmod", s("/inside"), 0), ("chown", s("/inside"), 5, 5), ("utimes", s("/inside"), 0),
        ("symlink", s("x"), s("/new")), ("mknod", s("/new"), 0o100644, 0),
        ("rename", s("/inside"), s("/new")), ("rename", s("/w"), s("/v")),
        ("link", s("/inside"), s("/new")), ("openat", AT_FDCWD, s("/"), 0o20200002, 0),
        ("setxattr", s("/inside"), s("user.x"), In(b"x"), 1, 0), ("access", s("/inside"), 2),
    ],
)  # fmt: skip
def test_what_is_not_below_the_writable_folder_cannot_be_changed(guest, tree, call):
    assert guest.call(*call)[0] == -EROFS
    assert (tree / "root/inside").read_bytes() == b"inside"
    assert sorted(os.listdir(tree / "root")) == ["inside", "w"]


def test_a_file_is_not_made_writable_by_another_name(guest):
    assert guest.call("link", s("/inside"), s("/w/inside"))[0] == -EXDEV
    assert guest.call("rename", s("/inside"), s("/w/inside"))[0] == -EXDEV
    assert guest.call("rename", s("/w/mine"), s("/mine"))[0] == -EXDEV
    fd = guest.call(*op("/inside"))[0]
    for flags, path in ((0x1000, ""), (0x400, f"/proc/self/fd/{fd}")):
        assert guest.call("linkat", fd, s(path), AT_FDCWD, s("/w/x"), flags)[0] == -EXDEV
    assert guest.call(*op(f"/proc/self/fd/{fd}", RW))[0] == -EROFS
    assert guest.call(*op(f"/dev/fd/{fd}", W))[0] == -EROFS


def test_what_is_deleted_stays_where_it_was_allowed(guest):
    fd = guest.call(*op("/w/mine"))[0]
    guest.call("unlink", s("/w/mine"))
    again = guest.call(*op(f"/proc/self/fd/{fd}", RW))[0]
    assert guest.call("write", again, In(b"more"), 4)[0] == 4
    assert guest.call("pread64", fd, Out(4), 4, 0) == (4, b"more")


def test_devices_sockets_and_fifos_of_the_host_are_seen_but_not_opened(guest, tree):
    os.mkfifo(tree / "root/fifo")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(tree / "root/socket"))
    for name, kind in (("fifo", 0o010000), ("socket", 0o140000)):
        answer, stat = guest.call("stat", s(name), Out(144))
        assert answer == 0
        assert int.from_bytes(stat[24:28], "little") & 0o170000 == kind
        assert guest.call(*op(name))[0] == guest.call(*op(name, RW | 0o4000))[0] in (-ENXIO, -EROFS)
        assert guest.call("openat", AT_FDCWD, s(name), 0o10000000, 0)[0] > 0


def listed(guest, path):
    fd = guest.call(*op(path, 0o200000))[0]
    size, data = guest.call("getdents64", fd, Out(30_000), 30_000)
    return [name for name, _ in entries(size, data)][2:]


@pytest.fixture
def everything():
    """The whole host as a root."""
    made = Ours(Path("/"), "-")
    yield made
    made.close()


def test_the_hosts_proc_sys_and_dev_are_not_shown_even_at_its_own_root(everything):
    assert listed(everything, "/proc") == [b"1000", b"cpuinfo", b"meminfo", b"self"]
    assert listed(everything, "/sys") == [b"devices"]
    assert b"null" in listed(everything, "/dev")
    for path in ("/proc/1/cmdline", "/proc/kcore", "/sys/kernel", "/dev/mem", "/dev/shm"):
        assert read(everything, path) == -ENOENT
    assert {b"dev", b"proc", b"sys"} < set(listed(everything, "/"))


@pytest.mark.parametrize("name", ["proc", "sys"])
def test_a_proc_that_is_mounted_elsewhere_is_not_shown_either(everything, monkeypatch, name):
    """As if it lay under another name: ours is taken away from above it."""
    monkeypatch.delitem(everything.kernel.context.filesystem.root.node.mounts, name.encode())
    assert Path(f"/{name}").is_mount()
    assert read(everything, f"/{name}/version") == -ENOENT
    assert everything.call("stat", s(f"/{name}"), Out(144))[0] == -ENOENT


def test_our_folders_hide_what_the_host_has_under_their_names(tree):
    for name in ("dev", "proc"):
        (tree / "root" / name).mkdir()
        (tree / "root" / name / "hidden").write_bytes(SECRET)
    guest = Ours(tree / "root")
    for name in ("dev", "proc"):
        assert read(guest, f"/{name}/hidden") == -ENOENT
        assert guest.call("rename", s(f"/{name}"), s("/other"))[0] == -EBUSY
        assert guest.call("rmdir", s(f"/{name}"))[0] == -EBUSY
        assert guest.call("mkdir", s(f"/{name}"), 0o777)[0] == -EEXIST
        assert guest.call("mkdir", s(f"/{name}/new"), 0o777)[0] == -EROFS
    guest.close()
    assert (tree / "root/proc/hidden").read_bytes() == SECRET


def test_nothing_runs_with_anothers_rights(guest, tree):
    for mode in (0o4755, 0o2755, 0o6755):
        assert guest.call("chmod", s("/w/mine"), mode)[0] == -EPERM
        fd = guest.call(*op(f"/w/new{mode}", CREAT | W, mode))[0]
        assert fd > 0
        assert guest.call("fchmod", fd, mode)[0] == -EPERM
        guest.call("mknod", s(f"/w/node{mode}"), 0o100000 | mode, 0)
        assert guest.call("mkdir", s(f"/w/folder{mode}"), mode)[0] == 0
    modes = [path.stat().st_mode & 0o6000 for path in (tree / "root/w").iterdir()]
    assert modes == [0] * 10
    for kind in (0o020000, 0o060000, 0o010000, 0o140000):
        assert guest.call("mknod", s("/w/device"), kind | 0o666, 0x101)[0] == -EPERM


def test_without_a_root_there_are_no_files():
    guest = Ours(None)
    for path in ("/etc/passwd", "file", "/root/x", "/etc", "."):
        expected = 3 if path == "." else -ENOENT
        assert guest.call(*op(path))[0] == expected
    assert guest.call(*op("/new", CREAT | W))[0] == -EROFS
    assert guest.call("getcwd", Out(10), 10) == (2, b"/\0".ljust(10, b"\xaa"))
    assert guest.call(*op("/dev/null", RW))[0] == 4
    guest.close()


@pytest.mark.parametrize(
    ("world", "why"),
    [
        ({"root": "missing"}, "no folder"), ({"root": "root/inside"}, "no folder"),
        ({"root": "/proc/self"}, "the host itself"), ({"writable": "root"}, "there is none"),
        ({"root": "root", "writable": "outside"}, "does not lie under"),
        ({"root": "root", "writable": "root/inside"}, "no folder"),
        ({"root": "root", "writable": "root/missing"}, "ENOENT"),
        ({"root": "root", "folder": "/missing"}, "ENOENT"),
        ({"root": "root", "folder": "/inside"}, "no folder"),
    ],
)  # fmt: skip
def test_a_world_that_is_not_there_is_refused_at_once(tree, world, why):
    paths = {key: value if key == "folder" else tree / value for key, value in world.items()}
    with pytest.raises(ValueError, match=why):
        Kernel(NoMemory(), world=World(**paths))


def test_the_working_directory_is_where_the_world_says(tree):
    guest = Ours(tree / "root", "w", folder="/w")
    assert read(guest, "mine") == b"mine"
    assert guest.call("getcwd", Out(3), 3) == (3, b"/w\0")
    guest.close()


def test_every_descriptor_of_the_host_is_given_back(tree):
    gc.collect()
    before = os.listdir("/proc/self/fd")
    guest = Ours(tree / "root", "w")
    for i in range(50):
        guest.call(*op(f"/w/f{i}", CREAT | RW))
        guest.call("memfd_create", s("x"), 0)
        guest.call("chdir", s("/w"))
    assert len(os.listdir("/proc/self/fd")) > len(before) + 100
    guest.close()
    assert os.listdir("/proc/self/fd") == before


def test_openat2_is_not_led_out_of_what_it_may_look_at(guest):
    how = In(bytes(16) + i64(0x10).data)  # RESOLVE_IN_ROOT
    folder = guest.call(*op("/w"))[0]
    assert guest.call("openat2", folder, s("../inside"), how, 24)[0] == -ENOENT
    assert guest.call("openat2", folder, s("/mine"), how, 24)[0] > folder
    assert guest.call("openat2", folder, BAD, how, 24)[0] < 0
