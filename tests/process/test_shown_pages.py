"""Pages that show files and shared memory, as the guest meets them: what it reads, writes, runs."""

from __future__ import annotations

import guests
import pytest
from guests import Load

from emu.errors import GuestFault, MemorySpent
from emu.process.process import STACK_SIZE, STACK_TOP, Process
from syscalls import Limits
from syscalls.abi import ENOMEM, PAGE
from syscalls.files.file import File, Source
from syscalls.files.stat import Stat
from syscalls.memory import TooMuchTouched

AT, ELSEWHERE = 0x1000_0000, 0x2000_0000
NONE, READ, WRITE, EXECUTE = 0, 1, 2, 4
SHARED, PRIVATE, FIXED, ANONYMOUS, GROWS_DOWN, POPULATE = 1, 2, 0x10, 0x20, 0x100, 0x8000
MMAP, MPROTECT, MUNMAP, MREMAP, MSYNC, MADVISE = 9, 10, 11, 25, 26, 28
DONTNEED, MAY_MOVE_FIXED, SYNC = 4, 3, 4
GUEST = guests.PAGES + guests.SYS


class Bytes:
    """A file in memory."""

    def __init__(self, data: bytes) -> None:
        self.data = bytearray(data)

    @property
    def size(self) -> int:
        return len(self.data)

    def read(self, offset: int, size: int) -> bytes:
        return bytes(self.data[offset : offset + size])

    def write(self, offset: int, data: bytes) -> None:
        self.data[offset : offset + len(data)] = data


class Opened(File):
    def __init__(self, data: Bytes) -> None:
        super().__init__()
        self._data = data

    def source(self) -> Source:
        return self._data

    def stat(self) -> Stat:
        raise AssertionError("no test asks")


@pytest.fixture
def guest(load: Load) -> Process:
    return load(GUEST)


def _open(process: Process, data: bytes) -> tuple[int, Bytes]:
    source = Bytes(data)
    return process.kernel.context.files.add(Opened(source)), source


def _map(process: Process, where: int, size: int, rights: int, kind: int, fd: int = -1) -> None:
    made = process.call("sys", MMAP, where, size, rights, kind | FIXED, fd)
    assert made.result == where


def _sys(process: Process, number: int, *args: int) -> int:
    return process.call("sys", number, *args).result


def _returning(value: int) -> bytes:
    """mov eax, value; ret."""
    return b"\xb8" + value.to_bytes(4, "little") + b"\xc3"


# Files


def test_a_file_is_read_page_by_page_and_ends_in_zeros(guest: Process) -> None:
    fd, _ = _open(guest, b"a" * PAGE + b"b" * 9)
    _map(guest, AT, 2 * PAGE, READ, PRIVATE, fd)
    assert guest.call("read", AT).result == int.from_bytes(b"a" * 8, "little")
    assert guest.call("read", AT + PAGE + 2).result == int.from_bytes(b"b" * 7 + b"\0", "little")
    assert list(guest.memory.touched(AT, AT + 2 * PAGE)) == [(AT, AT + 2 * PAGE)]


def test_a_private_mapping_keeps_its_writes_to_itself(guest: Process) -> None:
    fd, source = _open(guest, bytes(PAGE))
    _map(guest, AT, PAGE, READ | WRITE, PRIVATE, fd)
    guest.call("read", AT)
    guest.call("write", AT, 5)
    assert guest.call("read", AT).result == 5
    assert source.data == bytes(PAGE)
    _sys(guest, MADVISE, AT, PAGE, DONTNEED)
    assert guest.call("read", AT).result == 0


@pytest.mark.parametrize("how", ["msync", "munmap", "close", "asked"])
def test_a_shared_mapping_brings_its_writes_to_the_file(load: Load, how: str) -> None:
    with Process(guests.image(GUEST)) as process:
        fd, source = _open(process, bytes(PAGE + 4))
        _map(process, AT, 2 * PAGE, READ | WRITE, SHARED, fd)
        process.call("write", AT, 5)
        process.call("write", AT + PAGE, 0x0607_0809_0A0B_0C0D)
        assert source.data[0] == 0
        if how == "msync":
            assert _sys(process, MSYNC, AT, 2 * PAGE, SYNC) == 0
        elif how == "munmap":
            _sys(process, MUNMAP, AT, 2 * PAGE)
        elif how == "asked":
            process.kernel.space.write_back(source)
            assert source.data[0] == 5
            process.call("write", AT, 6)
            process.kernel.space.write_back(source)
            assert source.data[0] == 6, "also what is written after the first time"
            process.call("write", AT, 5)
    assert source.data == b"\x05" + bytes(PAGE - 1) + bytes.fromhex("0d0c0b0a")


