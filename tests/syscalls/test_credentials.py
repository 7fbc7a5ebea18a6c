"""Pids, ids and capabilities: the same answers as the host's Linux gives to the same root."""

from __future__ import annotations

import struct

import pytest
from two_kernels import END, HOLE, LAST, OWN, RO, RW, assert_same, new_kernel, ours

from syscalls.credentials import ALL, CONTAINER, Cap
from syscalls.identity import PID, PPID

NOBODY = 99_999_999
_V1, _V2, _V3 = 0x19980330, 0x20071026, 0x20080522
IDS = ("getresuid", RW + 256, RW + 260, RW + 264), ("getresgid", RW + 272, RW + 276, RW + 280)
CAPS = ("capget", LAST, LAST + 64, {LAST: struct.pack("<Ii", _V3, 0)})


def header(version, pid=0, *words):
    return {RW: struct.pack(f"<Ii{len(words)}I", version, pid, *words)}


def sets(effective, permitted, inheritable):
    """Of the first 32 capabilities, and none of the others."""
    return header(_V3, 0, effective, permitted, inheritable, 0, 0, 0)


CASES = {
    "who it is": [("getpid",), ("gettid",), ("getpgrp",), ("getpgid", 0), ("getpgid", OWN)],
    "others": [(name, pid) for name in ("getpgid", "getsid") for pid in (-1, -5, NOBODY)],
    "a group's leader starts no session": [("setsid",), ("getpgrp",)],
    "its own group": [
        ("setpgid", *args)
        for args in ((0, 0), (OWN, OWN), (0, NOBODY), (0, -1), (NOBODY, 0), (NOBODY, -1), (-1, 0))
    ],
    "no id is EINVAL": [("setuid", -1), ("setgid", -1), ("setuid", (1 << 32) - 1)],
    "an id has 32 bits": [("setuid", 7 << 32 | 5), *IDS],
    "root sets all": [("setuid", 5), *IDS, ("setuid", 0), ("setuid", 5), ("setgid", 1), *IDS],
    "group ids": [
        ("setresgid", 5, 6, 7), *IDS, ("setgid", 9), ("setregid", 3, 4), *IDS, ("setfsgid", 44),
        ("setfsgid", -1), ("getgid",), ("getegid",),
    ],
    "among three ids": [
        ("setresgid", 15, 16, 17), ("setresuid", 5, 6, 7), *IDS, ("setresuid", 6, -1, -1),
        ("setuid", 0), ("setuid", 7), ("setreuid", 5, 5), ("setreuid", 7, 7),
        ("setresuid", 6, 7, 8), ("setresgid", 16, 17, 17), ("setgid", 15), ("setgid", 16),
        ("setregid", 17, 16), *IDS, ("getuid",), ("geteuid",), ("setfsuid", 8), ("setfsuid", 7),
        ("setfsuid", -1),
    ],
    "the saved id follows": [("setreuid", -1, 3), *IDS, ("setreuid", 4, -1), *IDS],
    "the saved id stays": [("setreuid", -1, 0), ("setregid", -1, 0), *IDS, ("setregid", 4, -1)],
    "ids at bad places": [
        (name, *places)
        for name in ("getresuid", "getresgid")
        for places in ((HOLE, RW, RW), (RW, RO, RW), (RW, RW, 0), (END - 2, RW, RW))
    ],
    "groups are sorted": [
        ("setgroups", 3, RW, {RW: struct.pack("<3I", 9, 3, 5)}), ("getgroups", 0, 0),
        ("getgroups", 2, RW), ("getgroups", 3, RW + 64), ("getgroups", -1, RW),
        ("getgroups", 5, RO), ("getgroups", 4, RW + 128), ("setgroups", 0, HOLE),
        ("getgroups", 1, HOLE),
    ],
    "groups at bad places": [
        ("setgroups", -1, 0), ("setgroups", 65_537, 0), ("setgroups", 65_536, RW),
        ("setgroups", 2, HOLE), ("setgroups", 2, RW, {RW: b"\xff" * 8}),
        ("setgroups", 4, END - 8, {END - 8: b"\xff" * 8}),
        ("setgroups", 4, END - 8, {END - 8: b"\1" * 8}), ("getgroups", 0, 0),
    ],
    "who is not root sets no groups": [("setuid", 5), ("setgroups", 0, 0), ("setgroups", -1, 0)],
    "who is nobody can do nothing": [CAPS, ("setreuid", 77, -1), CAPS, ("setuid", 78), CAPS],
    "the effective id switches": [("setresuid", -1, 5, -1), CAPS, ("setresuid", -1, 0, -1), CAPS],
    "files have an id of their own": [("setfsuid", 7), CAPS, ("setfsuid", 0), CAPS],
    "capabilities kept": [("prctl", 8, 1), ("prctl", 7), ("setuid", 78), CAPS, ("setuid", 0)],
    "versions": [
        ("capget", RW, 0), ("capget", RW, RW + 16, header(1)), ("capget", RW, RW + 16, header(_V1)),
        ("capget", RW, RW + 64, header(_V2)), ("capget", RW, RW + 128, header(_V3)),
        ("capget", RO, 0), ("capget", 0, 0), ("capset", RW, 0, header(1)), ("capset", HOLE, HOLE),
    ],
    "capabilities of others": [
        ("capget", RW, RW + 16, header(_V3, pid)) for pid in (OWN * 0, NOBODY, -1)
    ] + [("capset", RW, RW + 16, header(_V3, pid)) for pid in (NOBODY, -1)],
    "capabilities at bad places": [
        ("capget", RW, RO, header(_V3)), ("capget", RW, END - 4, header(_V3)),
        ("capset", RW, HOLE, header(_V3)), ("capget", END - 4, RW, {END - 4: b"\x22\5\x08\x20"}),
    ],
    "none is gained": [
        ("capset", RW, RW + 8, sets(0, 0x108, 0x108)), CAPS,
        ("capset", RW, RW + 8, sets(0x100, 0x100, 8)), CAPS,
        ("capset", RW, RW + 8, sets(0x200, 0x100, 8)),
        ("capset", RW, RW + 8, sets(0, 0x108, 8)),
        ("capset", RW, RW + 8, sets(0, 0x100, 0x30)), ("setuid", 1), ("setuid", 0),
    ],
    "the bounding set": [("prctl", 23, n) for n in (0, 12, 40, 41, 63, 64, -1)] + [
        ("prctl", 24, n) for n in (0, 41, -1)
    ] + [
        ("prctl", 23, 0), ("capset", RW, RW + 8, sets(6, 6, 1)), ("setresuid", 5, 5, 5),
        ("prctl", 24, 1), ("prctl", 24, 99),
    ],
    "the ambient set, empty": [
        ("prctl", 47, what, n, 0, 0) for what in range(6) for n in (0, 1, 40, 41)
    ] + [("prctl", 47, 4), ("prctl", 47, 1, 0, 1), ("prctl", 47, 4, 0, 0, 1)],
    "the ambient set": [
        ("capset", RW, RW + 8, sets(255, 255, 255)), ("prctl", 47, 2, 3), ("prctl", 47, 1, 3),
        ("prctl", 47, 3, 3), ("prctl", 47, 1, 3), ("prctl", 47, 2, 5),
        ("capset", RW, RW + 8, sets(255, 255, 1)), ("prctl", 47, 1, 5), ("prctl", 47, 2, 0),
        ("prctl", 8, 1), ("setresuid", 5, 5, 5), ("prctl", 7), CAPS, ("prctl", 47, 1, 0),
    ],
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_linux_answers_the_same(case):
    assert_same([CASES[case]])


@pytest.mark.parametrize(
    "change", [("setresuid", -1, 6, -1), ("setresgid", -1, 6, -1), ("setfsgid", 6), ("setuid", 0)]
)
def test_who_changes_his_effective_ids_cannot_be_dumped(change):
    assert_same([[("prctl", 1, 9), change, ("prctl", 2, RW), ("prctl", 3)]])


def test_the_parent_and_the_session_are_those_of_init():
    assert ours([("getppid",), ("getsid", 0), ("getsid", OWN)]) == [str(PPID)] * 3
    assert ours([("getpgid", PPID)]) == ["-3"]


def test_a_process_is_root_of_a_container():
    held = new_kernel().context.task.credentials
    for capability in Cap:
        assert held.can(capability) <= bool(CONTAINER >> capability & 1)
    assert not CONTAINER >> Cap.SYS_TIME & 1
    assert CONTAINER | ALL == ALL
    assert PID > 300  # /proc shows numbers below for what the kernel runs itself
