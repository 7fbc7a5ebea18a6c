"""Random sequences of calls on files, with odd paths, answer as on the host's Linux."""

from __future__ import annotations

from file_arguments import AT_FDCWD, BAD, Edge, In, Out, Vector, i64, s
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

WORDS = (
    "a b c file w old sub link up self loop absolute back new other .. . x1 slash rooted".split()
)
names = st.sampled_from(WORDS)
paths = st.builds(
    lambda start, words, end: s(start + "/".join(words) + end),
    st.sampled_from(["", "", "", "/", "./", "w/", "a/"]),
    st.lists(names, min_size=1, max_size=4),
    st.sampled_from(["", "", "", "", "/", "/.", "//"]),
)
fds = st.integers(3, 8)
folders = st.just(AT_FDCWD) | fds
sizes = st.sampled_from([0, 1, 5, 100, 4096, 10_000])
offsets = st.sampled_from([-1, 0, 1, 5, 4095, 4096, 70_000])
modes = st.sampled_from([0o600, 0o644, 0o755, 0o777, 0o1777])
open_flags = st.builds(
    lambda access, *others: access | sum(others),
    st.sampled_from([0, 1, 2, 2, 2, 3]),
    *(st.sampled_from([0, 0, flag]) for flag in (0o100, 0o200, 0o1000, 0o2000)),
    *(st.sampled_from([0, 0, 0, 0, flag]) for flag in (0o4000, 0o200000, 0o400000)),
    st.sampled_from([0] * 9 + [0o10000000]),
)
out = sizes.map(Out) | sizes.map(Edge) | st.just(BAD)
given_bytes = st.sampled_from([b"", b"x", b"hello", b"y" * 5000]).map(In)
vectors = st.lists(sizes.map(Out) | st.just(Edge(3)), max_size=4).map(lambda p: Vector(tuple(p)))
out_vectors = st.lists(given_bytes, max_size=4).map(lambda parts: Vector(tuple(parts)))


def call(name, *arguments):
    return st.tuples(st.just(name), *arguments)


@st.composite
def writes(draw):
    data = draw(given_bytes)
    return ("write", draw(fds), data, len(data.data))


@st.composite
def reads(draw):
    into = draw(sizes.map(Out) | sizes.map(Edge))
    return ("read", draw(fds), into, into.size + draw(st.sampled_from([0, 0, 9])))


opens = call("openat", folders, paths, open_flags, modes)
calls = st.one_of(
    opens, opens, opens, reads(), reads(), writes(), writes(),
    call("close", fds), call("dup", fds), call("dup2", fds, fds),
    call("lseek", fds, offsets, st.integers(-1, 5)),
    call("pread64", fds, st.just(Out(10_000)), sizes, offsets),
    call("pwrite64", fds, st.just(In(b"z" * 5000)), st.sampled_from([0, 3, 5000]), offsets),
    call("readv", fds, vectors, st.integers(0, 4)), call("writev", fds, out_vectors, st.just(0)),
    call("fstat", fds, st.just(Out(144))), call("newfstatat", folders, paths, st.just(Out(144)),
                                                st.sampled_from([0, 0x100, 0x1000, 8])),
    call("fcntl", fds, st.sampled_from([0, 1, 2, 3, 4, 1030]), st.integers(0, 9)),
    call("ftruncate", fds, offsets), call("truncate", paths, offsets),
    call("mkdirat", folders, paths, modes), call("unlinkat", folders, paths,
                                                 st.sampled_from([0, 0x200])),
    call("renameat2", folders, paths, folders, paths, st.sampled_from([0, 0, 0, 1, 2])),
    call("linkat", folders, paths, folders, paths, st.sampled_from([0, 0x400])),
    call("symlinkat", paths, folders, paths), call("readlinkat", folders, paths,
                                                   st.just(Out(50)), st.integers(-1, 50)),
    call("fchmodat", folders, paths, modes), call("fchmod", fds, modes),
    call("chdir", paths), call("fchdir", fds), call("getcwd", st.just(Out(100)), sizes),
    call("faccessat", folders, paths, st.integers(0, 8)), call("umask", modes),
    call("copy_file_range", fds, st.just(0), fds, st.just(0), sizes, st.just(0)),
    call("sendfile", fds, fds, st.sampled_from([0, i64(0), i64(3)]), sizes),
    call("utimensat", folders, paths, st.just(0), st.sampled_from([0, 0x100])),
    call("flock", fds, st.sampled_from([5, 6, 8])), call("fallocate", fds, st.just(0),
                                                         st.just(0), offsets),
    call("pipe2", st.just(Out(8)), st.just(0o4000)), call("fsync", fds),
    call("close_range", fds, fds, st.just(0)), call("mknodat", folders, paths, modes, st.just(0)),
)  # fmt: skip


def test_random_calls_answer_as_on_linux(both):
    """A failure names the call; shrinking the sequence would take minutes."""
    profile = settings()

    @settings(
        max_examples=profile.max_examples,
        suppress_health_check=[*HealthCheck],
        deadline=None,
        phases=[Phase.generate],
    )
    @given(st.lists(calls, min_size=20, max_size=60), st.sampled_from([".", ".", "w"]))
    def play(sequence, writable):
        both.assert_alike(sequence, writable)

    play()
