"""What the printer prints, word by word what the host's strace prints for the same calls."""

from __future__ import annotations

import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from player import ARENA, ARENA_SIZE, AtEnd, Laid, Player, laid
from signatures import ALL_ROWS
from strace_io import IO
from strace_paths import PATHS
from strace_process import MEMORY, PROCESS, SIGNALS

from syscalls.call_names import NAMES
from syscalls.kernel import missing_row
from syscalls.socket_rows import SOCKETS
from syscalls.strace import Strace

FAMILIES = {"io": IO, "paths": PATHS, "memory": MEMORY, "signals": SIGNALS, "process": PROCESS}
EVERY = [call for family in FAMILIES.values() for call in family]
ANSWERS = [0, 1, 3, 24, -22, -514]
LAST_KNOWN = 450
"""strace 6.1 knows no call behind it."""


@pytest.fixture(scope="module")
def player(tmp_path_factory):
    return Player(tmp_path_factory.mktemp("player"))


def printed(call, answer, *, before=None, after=None, string_length=32, row=None):
    """Our lines for a call that finds and leaves the arena so."""
    memory = [before or call.memory()]

    def read(address, size):
        offset = address - ARENA
        return memory[0][offset : offset + size] if 0 <= offset <= ARENA_SIZE - size else None

    lines = []
    strace = Strace(lines.append, read, string_length)
    row = row or ALL_ROWS[NAMES[call.number]]
    entered = strace.entering(row, row.decode(struct.pack("<6Q", *call.args)))
    memory[0] = after or memory[0]
    strace.leaving(entered, answer)
    return lines


def same(player, calls, answer, string_length=32):
    """Compares all calls at once: a difference shows both lines."""
    calls = [laid(*call) for call in calls]
    theirs = player.lines(calls, answer, ("-s", str(string_length)))
    ours = [printed(call, answer, string_length=string_length) for call in calls]
    different = [pair for pair in zip(theirs, ours, strict=True) if pair[0] != pair[1]]
    assert different == []


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("family", FAMILIES)
def test_each_call_reads_as_strace_has_it(family, answer, player):
    same(player, FAMILIES[family], answer)


@pytest.mark.parametrize("length", [0, 1, 5, 200])
def test_strings_and_arrays_are_cut_where_strace_is_told_to_cut_them(length, player):
    calls = [call for call in EVERY if call[0] in {"write", "readv", "writev", "poll", "mincore"}]
    same(player, calls, 5, length)


def by_kind():
    """What each kind of argument was given somewhere, and what no kind likes."""
    pools = {}
    for name, *args in EVERY:
        for kind, arg in zip(ALL_ROWS[name].params, args, strict=False):
            pools.setdefault(kind, [0, 0xDEAD000]).append(arg)
    return pools


MISTAKEN = {"prctl", "rt_sigreturn", "fchmodat2"} | {row.name for row in SOCKETS}
"""What strace says of them depends on the call before, and on the player's own stack; or it knows
nothing of them; or it knows more, as of addresses on networks that are not there."""


@pytest.mark.parametrize("answer", [0, 2, -14])
def test_arguments_combined_at_random_read_as_strace_has_them(answer, player):
    pools, source = by_kind(), random.Random(answer)
    calls = []
    for name, row in ALL_ROWS.items():
        if name in MISTAKEN:
            continue
        for _ in range(8):
            args = [source.choice(pools.get(kind, [0, 1])) for kind in row.params]
            calls.append((name, *args))
    same(player, calls, answer)


QUOTED = [
    b"", b"plain", b'"\\\t\n\v\f\r', bytes(range(256)), b"\0001", b"\0008", b"\3777\0009",
    b"\x1b[0m", b"x" * 31, b"x" * 32, b"x" * 33, b"x" * 4095, b"x" * 4096, b"x" * 5000,
]  # fmt: skip


def test_strings_are_quoted_and_cut_as_strace_does(player):
    writes = [("write", 1, data or b"\0", len(data)) for data in QUOTED]
    paths = [("chdir", data + b"\0") for data in QUOTED]
    names = [("memfd_create", data + b"\0", 0) for data in QUOTED]
    at_the_end = [("chdir", AtEnd(data)) for data in (b"a\0", b"abc", b"x" * 4095 + b"\0")]
    same(player, writes + paths + names + at_the_end, 0)


@pytest.mark.parametrize("signal", range(-1, 67))
def test_signals_and_sets_of_them_have_strace_s_names(signal, player):
    mask = (1 << signal) - 1 if 0 <= signal <= 64 else 0
    same(player, [("kill", 1, signal), ("rt_sigprocmask", 0, [mask], 0, 8)], 0)


SIGNALLED = [
    struct.pack("<iii4xQQ", number, error, code, first, second).ljust(128, b"\0")
    for number in (0, 1, 4, 5, 7, 8, 10, 11, 14, 17, 34, 64, 77)
    for error in (0, 5)
    for code in (-60, -6, -5, -4, -3, -2, -1, 0, 1, 2, 0x80)
    for first, second in ((0, 0), (0x10_0000_0002, 0), (1, 5), (0x7FFF_1234_5678, 1 << 40))
]


def test_what_comes_with_a_signal_is_told_as_strace_tells_it(player):
    same(player, [("rt_sigqueueinfo", 1, 10, info) for info in SIGNALLED], 0)


# Made for real: what memory holds before the call differs from what it holds after it


