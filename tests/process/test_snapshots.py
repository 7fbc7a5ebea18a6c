"""Snapshots of a process, against fresh processes that are led the same way without any."""

from __future__ import annotations

import gc
import struct
from contextlib import ExitStack, closing
from random import Random

import guests
import pytest
from guests import Load
from hypothesis import given, settings
from hypothesis import strategies as st

from asm.image import Image
from emu.errors import ClosedError, GuestDied, GuestFault, SnapshotError
from emu.process.machine import Machine
from emu.process.process import Process
from emu.process.stop import Stop
from syscalls import Limits
from syscalls.abi import PAGE
from syscalls.host_stream import HostStream
from syscalls.world import Capture, World
from tests.digest import digest

AT, PAGES = 0x1000_0000, 8
GUEST = (
    guests.PAGES
    + guests.SYS
    + """
    sse:    movq  xmm3, rdi                 # sse(word): leaves it in registers
            paddq xmm3, xmm3
            movq  xmm9, rsi
            ret
    x87:    push rdi                        # x87(number): leaves it on the stack of the x87
            fild qword ptr [rsp]
            fsqrt
            pop  rdi
            ret
    spin:   dec  rdi                        # spin(turns)
            jnz  spin
            mov  rax, rsi
            ret
    more:   mov  eax, 0                     # more(): the next of its own bytes, which it changes
            inc  byte ptr [rip + more + 1]
            ret
            .data
    data:   .quad 0
"""
)
MMAP, MPROTECT, MUNMAP, BRK, MREMAP, MADVISE, MSYNC = 9, 10, 11, 12, 25, 28, 26
ARCH_PRCTL, SIGACTION, PIPE, WRITE, READ, CLOSE, DUP, NANOSLEEP, GETRANDOM, CLOCK, OPEN = (
    158, 13, 22, 1, 0, 3, 32, 35, 318, 228, 2,
)  # fmt: skip
LSEEK, KILL, SIGMASK, ITIMER, UMASK, CHDIR, LIMIT, BLOCKED = 8, 62, 14, 38, 95, 80, 160, 10

Act = tuple[str, tuple[int, ...]]


def _code(value: int) -> int:
    """mov eax, value; ret."""
    return 0xC3_0000_0000_B8 | value << 8


