"""A kernel goes back: to whatever it was, it is again, and answers as it did."""

from __future__ import annotations

import copy
import io
from contextlib import closing
from dataclasses import dataclass, field
from random import Random

import pytest
from file_arguments import Out, op
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_calls import HAS_DATA, with_files
from memory_kernels import Ours
from planted_trees import plant
from test_random_files_on_two_kernels import calls as file_calls
from test_random_process_calls import FACTS, SAME, seconds
from two_filesystems import Ours as OursWithFiles
from two_kernels import NUMBERS, RW, WORD, new_kernel, parted

from emu.process.mmu import Mmu
from syscalls import Kernel
from syscalls.abi import MMAP_BASE, PAGE
from syscalls.beginning import Beginning
from syscalls.cannot_keep import CannotKeep
from syscalls.ending import Ending
from syscalls.host_stream import Replayed
from syscalls.image import Image, made_again
from syscalls.memory import NoMemory
from syscalls.processor import NoProcessor
from syscalls.region import READ_WRITE
from syscalls.signals import SignalInfo
from syscalls.world import Capture, World
from tests.digest import digest

TOP = MMAP_BASE - PAGE


class Played:
    """A kernel on the memory that a CPU uses, led by lines of calls."""

    def __init__(self):
        self.memory = Mmu(lambda page, access: "", 1 << 30)
        self.ours = Ours(TOP, memory=self.memory)
        self.way = []

    def play(self, lines):
        self.way.append(lines)
        return self.ours.play(lines)

    def taken(self):
        kernel = self._changed()
        return self.memory.take(), kernel.saved(), digest(kernel), list(self.way)

    def go_to(self, version, saved, state, way):
        self._changed().put_back(saved)
        self.memory.go_to(version)
        self.way = list(way)
        assert digest(self.ours.kernel) == state

    def _changed(self):
        """The files of tests are in memory, and calls on memory write to them."""
        self.ours.kernel.changed()
        return self.ours.kernel


@given(seed=st.integers(0, 1 << 64))
def test_calls_on_memory_are_answered_after_going_back_as_by_a_kernel_that_never_did(seed):
    """The other one has another memory, too, in which everything can be seen."""
    random = Random(seed)
    played = Played()
    with closing(played.memory):
        played.play(HAS_DATA)
        taken = []
        for _ in range(8):
            played.play([with_files(random) for _ in range(random.choice([0, 4, 12]))])
            taken.append(played.taken())
            played.play([with_files(random) for _ in range(8)])
            played.go_to(*random.choice(taken))
        for one in random.sample(taken, 3):
            played.go_to(*one)
            lines = [with_files(random) for _ in range(10)]
            answers = played.play(lines)
            fresh = Ours(TOP)
            for before in played.way[:-1]:
                fresh.play(before)
            assert answers == fresh.play(lines)


@dataclass
class Recorded:
    """A kernel with the memory and the processor of tests, which are copied as a whole."""

    kernel: Kernel
    calls: list = field(default_factory=list)

    def taken(self):
        return self.kernel.saved(), copy.deepcopy(self._others()), digest(self.kernel)

    def _others(self):
        return self.kernel.space.memory.__dict__, self.kernel.context.processor.__dict__

    def go_to(self, saved, others, state):
        self.kernel.put_back(saved)
        for now, before in zip(self._others(), copy.deepcopy(others), strict=True):
            now.update(before)
        assert digest(self.kernel) == state


chunks = st.tuples(*[st.lists(file_calls, max_size=6)] * 2, st.integers(0, 9))


@settings(max_examples=50)
@given(st.lists(chunks, min_size=2, max_size=8), st.integers(0, 9))
def test_calls_on_files_are_answered_after_going_back_as_they_were(tree, script, last):
    ours = OursWithFiles(tree, "-")
    recorded, taken = Recorded(ours.kernel), []
    with closing(ours):
        for before, after, which in script:
            ours.play(before)
            now, edge = recorded.taken(), ours._edge
            taken.append((now, edge, after, ours.play(after)))
            for number in {which % len(taken), last % len(taken)}:
                now, edge, follow, answers = taken[number]
                recorded.go_to(*now)
                ours._edge = edge
                assert ours.play(follow) == answers


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    root = tmp_path_factory.mktemp("tree")
    plant(root)
    return root