REAL = [
    ("pipe2", b"\0" * 8, 0o2000000),
    ("write", 4, b"hello\n\0there", 12),
    ("poll", struct.pack("ihhihh", 3, 1, 0, 4, 4, 0), 2, -1),
    ("ppoll", struct.pack("ihhihh", 3, 1, 0, 77, 4, 0), 2, [5, 0], [0x800], 8),
    ("select", 5, [0b01000], [0b10000], [0b11000], [7, 0]),
    ("pselect6", 5, [0b01000], 0, [0b11000], [7, 0], [[0x200], 8]),
    ("select", 5, [0b01000], [0b1000000], 0, 0),
    ("read", 3, b"before" * 4, 7),
    ("ioctl", 3, 0x541B, [99]),
    ("readv", 3, [b"xxx", 3, b"yyyy", 4], 2),
    ("poll", struct.pack("ihh", 3, 1, 0), 1, 0),
    ("read", 9, b"before", 7),
    ("write", 4, 0xDEAD000, 7),
    ("fcntl", 3, 1),
    ("fcntl", 3, 3),
    ("fcntl", 3, 1030, 70),
    ("fcntl", 3, 5, struct.pack("<hh4xqqi4x", 0, 0, 0, 0, 0)),
    ("ioctl", 3, 0x5401, bytes(60)),
    ("umask", 0o27),
    ("umask", 0o22),
    ("getcwd", bytes(100), 3),
    ("openat", -100, b"/usr/include/linux\0", 0o200000),
    ("getdents64", 5, bytes(2000), 2000),
    ("lseek", 5, 0, 0),
    ("close", 5),
    ("openat", -100, b"/nonexistent\0", 0o101, 0o600),
    ("readlink", b"/proc/self/exe/x\0", bytes(10), 10),
    ("rt_sigaction", 10, [0x401000, 0x14000000, 0x402000, 1 << 16], [1, 2, 3, 4], 8),
    ("rt_sigaction", 10, 0, bytes(152), 8),
    ("rt_sigprocmask", 0, [0x200], [7], 8),
    ("rt_sigprocmask", 2, [0], [7], 8),
    ("rt_sigpending", [7], 8),
    ("sigaltstack", [0x10001000, 0, 4096], [7, 7, 7]),
    ("sigaltstack", 0, [7, 7, 7]),
    ("prlimit64", 0, 3, 0, [0, 0]),
    ("prlimit64", 0, 77, 0, [0, 0]),
    ("setitimer", 0, [0, 0, 900, 0], [7, 7, 7, 7]),
    ("setitimer", 0, [0, 0, 0, 0], [7, 7, 7, 7]),
    ("clock_gettime", 1, [7, 7]),
    ("clock_nanosleep", 1, 1, [0, 5], [7, 7]),
    ("gettimeofday", [7, 7], [7]),
    ("sched_getaffinity", 0, 128, bytes(128)),
    ("uname", bytes(400)),
    ("getrusage", 0, bytes(150)),
    ("sysinfo", bytes(150)),
    ("statfs", b"/\0", bytes(130)),
    ("newfstatat", -100, b"/dev/null\0", bytes(150), 0),
    ("statx", -100, b"/\0", 0, 0x7FF, bytes(260)),
    ("prctl", 15, b"some name that is long\0"),
    ("prctl", 16, bytes(16)),
    ("prctl", 3),
    ("arch_prctl", 0x1003, [7]),
    ("mmap", 0, 4096, 3, 0x22, -1, 0),
    ("mmap", 0, 0, 3, 0x22, -1, 0),
    ("brk", 0),
    ("mincore", ARENA, 8192, bytes(2)),
    ("getgroups", 0, 0),
    ("get_robust_list", 0, [7], [7]),
    ("futex", struct.pack("<I", 5), 128, 4, 0),
    ("futex", struct.pack("<I", 5), 128, 5, [0, 1000]),
    ("personality", 0xFFFFFFFF),
    ("getrandom", bytes(8), 8, 1),
    ("rt_sigtimedwait", [0x200], bytes(128), [0, 1000], 8),
]  # fmt: skip


def test_calls_made_for_real_read_as_strace_has_them(player):
    calls = [laid(*call) for call in REAL]
    theirs, records = player.lines_and_records(calls)
    for call, lines, (answer, after) in zip(calls, theirs, records, strict=True):
        signed = answer - (1 << 64) if answer >> 63 else answer
        assert printed(call, signed, after=after) == lines


# Calls without a row


def test_a_call_without_a_row_shows_its_registers(player):
    numbers = [number for number in NAMES if number <= LAST_KNOWN and NAMES[number] != "execve"]
    unknown = [451 + 100, 999, 0xFFFF]
    calls = [laid(number, 1, 0, 3, 1 << 40, 5, 6) for number in numbers]
    theirs = player.lines(calls, -38, ("-e", "raw=all"))
    assert [printed(c, -38, row=missing_row(c.number)) for c in calls] == theirs
    calls = [laid(number, 1, 0, 3, 1 << 40, 5, 6) for number in unknown]
    assert [printed(c, -38, row=missing_row(c.number)) for c in calls] == player.lines(calls)


# Whatever a guest passes


words = st.one_of(
    st.integers(0, (1 << 64) - 1), st.integers(0, 600), st.integers(ARENA, ARENA + ARENA_SIZE)
)


@given(st.lists(words, min_size=6, max_size=6), st.binary(min_size=64, max_size=512), words)
def test_nothing_that_a_guest_passes_is_an_exception(args, data, answer):
    memory = (data * (ARENA_SIZE // len(data) + 1))[:ARENA_SIZE]
    for row in ALL_ROWS.values():
        call = Laid(row.number, tuple(args), {})
        for result in (answer, 0, 7, -22, -516, None):
            (line,) = printed(call, result, before=memory)
            assert line.startswith(f"{row.name}(")
            assert "\n" not in line