class Chooser:
    """Random calls, all on a few pages and files, so that they meet."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def act(self) -> Act:
        choose = self._random.choice(
            [self._touch] * 6 + [self._memory] * 6 + [self._other] * 3 + [self._compute] * 2
        )
        return choose()

    def _page(self) -> int:
        return AT + self._random.randrange(PAGES) * PAGE

    def _size(self) -> int:
        return self._random.choice([1, 1, 2, 3]) * PAGE

    def _touch(self) -> Act:
        at = self._page() + self._random.choice([0, 8, 2048, PAGE - 4])
        name = self._random.choice(["read", "write", "write", "run"])
        if name == "run":
            return "run", (self._page(),)
        return name, (at, self._random.choice([_code(self._random.randrange(99)), 7, 0]))

    def _memory(self) -> Act:
        rights = self._random.choice([3, 3, 3, 7, 7, 1, 5, 0])
        kind = self._random.choice([0x32, 0x32, 0x31, 0x132, 0x8032, 0x8031, 0x22])
        page, size = self._page(), self._size()
        return "sys", self._random.choice([
            (MMAP, page, size, rights, kind, -1), (MMAP, page, size, rights, kind, -1),
            (MMAP, page, size, rights, 0x32, -1), (MPROTECT, page, size, rights),
            (MUNMAP, page, size), (BRK, 0x40_4000 + self._random.randrange(5) * 3000),
            (MREMAP, page, size, self._size(), 3, self._page()),
            (MREMAP, page, size, self._size(), 1),
            (MADVISE, page, size, self._random.choice([4, 4, 9, 102, 103, 14, 22])),
            (MSYNC, page, size, 4),
        ])  # fmt: skip

    def _other(self) -> Act:
        page, fd = self._page(), self._random.randrange(7)
        return "sys", self._random.choice([
            (ARCH_PRCTL, 0x1002, page), (ARCH_PRCTL, 0x1001, page), (PIPE, page),
            (WRITE, fd, page, 100), (READ, fd, page, 30), (CLOSE, fd), (DUP, fd),
            (NANOSLEEP, page, 0), (GETRANDOM, page, 16, 0), (CLOCK, 1, page), (OPEN, page, 0),
            (LSEEK, fd, 5, 0), (SIGMASK, 0, page, 0, 8), (SIGACTION, BLOCKED, page, 0, 8),
            (ITIMER, 0, page, 0), (UMASK, fd), (CHDIR, page), (LIMIT, 7, page), (999,),
        ])  # fmt: skip

    def _compute(self) -> Act:
        word = self._random.getrandbits(64)
        return self._random.choice([
            ("sse", (word, word >> 7)), ("x87", (word >> 8,)), ("more", ()),
            ("spin", (self._random.randrange(1, 2000), 5)),
        ])  # fmt: skip


class Guest:
    """A process, and what has been done to it."""

    def __init__(self, image: Image) -> None:
        world = World(stdin=Capture(bytes(range(200))))
        self.process = Process(image, budget=50_000, world=world)
        self.way: tuple[Act, ...] = ()

    def act(self, act: Act) -> object:
        """Everything that can be seen of it."""
        self.way += (act,)
        name, arguments = act
        try:
            returned = self.process.call(name, *(a % (1 << 64) for a in arguments))
        except GuestDied as died:
            return str(died)
        except ClosedError as error:
            return str(error)
        return returned.result, returned.instructions, returned.syscalls, returned.violations

    def outputs(self) -> tuple[bytes, bytes]:
        return self.process.kernel.output(1), self.process.kernel.output(2)


def _image() -> Image:
    return guests.image(GUEST)


@settings(max_examples=60)
@given(seed=st.integers(0, 1 << 64))
def test_a_process_goes_back_to_what_it_was_and_goes_on_as_it_did(seed: int) -> None:
    """After each restore all that it remembers is as it was; what follows is what followed."""
    random = Random(seed)
    chooser = Chooser(random)
    image = _image()
    with ExitStack() as stack:
        guest = Guest(image)
        stack.enter_context(guest.process)
        taken = []
        for _ in range(12):
            for _ in range(random.choice([0, 1, 3])):
                guest.act(chooser.act())
            snapshot = guest.process.snapshot()
            way, state = guest.way, digest(guest.process)
            follow = [chooser.act() for _ in range(random.choice([1, 4]))]
            taken.append((snapshot, way, state, follow, [guest.act(act) for act in follow]))
            if random.random() < 0.2:
                del taken[random.randrange(len(taken))]
            for _ in range(random.choice([0, 1, 2])):
                if taken:
                    _goes_back(guest, *random.choice(taken))
        for one in random.sample(taken, min(3, len(taken))):
            _goes_back(guest, *one)
            _is_like_a_fresh_one(guest, image, stack)


def _goes_back(guest: Guest, snapshot, way, state, follow, answers) -> None:
    guest.process.restore(snapshot)
    guest.way = way
    assert digest(guest.process) == state
    assert [guest.act(act) for act in follow] == answers


def _is_like_a_fresh_one(guest: Guest, image: Image, stack: ExitStack) -> None:
    """One that was led the same way, and never went back."""
    fresh = Guest(image)
    stack.enter_context(fresh.process)
    for act in guest.way:
        fresh.act(act)
    assert digest(fresh.process) == digest(guest.process)
    assert fresh.outputs() == guest.outputs()


@settings(max_examples=30)
@given(seed=st.integers(0, 1 << 64))
def test_two_processes_after_a_fork_know_nothing_of_each_other(seed: int) -> None:
    random = Random(seed)
    chooser = Chooser(random)
    with ExitStack() as stack:
        guest = Guest(_image())
        stack.enter_context(guest.process)
        for _ in range(random.randrange(25)):
            guest.act(chooser.act())
        other = Guest.__new__(Guest)
        other.process, other.way = stack.enter_context(guest.process.fork()), guest.way
        assert digest(other.process) == digest(guest.process)
        here, there = ([chooser.act() for _ in range(10)] for _ in "ab")
        before = guest.process.snapshot()
        expected = [guest.act(act) for act in there]
        guest.process.restore(before)
        for act in here:
            guest.act(act)
        mine = digest(guest.process)
        assert [other.act(act) for act in there] == expected
        assert digest(guest.process) == mine
        guest.process.close()
        other.act(("sys", (MMAP, AT, PAGE, 3, 0x32, -1)))


# In the middle of a call


def test_a_snapshot_may_be_taken_in_the_middle_of_a_call(load: Load) -> None:
    process = load(GUEST)
    process.memory.write(
        0x7FFF_FFFF_E000, struct.pack("<QQ", process.image.symbols["spin"], process._leave)
    )
    process.cpu.update({"rdi": 5000, "rsi": 77, "rsp": 0x7FFF_FFFF_E008})
    assert process.run(process.image.symbols["spin"], 3000) is Stop.BUDGET
    middle, count = process.snapshot(), process.cpu.counter.count
    ends = []
    for _ in range(3):
        assert process.run(process.cpu.get("rip"), 1 << 40) is Stop.HALTED
        ends.append((process.cpu.get("rax"), process.cpu.counter.count))
        process.restore(middle)
        assert process.cpu.counter.count == count
    assert ends == ends[:1] * 3
    assert ends[0][0] == 77


def test_a_dead_process_is_revived(load: Load) -> None:
    process = load(GUEST)
    before = process.snapshot()
    deaths = []
    for _ in range(3):
        with pytest.raises(GuestFault) as died:
            process.call("read", 0)
        deaths.append(str(died.value))
        with pytest.raises(ClosedError):
            process.call("spin", 1, 1)
        process.restore(before)
        assert process.call("spin", 1, 1).result == 1
        process.restore(before)
    assert deaths == deaths[:1] * 3


def test_a_snapshot_of_a_dead_process_is_of_a_dead_process(load: Load) -> None:
    process = load(GUEST)
    alive = process.snapshot()
    with pytest.raises(GuestFault):
        process.call("read", 0)
    dead = process.snapshot()
    process.restore(alive)
    process.restore(dead)
    with pytest.raises(ClosedError):
        process.call("spin", 1, 1)


# Code that was run, and changed


def test_code_that_rewrites_itself_runs_as_it_was(load: Load) -> None:
    """It changes the page where it stands, whose pages are read-only until it is allowed to."""
    process = load(GUEST)
    process.call("protect", process.image.symbols["map"] & -PAGE, PAGE, 7)
    snapshots = []
    for turn in range(4):
        snapshots.append(process.snapshot())
        assert process.call("more").result == turn
    for turn in (2, 0, 3, 1, 1):
        process.restore(snapshots[turn])
        assert process.call("more").result == turn


@pytest.mark.parametrize("kind", [0x32, 0x31], ids=["private", "shared"])
def test_code_runs_as_it_stands_after_each_restore(load: Load, kind: int) -> None:
    process = load(GUEST)
    process.call("sys", MMAP, AT, PAGE, 7, kind, (1 << 64) - 1)
    snapshots = []
    for value in range(1, 4):
        process.call("write", AT, _code(value))
        snapshots.append(process.snapshot())
        assert process.call("run", AT).result == value
    for value in (1, 3, 2, 2, 1):
        process.restore(snapshots[value - 1])
        assert process.call("run", AT).result == value
    process.call("unmap", AT, PAGE)
    process.restore(snapshots[0])
    assert process.call("run", AT).result == 1


# What is refused


def test_a_snapshot_of_another_process_is_refused(load: Load) -> None:
    one, other = load(GUEST), load(GUEST)
    with pytest.raises(SnapshotError, match="another process"):
        other.restore(one.snapshot())


def test_a_closed_process_is_neither_remembered_nor_taken_back(load: Load) -> None:
    process = load(GUEST)
    snapshot = process.snapshot()
    process.close()
    with pytest.raises(ClosedError):
        process.snapshot()
    with pytest.raises(ClosedError):
        process.restore(snapshot)


def test_a_process_that_runs_is_neither_remembered_nor_taken_back(load: Load) -> None:
    process = load(GUEST)
    snapshot = process.snapshot()
    for asked in (process.snapshot, lambda: process.restore(snapshot), process.fork):
        process.kernel.tracer = _Asking(asked)
        with pytest.raises(SnapshotError, match="runs"):
            process.call("brk", 0)
        process.kernel.tracer = None
        process.restore(snapshot)


class _Asking:
    """Asks from inside a system call."""

    def __init__(self, asked) -> None:
        self._asked = asked

    def entering(self, row, args):
        self._asked()

    def leaving(self, entered, result):
        pass


@pytest.mark.parametrize(
    ("world", "reason"),
    [
        (lambda folder: World(root=folder, writable=folder), "cannot be undone"),
        (lambda folder: World(host_time=True), "clocks"),
        (lambda folder: World(stdin=HostStream(0)), "cannot be taken back"),
    ],
    ids=["writable", "host time", "host stream"],
)
def test_what_cannot_be_undone_is_refused(world, reason, tmp_path) -> None:
    with (
        Machine(Limits(), world=world(tmp_path)) as machine,
        pytest.raises(SnapshotError, match=reason),
    ):
        machine.snapshot()


def test_a_file_in_memory_is_the_hosts_and_is_refused_while_it_is_known(load: Load) -> None:
    process = load(GUEST)
    process.snapshot()
    fd = process.call("sys", 319, process.image.symbols["data"], 0).result
    with pytest.raises(SnapshotError, match="cannot be undone"):
        process.snapshot()
    with pytest.raises(SnapshotError, match="made again"):
        process.fork()
    process.call("sys", CLOSE, fd)
    process.snapshot()


def test_a_process_with_files_of_the_hosts_open_is_not_forked(load: Load, tmp_path) -> None:
    (tmp_path / "file").write_bytes(b"text")
    process = load(GUEST, world=World(root=tmp_path))
    path = process.image.symbols["data"]
    process.memory.write(path, b"/file\0")
    fd = process.call("sys", OPEN, path, 0).result
    with pytest.raises(SnapshotError, match="twice"):
        process.fork()
    process.call("sys", CLOSE, fd)
    with process.fork() as other:
        process.close()
        assert other.call("sys", OPEN, path, 0).result == fd, "it has the host's files by itself"


def test_a_fork_has_pages_of_a_file_that_nobody_shows_yet(load: Load, tmp_path) -> None:
    (tmp_path / "file").write_bytes(b"text of a file")
    process = load(GUEST, world=World(root=tmp_path))
    path = process.image.symbols["data"]
    process.memory.write(path, b"/file\0")
    fd = process.call("sys", OPEN, path, 0).result
    one, other = (process.call("sys", MMAP, 0, PAGE, 3, 2, fd).result for _ in range(2))
    process.call("sys", CLOSE, fd)
    process.fill(one, 1, 1)  # it has a copy now; the page of the file stays known
    with process.fork() as forked:
        assert forked.call("read", other).result == int.from_bytes(b"text of ", "little")
        assert forked.call("read", one).result == int.from_bytes(b"\1ext of ", "little")


def test_guarded_pages_are_guarded_again(load: Load) -> None:
    process = load(GUEST)
    process.call("map", AT, 2 * PAGE, 3)
    open_ = process.snapshot()
    assert process.call("sys", MADVISE, AT, PAGE, 102).result == 0
    guarded = process.snapshot()
    process.restore(open_)
    assert process.call("read", AT).result == 0
    process.restore(guarded)
    with pytest.raises(GuestFault):
        process.call("read", AT)


# What it costs


def test_dropped_snapshots_give_their_pages_back(load: Load) -> None:
    process = load(GUEST)
    process.call("map", AT, 64 * PAGE, 3)
    first = process.snapshot()
    for turn in range(50):
        last = process.snapshot()
        for page in range(64):
            process.memory.write(AT + page * PAGE, bytes([turn]))
    assert process.memory.remembered() <= 2 * 70
    del first, last
    gc.collect()
    assert process.memory.remembered() == 0


def test_without_a_snapshot_nothing_is_watched(load: Load) -> None:
    process = load(GUEST)
    process.call("map", AT, PAGE, 3)
    process.call("write", AT, 1)
    assert process.memory.remembered() == 0
    assert process.memory.walk(AT, 16)[0] == "rw"


def test_the_rest_of_the_kernel_is_looked_at_only_when_it_has_changed(load: Load) -> None:
    process = load(GUEST)
    first = process.snapshot()
    process.call("map", AT, PAGE, 3)
    second = process.snapshot()
    assert second.kernel.rest is first.kernel.rest
    process.call("sys", UMASK, 0)
    assert process.snapshot().kernel.rest is not first.kernel.rest


def test_closing_ends_what_snapshots_hold(load: Load) -> None:
    process = load(GUEST)
    with closing(process):
        snapshots = [process.snapshot()]
        process.call("map", AT, PAGE, 3)
        process.call("write", AT, 1)
        snapshots.append(process.snapshot())
    snapshots.clear()
    assert process.memory.remembered() == 0