def test_all_views_of_a_file_agree(guest: Process) -> None:
    fd, source = _open(guest, bytes(PAGE))
    _map(guest, AT, PAGE, READ | WRITE, SHARED, fd)
    _map(guest, ELSEWHERE, PAGE, READ, SHARED, fd)
    _map(guest, ELSEWHERE + PAGE, PAGE, READ | WRITE, PRIVATE, fd)
    views = (AT, ELSEWHERE, ELSEWHERE + PAGE)
    for value in (1, 2):
        guest.call("write", AT, value)
        assert [guest.call("read", view).result for view in views] == [value] * 3
    guest.kernel.context.user.write(AT, bytes([3]))
    assert [guest.call("read", view).result for view in views] == [3] * 3
    source.data[0] = 4
    guest.kernel.space.reread(source)
    assert [guest.call("read", view).result for view in views] == [4] * 3
    guest.call("write", ELSEWHERE + PAGE, 9)
    guest.call("write", AT, 5)
    assert [guest.call("read", view).result for view in views] == [5, 5, 9]


def test_behind_the_end_of_a_file_is_another_fault_than_where_nothing_is(guest: Process) -> None:
    fd, _ = _open(guest, b"a")
    _map(guest, AT, 2 * PAGE, READ | WRITE, PRIVATE, fd)
    space = guest.kernel.space
    with pytest.raises(GuestFault):
        guest.call("read", AT + PAGE)
    assert space.beyond_file(AT + PAGE)
    assert not space.beyond_file(AT)
    assert not space.beyond_file(AT + 2 * PAGE)


def test_a_file_that_was_cut_takes_private_copies_with_it(guest: Process) -> None:
    fd, source = _open(guest, b"a" * 2 * PAGE)
    _map(guest, AT, 2 * PAGE, READ | WRITE, PRIVATE, fd)
    guest.call("write", AT, 1)
    guest.call("write", AT + PAGE, 1)
    del source.data[PAGE:]
    guest.kernel.space.reread(source)
    assert guest.call("read", AT).result & 0xFF == 1
    with pytest.raises(GuestFault):
        guest.call("read", AT + PAGE)


# Code


def test_code_of_a_file_runs_and_other_code_at_its_place_runs_next(guest: Process) -> None:
    for value in (1, 2, 3):
        fd, _ = _open(guest, _returning(value))
        _map(guest, AT, PAGE, READ | EXECUTE, PRIVATE, fd)
        assert guest.call("run", AT).result == value


def test_code_unmapped_without_rights_is_forgotten_too(guest: Process) -> None:
    for value in (1, 2):
        fd, _ = _open(guest, _returning(value))
        _map(guest, AT, PAGE, READ | EXECUTE, PRIVATE, fd)
        assert guest.call("run", AT).result == value
        _sys(guest, MPROTECT, AT, PAGE, NONE)
        _sys(guest, MUNMAP, AT, PAGE)


def test_code_of_a_file_that_changes_itself_runs_as_it_is_now(guest: Process) -> None:
    fd, source = _open(guest, _returning(1))
    _map(guest, AT, PAGE, READ | WRITE | EXECUTE, PRIVATE, fd)
    assert guest.call("run", AT).result == 1
    guest.call("write", AT, int.from_bytes(_returning(2), "little"))
    assert guest.call("run", AT).result == 2
    assert source.data == _returning(1)


def test_code_written_in_one_view_runs_in_another(guest: Process) -> None:
    _map(guest, AT, PAGE, READ | WRITE, SHARED | ANONYMOUS)
    assert _sys(guest, MREMAP, AT, 0, PAGE, MAY_MOVE_FIXED, ELSEWHERE) == ELSEWHERE
    _sys(guest, MPROTECT, ELSEWHERE, PAGE, READ | EXECUTE)
    for value in (1, 2):
        guest.call("write", AT, int.from_bytes(_returning(value), "little"))
        assert guest.call("run", ELSEWHERE).result == value
    guest.kernel.context.user.write(AT, _returning(3))
    assert guest.call("run", ELSEWHERE).result == 3


def test_code_that_runs_in_both_views_is_as_it_was_written_last(guest: Process) -> None:
    _map(guest, AT, PAGE, READ | WRITE | EXECUTE, SHARED | ANONYMOUS)
    assert _sys(guest, MREMAP, AT, 0, PAGE, MAY_MOVE_FIXED, ELSEWHERE) == ELSEWHERE
    for value, writer in ((1, AT), (2, ELSEWHERE), (3, AT), (4, AT), (5, ELSEWHERE)):
        guest.call("read", AT)
        guest.call("write", writer, int.from_bytes(_returning(value), "little"))
        assert [guest.call("run", view).result for view in (AT, ELSEWHERE)] == [value, value]


