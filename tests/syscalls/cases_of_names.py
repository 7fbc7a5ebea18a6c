"""Sequences of calls on files that Linux and we must answer alike: paths and names.

Numbers of commands and flags are Linux's; what a sequence opens first is descriptor 3.
"""

from __future__ import annotations

from file_arguments import BAD, CREAT, EXCL, MOST, RW, TRUNC, Edge, In, Out, W, i64, op, s

CASES = {
    "getdents": [
        op("a"), ("getdents64", 3, BAD, 0), ("getdents64", 3, BAD, 23),
        ("getdents64", 3, BAD, 24), ("getdents64", 3, BAD, 300), ("getdents64", 99, BAD, 1),
        ("getdents64", 0, BAD, 1), op("file"), ("getdents64", 4, BAD, 1),
        ("getdents64", 4, BAD, 0), op("empty"), ("rmdir", s("empty")),
        ("getdents64", 5, BAD, 100), ("getcwd", Out(9), 9),
    ],
    "fallocate": [
        op("n", CREAT | RW), ("fallocate", 3, 0, 0, 10000), ("fstat", 3, Out(144)),
        ("fallocate", 3, 0, -1, 1), ("fallocate", 3, 0, 0, 0), ("fallocate", 3, 0, 0, -1),
        ("fallocate", 99, 0, 0, 0), ("fallocate", 99, 1, 0, 1), ("fallocate", 3, 0x100, 0, 1),
        op("n"), ("fallocate", 4, 0, 0, 1), op("a"), ("fallocate", 5, 0, 0, 1),
        ("fallocate", 1, 0, 0, 1), ("fallocate", 0, 0, 0, 1), ("fallocate", 3, 0, MOST, 5),
        ("fallocate", 3, 0, 1 << 50, 5), ("ftruncate", 4, 5), ("ftruncate", 3, -1),
        ("ftruncate", 3, 5), ("ftruncate", 99, 5), ("ftruncate", 99, -1), ("ftruncate", 0, 5),
        ("ftruncate", 3, 1 << 50), ("pwrite64", 3, In(b"x"), 1, 1 << 50),
    ],
    "the working directory": [
        ("getcwd", Out(5), 5), ("getcwd", Out(2), 2), ("getcwd", Out(1), 1),
        ("getcwd", Out(0), 0), ("getcwd", BAD, 5), ("getcwd", BAD, 1), ("getcwd", Edge(1), 5),
        ("chdir", s("a/b")), ("getcwd", Out(9), 9), ("getcwd", Out(4), 4), op("deep"),
        ("rename", s("/a/b"), s("/moved")), ("getcwd", Out(9), 9), op("../file"),
        ("chdir", s("..")), ("getcwd", Out(9), 9), ("chdir", s("/empty")), ("rmdir", s("/empty")),
        ("getcwd", Out(9), 9), op("."), op(".."), op("x", CREAT | RW), ("mkdir", s("y"), 0o777),
        ("chdir", s(".")), op("../file"), ("chdir", s("..")), ("getcwd", Out(9), 9), op("a"),
        ("fchdir", 3), ("fchdir", 99), ("fchdir", 0), ("getcwd", Out(9), 9), ("chdir", BAD),
    ],
    "a file without a name": [
        op("w/old", RW), ("unlink", s("w/old")), ("fstat", 3, Out(144)), ("read", 3, Out(5), 5),
        ("linkat", 3, s(""), -100, s("back"), 0x1000), ("fchmod", 3, 0o600), ("ftruncate", 3, 3),
        ("fstat", 3, Out(144)), ("newfstatat", 3, s(""), Out(144), 0x1000),
        ("newfstatat", 3, 0, Out(144), 0x1000), ("newfstatat", -100, s(""), Out(144), 0x1000),
        ("newfstatat", -100, 0, Out(144), 0x1000), ("newfstatat", -100, 0, Out(144), 0),
    ],
    "paths from a descriptor": [
        op("a"), op("file"), ("openat", 3, s("b/deep"), 0, 0), ("openat", 4, s("x"), 0, 0),
        ("openat", 99, s("x"), 0, 0), ("openat", 99, s("/file"), 0, 0),
        ("openat", 99, s(""), 0, 0), ("openat", 0, s("x"), 0, 0), ("openat", 0, s("/file"), 0, 0),
        ("newfstatat", 4, s("x"), Out(144), 0), ("newfstatat", 4, s(""), Out(144), 0),
        ("newfstatat", 4, s(""), Out(144), 0x1000), ("newfstatat", 0, s(""), Out(144), 0x1000),
        ("newfstatat", 99, s(""), Out(144), 0x1000), ("newfstatat", 3, BAD, Out(144), 0),
        ("newfstatat", 3, s("b"), BAD, 0), ("newfstatat", 3, BAD, BAD, 8),
        ("newfstatat", 3, s("missing"), BAD, 0), ("newfstatat", 3, s("b"), Out(144), 8),
        ("fstat", 99, BAD), ("fstat", 3, BAD), ("stat", BAD, BAD), ("mkdirat", 4, s("x"), 0),
        ("unlinkat", 4, s("x"), 0), ("renameat", 3, s("b"), 99, s("q")),
        ("renameat", 3, s("b"), 4, s("q")), ("renameat", 3, s("b/deep"), -100, s("q")),
        ("symlinkat", s("t"), 3, s("l")), ("readlinkat", 3, s("l"), Out(4), 4),
        ("faccessat", 3, s("b"), 4), ("faccessat2", 3, s("l"), 4, 0x100),
        ("faccessat2", 3, s("l"), 4, 0), ("faccessat2", 3, s(""), 4, 0x1000),
        ("faccessat2", 3, s(""), 4, 0), ("faccessat2", 3, s("b"), 8, 0),
        ("faccessat2", 3, s("b"), 4, 8), ("fchmodat2", 3, s("l"), 0o600, 0x100),
        ("fchmodat2", 4, s(""), 0o600, 0x1000), ("fchmodat2", 3, s("b"), 0, 8),
    ],
    "openat2": [
        *[("openat2", -100, s(p), In(i64(f).data + i64(m).data + i64(r).data), 24) for p in
            ("file", "link", "a/../file", "/file", "../file", "absolute", "self/file",
            "a/back/file", "chain3", "missing") for f in (0,) for m in (0,) for r in (0, 4, 8,
            16, 20, 2, 1, 64, 24)],
        *[("openat2", -100, s("file"), In(i64(f).data + i64(m).data + b"\0" * 8), 24) for f, m in
            ((0, 0o644), (0o100, 0o644), (0o100, 0o10644), (1 << 40, 0), (0o10000000, 0),
            (0o10000001, 0), (0o10000100, 0), (0o20200002, 0o644))],
        ("openat2", -100, s("file"), In(b"\0" * 32), 32),
        ("openat2", -100, s("file"), In(b"\0" * 31 + b"\1"), 32),
        ("openat2", -100, s("file"), In(b"\0" * 24), 23), ("openat2", -100, s("file"), BAD, 24),
        ("openat2", -100, s("file"), In(b"\0" * 24), 5000),
        ("openat2", -100, BAD, In(b"\0" * 24), 24),
    ],
    "openat2 from a folder": [
        op("a"),
        *[("openat2", 3, s(p), In(b"\0" * 16 + i64(r).data), 24) for p in ("b/deep", "back/file",
            "../file", "b/../../file", "/b/deep", "b/../b/deep", "back/a/b/deep", "..", ".",
            "/") for r in (0, 8, 16)],
    ],
    "umask": [
        ("umask", 0o77), op("n1", CREAT | W, 0o777), ("mkdir", s("d1"), 0o1777),
        ("mknod", s("k1"), 0o666, 0), ("umask", 0o1777), ("umask", 0),
        ("symlink", s("x"), s("l1")), op("n2", CREAT | W, 0o7777 & ~0o6000),
        ("mkdir", s("d2"), 0o7777), ("fchmodat", -100, s("n1"), 0o1777),
        ("stat", s("n1"), Out(144)), ("stat", s("d2"), Out(144)),
    ],
    "creating and truncating": [
        op("file", RW), op("file", W | TRUNC), ("read", 3, Out(5), 5),
        ("write", 4, In(b"abc"), 3), ("read", 3, Out(5), 5), op("w/out", TRUNC),
        ("lseek", 3, 0, 2), op("w/new", CREAT | W), op("made"), op("w/new", CREAT | EXCL | W),
        op("fileslash", CREAT | W), op("dangling", CREAT | RW, 0o600),
        ("stat", s("nowhere"), Out(144)), op("loop", CREAT | RW), op("w/", CREAT | RW),
        op("w/zz/", CREAT | RW), op("w/.", CREAT | RW), op("w/.", CREAT | EXCL | RW),
    ],
    "hard links": [
        ("link", s("file"), s("w/hard")), ("stat", s("file"), Out(144)),
        ("rename", s("file"), s("w/hard")), ("link", s("file"), s("w/hard")),
        ("link", s("link"), s("l2")), ("readlink", s("l2"), Out(9), 9),
        ("linkat", -100, s("link"), -100, s("l3"), 0x400), ("stat", s("l3"), Out(144)),
        ("link", s("a"), s("l4")), ("unlink", s("file")), ("stat", s("w/hard"), Out(144)),
        ("linkat", -100, s("dangling"), -100, s("l5"), 0x400),
        ("linkat", -100, s("dangling"), -100, s("l6"), 0),
        ("linkat", -100, s("w"), -100, s("l7"), 8), ("link", BAD, s("x")), ("link", s("l2"), BAD),
    ],
    "times": [
        ("utimensat", -100, s("file"), In(i64(5).data + i64(6).data + i64(7).data +
            i64(8).data), 0),
        ("utimes", s("file"), In(i64(5).data + i64(6).data + i64(7).data + i64(8).data)),
        ("utimes", s("file"), In(i64(5).data + i64(10**6).data + i64(7).data + i64(8).data)),
        ("utimes", s("file"), BAD), ("utimes", BAD, 0), ("utime", s("file"), In(i64(5).data * 2)),
        ("utime", s("missing"), 0), ("futimesat", -100, s("a"), 0), op("file"),
        ("utimensat", 3, 0, 0, 0), ("utimensat", 3, 0, 0, 0x100),
        ("utimensat", 3, s(""), 0, 0x1000), ("utimensat", 3, s(""), 0, 0),
        ("utimensat", -100, BAD, 0, 0), ("utimensat", -100, s("link"), 0, 0x100),
    ],
    "extended attributes": [
        op("file"), ("setxattr", s("file"), s("foo.bar"), In(b"x"), 1, 0),
        ("removexattr", s("file"), s("user.x")), ("fremovexattr", 3, s("user.x")),
        ("fsetxattr", 99, s("user.x"), In(b"x"), 1, 0), ("fgetxattr", 3, s("user.x"), 0, 0),
        ("fgetxattr", 99, s("user.x"), 0, 0), ("flistxattr", 3, 0, 0), ("flistxattr", 99, 0, 0),
        ("lgetxattr", s("link"), s("security.selinux"), 0, 0), ("getxattr", BAD, BAD, 0, 0),
        ("getxattr", s("file"), BAD, 0, 0),
    ],
}  # fmt: skip