actions = st.builds(
    lambda number, handler, flags, mask: (
        "rt_sigaction", number, RW, 0, 8,
        {RW: b"".join(n.to_bytes(8, "little") for n in (handler, 0x400_0000 | flags, 0, mask))},
    ),
    st.sampled_from([10, 14, 15, 34]), st.sampled_from([0, 1, 0x4000]), st.sampled_from([0, 4]),
    st.sampled_from([0, 1 << 9]),
)  # fmt: skip
masks = st.builds(
    lambda how, mask: ("rt_sigprocmask", how, RW, 0, 8, {RW: mask.to_bytes(8, "little")}),
    st.integers(0, 2), st.sampled_from([1 << 9, 1 << 13, 1 << 33, 0]),
)  # fmt: skip
timers = st.builds(
    lambda n: ("setitimer", 0, RW, 0, {RW: bytes(16) + n.to_bytes(16, "little")}), seconds.map(abs)
)
process_calls = st.one_of(SAME, FACTS, actions, masks, timers, st.integers(0, 63))
"""A number: somebody sends that signal."""


@given(st.lists(st.tuples(*[st.lists(process_calls, max_size=8)] * 2, st.integers(0, 9))))
def test_calls_about_the_process_are_answered_after_going_back_as_they_were(script):
    recorded, taken = Recorded(new_kernel()), []
    for before, after, which in script:
        [_answer(recorded.kernel, call) for call in before]
        now = recorded.taken()
        taken.append((now, after, [_answer(recorded.kernel, call) for call in after]))
        now, follow, answers = taken[which % len(taken)]
        recorded.go_to(*now)
        assert [_answer(recorded.kernel, call) for call in follow] == answers


def _answer(kernel, call):
    if isinstance(call, int):
        kernel.changed()
        return kernel.context.signals.send(SignalInfo(call + 1, 0)), kernel.context.signals.pending
    name, args, stored = parted(call)
    for address, data in stored.items():
        kernel.space.memory.write(address, data)
    try:
        return kernel.call(NUMBERS[name], tuple(int(arg) & WORD for arg in args))
    except Ending as ending:
        return type(ending), str(ending)


def test_a_file_stands_where_it_stood_also_when_it_was_closed(tree):
    ours = OursWithFiles(tree, "-")
    with closing(ours):
        fd, *_ = ours.call(*op("large"))
        ours.call("lseek", fd, 5, 0)
        recorded = Recorded(ours.kernel)
        open_ = recorded.taken()
        for _ in range(2):
            assert ours.call("read", fd, Out(6), 6) == (6, b"56789a")
            ours.call("close", fd)
            assert ours.call("read", fd, Out(6), 6)[0] == -9
            recorded.go_to(*open_)


# Images


class Thing:
    """Knows things."""

    def told(self):
        return self.number

    def __init__(self, **known):
        self.__dict__.update(known)


def test_what_an_image_puts_back_are_the_same_objects():
    inner, items = Thing(number=1), [1, 2]
    root = Thing(inner=inner, items=items, ask=lambda: inner.number)
    image = Image(root)
    inner.number, inner.more = 5, 6
    items.append(3)
    root.items = None
    image.put_back()
    assert root.inner is inner
    assert root.items is items
    assert (items, inner.__dict__, root.ask()) == ([1, 2], {"number": 1}, 1)


def test_what_is_made_again_knows_none_of_the_old_objects():
    inner = Thing(number=1)
    root = Thing(inner=inner, ask=lambda: inner.number, bound=inner.told, pairs=((inner, 1),))
    root.itself = root
    again = made_again(root)
    inner.number = 2
    assert again.ask() == again.bound() == 1
    assert again.itself is again
    assert again.inner is again.pairs[0][0] is not inner


