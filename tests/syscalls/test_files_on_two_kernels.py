"""The same calls on files on our kernel and on the host's Linux: answers, bytes, trees."""

from __future__ import annotations

import cases_of_descriptors
import cases_of_names
import cases_of_transfers
import pytest
from file_arguments import AT_FDCWD, BAD, CREAT, EXCL, RW, TRUNC, In, Out, W, i64, s
from two_filesystems import entries, old_entries

CASES = {**cases_of_transfers.CASES, **cases_of_descriptors.CASES, **cases_of_names.CASES}
EVERYWHERE = {*cases_of_names.CASES, "sendfile", "copy_file_range", "memfd"}
LONG = "x" * 256
PATHS = [
    *"file w/old a a/b nothing empty link absolute dangling loop self a/back slash".split(),
    *"fileslash up missing/x file/x file/ link/ dangling/ loop/ a/ a/b/. a/.. a/../.. / .".split(),
    *".. /.. // w/new w/out rooted rooted/file chain30 chain39 chain40 chain44 up/x run".split(),
    "missing", "", LONG[1:], LONG, f"a/{LONG}", f"missing/{LONG}", f"file/{LONG}",
    "./" * 2000 + "file", "./" * 2047 + "f", "a/" * 2048, "/" * 4095, "/" * 4096,
]  # fmt: skip
OPEN_FLAGS = (
    0, 1, 2, 3, 0o200000, 0o400000, 0o600000, 0o10000000, 0o10400000, 0o10600000, 0o1000,
)  # fmt: skip


def opened(path, flags, mode=0o640):
    return [
        ("openat", AT_FDCWD, s(path), flags, mode), ("fcntl", 3, 3, 0), ("fcntl", 3, 1, 0),
        ("close", 3),
    ]  # fmt: skip


LOOKING = {
    "stat": lambda p: [("stat", s(p), Out(144)), ("lstat", s(p), Out(144))],
    "statx": lambda p: [
        ("statx", AT_FDCWD, s(p), flags, 0x7FF, Out(256)) for flags in (0, 0x100, 0x1000, 0x6000)
    ],
    "open": lambda p: [call for flags in OPEN_FLAGS for call in opened(p, flags)],
    "access": lambda p: [("faccessat", AT_FDCWD, s(p), mode) for mode in (0, 1, 2, 4, 7, 8)],
    "readlink": lambda p: [("readlink", s(p), Out(20), 20), ("readlink", s(p), Out(3), 3)],
    "chdir": lambda p: [("chdir", s(p)), ("getcwd", Out(50), 50), ("chdir", s("/"))],
    "statfs": lambda p: [("statfs", s(p), BAD)],
    "getxattr": lambda p: [
        ("getxattr", s(p), s("user.x"), Out(5), 5), ("lgetxattr", s(p), s("trusted.x"), Out(5), 5),
        ("listxattr", s(p), Out(5), 5),
    ],
    "fchownat": lambda p: [("fchownat", AT_FDCWD, s(p), -1, -1, f) for f in (0, 0x100, 0x1000, 7)],
    "utimensat": lambda p: [("utimensat", AT_FDCWD, s(p), 0, f) for f in (0, 0x100, 0x1000, 7)],
    "truncate": lambda p: [("truncate", s(p), -1), ("truncate", s(p), 5)],
    "chmod": lambda p: [("fchmodat", AT_FDCWD, s(p), 0o600)],
}  # fmt: skip
CHANGING = {
    "mkdir": lambda p: [("mkdir", s(p), 0o777), ("mkdir", s(p + "/new"), 0o1777)],
    "rmdir": lambda p: [("rmdir", s(p)), ("unlinkat", AT_FDCWD, s(p), 0x200)],
    "unlink": lambda p: [("unlink", s(p)), ("unlinkat", AT_FDCWD, s(p), 1)],
    "creat": lambda p: opened(p, CREAT | W),
    "creat, new": lambda p: opened(p, CREAT | EXCL | RW),
    "creat, empty": lambda p: opened(p, CREAT | TRUNC | RW),
    "creat, no link": lambda p: opened(p, CREAT | W | 0o400000),
    "creat, a folder": lambda p: opened(p, CREAT | W | 0o200000),
    "a file without a name": lambda p: [
        ("openat", AT_FDCWD, s(p), 0o20200002, 0o666), ("write", 3, In(b"abc"), 3),
        ("fstat", 3, Out(144)), ("linkat", 3, s(""), AT_FDCWD, s("linked"), 0x1000), ("close", 3),
        ("openat", AT_FDCWD, s(p), 0o20200000, 0o666),
    ],
    "mknod": lambda p: [("mknod", s(p), mode, 0) for mode in (0o40644, 0o50644, 0o100644)],
    "symlink": lambda p: [("symlink", s("file"), s(p)), ("symlink", s(p), s("w/other"))],
    "link": lambda p: [
        ("link", s("file"), s(p)), ("link", s(p), s("w/hard")),
        ("linkat", AT_FDCWD, s(p), AT_FDCWD, s("w/harder"), 0x400),
    ],
    "rename": lambda p: [("rename", s(p), s("w/renamed"))],
    "rename, onto": lambda p: [("rename", s("w/old"), s(p)), ("rename", s("w/sub"), s(p))],
    "rename, flags": lambda p: [
        ("renameat2", AT_FDCWD, s("w/sub"), AT_FDCWD, s(p), flags) for flags in (1, 3, 8)
    ],
    "exchange": lambda p: [
        ("renameat2", AT_FDCWD, s(old), AT_FDCWD, s(p), 2) for old in ("w/sub", "w/old", "file")
    ],
    "times": lambda p: [("utimes", s(p), i64(5, 6, 7, 8)), ("utime", s(p), BAD)],
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_linux_answers_alike(both, case):
    both.assert_alike(CASES[case])


@pytest.mark.parametrize("case", sorted(EVERYWHERE))
def test_linux_answers_alike_where_nothing_may_be_changed(both, case):
    both.assert_alike(CASES[case], "-")


@pytest.mark.parametrize("writable", [".", "-", "w"])
@pytest.mark.parametrize("case", [*LOOKING, *CHANGING])
def test_every_kind_of_path(both, case, writable):
    """One after the other in one tree, so that what the first leaves meets the next."""
    calls = {**LOOKING, **CHANGING}[case]
    both.assert_alike([call for path in PATHS for call in calls(path)], writable)


def test_a_folder_has_the_entries_that_linux_has(both):
    calls = [
        ("openat", AT_FDCWD, s("."), 0, 0), ("getdents64", 3, Out(8000), 8000),
        ("lseek", 3, 0, 0), ("getdents", 3, Out(8000), 8000),
    ]  # fmt: skip
    linux, ours, _, _ = both.play(calls)
    assert old_entries(*ours[3][1]) == entries(*ours[1][1])
    assert sorted(old_entries(*linux[3][1])) == sorted(entries(*linux[1][1]))
    theirs, mine = (entries(*answers[1][1]) for answers in (linux, ours))
    assert mine == sorted(theirs, key=lambda entry: (entry[0] not in (b".", b".."), entry[0]))
    assert len(mine) > 20