def test_code_that_the_kernel_reads_anew_runs_as_it_is_now(guest: Process) -> None:
    fd, source = _open(guest, _returning(1))
    _map(guest, AT, PAGE, READ | EXECUTE, PRIVATE, fd)
    assert guest.call("run", AT).result == 1
    source.data[:] = _returning(2)
    guest.kernel.space.reread(source)
    assert guest.call("run", AT).result == 2


def test_code_that_moved_runs_at_its_new_place_and_not_at_the_old(guest: Process) -> None:
    _map(guest, AT, PAGE, READ | WRITE | EXECUTE, PRIVATE | ANONYMOUS)
    guest.call("write", AT, int.from_bytes(_returning(1), "little"))
    assert guest.call("run", AT).result == 1
    assert _sys(guest, MREMAP, AT, PAGE, PAGE, MAY_MOVE_FIXED, ELSEWHERE) == ELSEWHERE
    assert guest.call("run", ELSEWHERE).result == 1
    with pytest.raises(GuestFault):
        guest.call("run", AT)


# Moving and growing


def test_contents_move_across_windows_with_their_mapping(guest: Process) -> None:
    far = (1 << 40) - PAGE
    _map(guest, AT, 3 * PAGE, READ | WRITE, PRIVATE | ANONYMOUS)
    guest.call("write", AT, 1)
    guest.call("write", AT + 2 * PAGE, 3)
    assert _sys(guest, MREMAP, AT, 3 * PAGE, 3 * PAGE, MAY_MOVE_FIXED, far) == far
    assert [guest.call("read", far + page * PAGE).result for page in range(3)] == [1, 0, 3]
    _map(guest, AT, 3 * PAGE, READ | WRITE, PRIVATE | ANONYMOUS)
    assert [guest.call("read", AT + page * PAGE).result for page in range(3)] == [0, 0, 0]


def test_a_region_grows_down_to_where_it_is_touched(guest: Process) -> None:
    _map(guest, AT, PAGE, READ | WRITE, PRIVATE | ANONYMOUS | GROWS_DOWN)
    guest.call("write", AT - 5 * PAGE, 7)
    region = guest.kernel.space.at(AT)
    assert region is not None
    assert region.start == AT - 5 * PAGE
    with pytest.raises(GuestFault):
        guest.call("write", AT + PAGE - STACK_SIZE - PAGE, 7)


def test_the_stack_ends_where_it_may(guest: Process) -> None:
    with pytest.raises(GuestFault):
        guest.call("write", STACK_TOP - STACK_SIZE - 8, 7)


# Limits


def test_pages_that_are_only_read_are_not_touched(load: Load) -> None:
    source = GUEST + "\n scan: mov rax, [rdi]\n add rdi, 4096\n dec rsi\n jnz scan\n ret"
    process = load(source, limits=Limits(touched=100 * PAGE))
    _map(process, AT, 1000 * PAGE, READ | WRITE, PRIVATE | ANONYMOUS)
    process.call("scan", AT, 1000)
    assert list(process.memory.touched(AT, AT + 1000 * PAGE)) == []
    _sys(process, MPROTECT, AT, 1000 * PAGE, NONE)
    with pytest.raises(GuestFault):
        process.call("read", AT)


@pytest.mark.parametrize("kind", [PRIVATE, SHARED])
def test_what_the_kernel_touches_counts_as_well(load: Load, kind: int) -> None:
    process = load(GUEST, limits=Limits(touched=100 * PAGE))
    with pytest.raises(MemorySpent):
        _map(process, AT, 200 * PAGE, READ | WRITE, kind | ANONYMOUS | POPULATE)


def test_what_the_kernel_writes_counts_as_well(load: Load) -> None:
    process = load(GUEST, limits=Limits(touched=100 * PAGE))
    _map(process, AT, 200 * PAGE, READ | WRITE, PRIVATE | ANONYMOUS)
    with pytest.raises(TooMuchTouched):
        process.kernel.context.user.write(AT, bytes(200 * PAGE))
    assert len(list(process.memory.resident(AT, AT + 200 * PAGE))) < 100


def test_memory_that_was_given_back_may_be_taken_again(load: Load) -> None:
    process = load(GUEST, limits=Limits(touched=100 * PAGE))
    for kind in (PRIVATE, SHARED) * 5:
        _map(process, AT, 60 * PAGE, READ | WRITE, kind | ANONYMOUS | POPULATE)
        assert process.call("read", AT).result == 0
        process.call("write", AT, 5)


def test_a_limit_may_change_while_the_process_runs(guest: Process) -> None:
    guest.kernel.space.limits = Limits(address_space=guest.kernel.space.size)
    failed = _sys(guest, MMAP, 0, PAGE, READ, PRIVATE | ANONYMOUS, -1)
    assert failed == -ENOMEM % (1 << 64)
