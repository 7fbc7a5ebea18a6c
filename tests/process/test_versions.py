"""Versions of memory, against full copies: whatever is done, going back is going back."""

from __future__ import annotations

import gc
from contextlib import closing
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emu.process.mmu import Mmu
from emu.process.stop import Access
from syscalls.abi import PAGE
from tests.digest import memory as spelled

PAGES = [0x1000 * n for n in range(16, 28)] + [(1 << 32) + 0x1000 * n for n in range(-2, 2)]
"""Some on both sides of where windows of host memory meet."""
ALL = (0, 1 << 40)


class Actor:
    """Does random things to a memory that its kernel might do, and that a CPU might."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.mmu = Mmu(lambda page, access: "rwx" if access == "w" else "rx", 1 << 30)
        self.frames: list[int] = []

    def act(self) -> None:
        self.random.choice([
            self._see, self._own, self._own, self._write, self._write, self._write, self._store,
            self._store, self._store, self._discard, self._discard, self._move, self._new_frame,
            self._show, self._show, self._show, self._refill, self._free_frame,
        ])()  # fmt: skip

    def _page(self) -> int:
        return self.random.choice(PAGES)

    def _bytes(self) -> bytes:
        return self.random.randbytes(self.random.choice([1, 8, 5000]))

    def _see(self) -> None:
        page = self._page()
        if not self.mmu.has_seen(page):
            self.mmu.see(page)

    def _own(self) -> None:
        page = self._page()
        self.mmu.own(page, self.mmu._shown.get(page))

    def _write(self) -> None:
        self.mmu.write(self._page() + self.random.randrange(PAGE), self._bytes())

    def _store(self) -> None:
        """As a CPU: asks first, and then changes the bytes where they are."""
        page = self._page()
        if self.mmu.has_touched(page):
            rights, place = self.mmu.walk(page, Access.WRITE)
            assert "w" in rights
            self.mmu.windows.write(place + self.random.randrange(PAGE), b"\x07")

    def _discard(self) -> None:
        page = self._page()
        self.mmu.discard(page, page + PAGE * self.random.choice([1, 1, 3]))

    def _move(self) -> None:
        start, to = self._page(), 0x7000_0000
        self.mmu.discard(to, to + 2 * PAGE)
        self.mmu.move(start, start + 2 * PAGE, to)
        if self.random.random() < 0.5:
            self.mmu.discard(start, start + 2 * PAGE)
            self.mmu.move(to, to + 2 * PAGE, start)

    def _new_frame(self) -> None:
        self.frames.append(self.mmu.new_frame(self._bytes()[:PAGE]))

    def _show(self) -> None:
        page = self._page()
        if self.frames and not self.mmu.has_seen(page):
            self.mmu.show(page, self.random.choice(self.frames))

    def _refill(self) -> None:
        if self.frames:
            self.mmu.refill(self.random.choice(self.frames), self._bytes()[:PAGE])

    def _free_frame(self) -> None:
        if self.frames:
            frame = self.frames.pop(self.random.randrange(len(self.frames)))
            self.mmu.hide({frame})
            self.mmu.free_frame(frame)


@given(st.integers(0, 1 << 64), st.lists(st.sampled_from("aaaatrrd"), max_size=80))
def test_memory_is_as_it_was_at_any_version_in_any_order(seed, script):
    """act, take, restore, drop; the model keeps a whole copy of everything."""
    actor = Actor(seed)
    with closing(actor.mmu):
        taken = []
        for what in script:
            if what == "a":
                for _ in range(actor.random.choice([1, 3, 10])):
                    actor.act()
            elif what == "t":
                taken.append((actor.mmu.take(), spelled(actor.mmu), list(actor.frames)))
            elif taken and what == "d":
                del taken[actor.random.randrange(len(taken))]
            elif taken:
                version, expected, frames = actor.random.choice(taken)
                actor.mmu.go_to(version)
                actor.frames = list(frames)
                assert spelled(actor.mmu) == expected
        version = None
        for version, expected, _ in taken:
            actor.mmu.go_to(version)
            assert spelled(actor.mmu) == expected
        del version
        taken.clear()
        assert actor.mmu.remembered() == 0


@pytest.fixture
def mmu():
    with closing(Mmu(lambda page, access: "rw", 1 << 30)) as mmu:
        yield mmu


def fill(mmu: Mmu, byte: int, pages: int = 50) -> None:
    mmu.write(0x10_0000, bytes([byte]) * PAGE * pages)


def test_the_cpu_asks_before_it_writes_to_a_page_for_the_first_time_since(mmu):
    fill(mmu, 1)
    assert mmu.walk(0x10_0000, Access.READ)[0] == "rw"
    version = mmu.take()
    assert mmu.walk(0x10_0000, Access.READ)[0] == "r"
    assert mmu.walk(0x10_0000, Access.WRITE)[0] == "rw"
    assert mmu.walk(0x10_0000, Access.READ)[0] == "rw"
    assert mmu.remembered() == 1
    mmu.go_to(version)
    assert mmu.walk(0x10_1000, Access.READ)[0] == "r"


def test_a_version_costs_what_changes_after_it(mmu):
    fill(mmu, 1)
    version = mmu.take()
    assert mmu.remembered() == 0
    fill(mmu, 2, 3)
    fill(mmu, 3, 3)
    assert mmu.remembered() == 3
    mmu.go_to(version)
    assert mmu.remembered() == 0


def test_a_version_that_nobody_holds_is_forgotten_at_once(mmu):
    fill(mmu, 1)
    version = mmu.take()
    fill(mmu, 2)
    assert mmu.remembered() == 50
    del version
    assert mmu.remembered() == 0
    assert mmu.walk(0x10_0000, Access.READ)[0] == "rw", "nothing is watched any more"


def test_versions_that_come_and_go_after_one_that_stays_keep_nothing(mmu):
    fill(mmu, 0)
    first = mmu.take()
    for byte in range(200):
        last = mmu.take()
        fill(mmu, byte, 2)
    assert mmu.remembered() <= 2 * 2
    del last
    assert mmu.remembered() == 2
    mmu.go_to(first)
    assert mmu.read(0x10_0000, 1) == b"\0"


def test_a_branch_that_nobody_holds_any_more_is_forgotten(mmu):
    fill(mmu, 1)
    root = mmu.take()
    fill(mmu, 2)
    branch = mmu.take()
    mmu.go_to(root)
    assert mmu.remembered() == 50
    del branch
    assert mmu.remembered() == 0
    assert mmu.read(0x10_0000, 1) == b"\1"


def test_versions_in_a_cycle_of_objects_are_forgotten_with_it(mmu):
    fill(mmu, 1)
    cycle = [mmu.take()]
    cycle.append(cycle)
    fill(mmu, 2)
    del cycle
    gc.collect()
    assert mmu.remembered() == 0


def test_a_version_may_outlive_its_memory():
    mmu = Mmu(lambda page, access: "rw", 1 << 30)
    fill(mmu, 1)
    versions = [mmu.take()]
    fill(mmu, 2)
    versions.append(mmu.take())
    mmu.close()
    del versions[0]
    versions.clear()
    assert mmu.remembered() == 0


def test_frames_that_are_made_and_given_back_are_remembered_without_a_byte(mmu):
    frames = [mmu.new_frame(b"a"), mmu.new_frame(b"b")]
    two = mmu.take()
    mmu.free_frame(frames[1])
    one = mmu.take()
    assert mmu.new_frame(b"c") == frames[1]
    again = mmu.take()
    for version, used in ((one, 1), (again, 2), (two, 2), (one, 1)):
        mmu.go_to(version)
        assert mmu.frames_held() == used
    assert mmu.new_frame(b"d") == frames[1]
    mmu.go_to(two)
    assert mmu.frame_bytes(frames[1])[:1] == b"b"


def test_pages_that_were_only_read_are_remembered_when_they_are_too_many():
    with closing(Mmu(lambda page, access: "rw", 8 * PAGE)) as mmu:
        for page in range(8):
            mmu.see(page * PAGE)
        version = mmu.take()
        mmu.see(8 * PAGE)
        assert list(mmu.resident(*ALL)) == [8 * PAGE]
        mmu.go_to(version)
        assert list(mmu.resident(*ALL)) == [page * PAGE for page in range(8)]


def test_a_thousand_versions_in_a_row_can_all_be_gone_to(mmu):
    versions = []
    for number in range(1000):
        mmu.write(0x10_0000 + number % 7 * PAGE, number.to_bytes(8, "little"))
        versions.append(mmu.take())
    for number in (999, 0, 500, 1, 998):
        mmu.go_to(versions[number])
        assert mmu.read(0x10_0000 + number % 7 * PAGE, 8) == number.to_bytes(8, "little")