def test_what_is_said_to_be_instead_is_instead():
    old, new = Thing(), Thing()
    assert made_again(Thing(one=[old], two=old), [(old, new)]).one == [new]


@pytest.mark.parametrize("made", [lambda: iter([1]), io.BytesIO, lambda: memoryview(b"")])
def test_what_an_image_cannot_know_is_refused(made):
    with pytest.raises(CannotKeep, match="cannot be copied"):
        Image(Thing(one=made()))


def test_a_kernel_made_again_shares_nothing_that_may_change():
    kernel, memory, processor = Kernel(NoMemory()), NoMemory(), NoProcessor()
    for number in (22, 9):
        kernel.call(number, (0, PAGE, 3, 0x21, WORD, 0))
    again = kernel.again(memory, processor)
    outside = [memory, processor, kernel.space.memory, kernel.context.processor]
    mine = {id(one) for one, inside, _ in Image(kernel, outside).contents}
    shared = [one for one, inside, _ in Image(again, outside).contents if id(one) in mine]
    assert shared == []


def test_a_list_that_grew_is_as_it_was_and_the_longer_one_is_not_lost():
    now = [1, 2]
    two = Beginning.of(now)
    now.append(3)
    three = Beginning.of(now)
    now = two.again(now)
    now.append(4)
    assert (now, three.again(now), two.again(now)) == ([1, 2, 4], [1, 2, 3], [1, 2])


# Streams


class Pipe:
    """A stream that gives each of its bytes once."""

    def __init__(self):
        self.host_fd, self.given, self.taken = None, b"one two three", b""

    def read(self, size):
        part, self.given = self.given[:size], self.given[size:]
        return part

    def write(self, data):
        self.taken += data[:4]
        return len(data[:4])


def test_what_was_read_of_a_stream_is_read_again():
    stream = Replayed(Pipe())
    start = Image(stream)
    assert stream.read(4) == b"one "
    middle = Image(stream)
    assert [stream.read(4), stream.read(100), stream.read(5)] == [b"two ", b"three", b""]
    start.put_back()
    assert [stream.read(2), stream.read(100)] == [b"on", b"e two three"]
    middle.put_back()
    assert stream.read(100) == b"two three"


def test_only_what_is_more_than_before_is_written_to_a_stream():
    pipe = Pipe()
    stream = Replayed(pipe)
    start = Image(stream)
    assert [stream.write(b"abc"), stream.write(b"defghi")] == [3, 4]
    start.put_back()
    assert stream.write(b"abcd") == 4
    assert stream.write(b"efghi") == 5
    assert stream.write(b"jk") == 2
    assert pipe.taken == b"abcdefghijk"


def test_what_a_kernel_wrote_and_read_is_undone():
    kernel = Kernel(NoMemory(), world=World(stdin=Capture(b"abc")))
    kernel.space.map(PAGE * 16, PAGE, READ_WRITE)
    saved = kernel.saved()
    for _ in range(2):
        assert kernel.call(0, (0, PAGE * 16, 2, 0, 0, 0)) == 2
        assert kernel.call(1, (1, PAGE * 16, 5, 0, 0, 0)) == 5
        assert kernel.output(1) == bytes(5)
        kernel.put_back(saved)
        assert kernel.output(1) == b""
        assert kernel.calls == []


def test_a_planned_failure_is_planned_again():
    kernel = Kernel(NoMemory())
    kernel.shortages.plan("mmap", 2, 12)
    saved = kernel.saved()
    for _ in range(2):
        answers = [kernel.call(9, (0, PAGE, 3, 0x22, WORD, 0)) >> 63 for _ in range(3)]
        assert answers == [0, 1, 0]
        kernel.put_back(saved)


def test_who_watches_goes_on_watching():
    kernel = Kernel(NoMemory())
    saved = kernel.saved()
    kernel.tracer, kernel.context.signals.watch = tracer, watch = Thing(), print
    kernel.changed()
    kernel.put_back(saved)
    assert (kernel.tracer, kernel.context.signals.watch) == (tracer, watch)
