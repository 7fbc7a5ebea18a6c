"""The memory trace: against a witness that has no memory hook, and against memory itself."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings

sys.path.append(str(Path(__file__).parent.parent / "process"))

import accessing
import guests
from witness import Free, Seen, Witness

from emu.errors import GuestDied
from emu.process import access_probe, machine_counter
from emu.process.access_probe import MachineAccessProbe, PythonAccessProbe
from emu.process.machine_counter import MachineCounter
from emu.process.process import Process
from emu.trace.recorder import Recorder
from emu.trace.trace import Trace


def _process(source: str) -> Process:
    """With random bytes in its buffer."""
    process = Process(guests.image(source))
    start = process.image.symbols["buffer"]
    size = process.image.segments[1].address + len(process.image.segments[1].data) - start
    process.memory.write(start, Random(7).randbytes(size))
    return process


def _recorded(source: str, *, fs_base: int = 0) -> Trace:
    with _process(source) as process:
        process.cpu.set("fs_base", fs_base)
        recorder = Recorder(process, accesses=True)
        try:
            with recorder:
                process.call("f")
        except GuestDied:
            pass
        return recorder.trace


@contextmanager
def _elsewhere() -> Iterator[None]:
    """On a host that does not run our machine code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(platform, "machine", lambda: "aarch64")
        yield


def _seen(trace: Trace) -> list[Seen]:
    accesses = trace.recorded_accesses
    columns = [accesses[name].tolist() for name in ("write", "address", "size", "value")]
    return list(zip(trace.moments.tolist(), *columns, strict=True))


def _compare(source: str) -> None:
    """What was recorded, with what was witnessed: within an instruction, in any order."""
    trace = _recorded(source)
    with _process(source) as process:
        witness = Witness(process)
        witness.call("f")
    assert trace.addresses().tolist() == [before["rip"] for before in witness.registers]
    assert (np.diff(trace.moments) >= 0).all()
    recorded = _seen(trace)
    assert sorted(one for one in recorded if one[0] not in witness.free) == sorted(witness.seen)
    for moment, free in witness.free.items():
        _compare_free(free, [one for one in recorded if one[0] == moment])


def _compare_free(free: Free, recorded: list[Seen]) -> None:
    """All lies where it must, and tells all that was changed."""
    told = bytearray(free.before)
    assert recorded or free.before == free.after
    for _, write, start, size, value in recorded:
        at = start - free.start
        assert write == free.writes
        assert 0 <= at <= len(told) - size
        data = value.to_bytes(size, "little")
        if write:
            told[at : at + size] = data
        assert told[at : at + size] == data
    assert bytes(told) == free.after


# Against the witness


@pytest.mark.parametrize("line", accessing.ALONE)
def test_each_instruction_reads_and_writes_what_the_record_says(line: str) -> None:
    _compare(accessing.alone(line))


@given(accessing.returning)
@settings(max_examples=40, deadline=None)
def test_every_access_is_in_the_trace(source: str) -> None:
    _compare(source)


@given(accessing.faulting)
@settings(max_examples=40, deadline=None)
def test_what_a_faulting_instruction_began_is_not_in_the_trace(source: str) -> None:
    _compare(source)


@given(accessing.faulting | accessing.returning)
@settings(max_examples=40, deadline=None)
def test_on_other_hosts_the_records_are_the_same(source: str) -> None:
    expected = _recorded(source)
    with _elsewhere():
        found = _recorded(source)
    assert np.array_equal(found.recorded_accesses, expected.recorded_accesses)
    assert np.array_equal(found.moments, expected.moments)


def test_each_host_has_its_probe() -> None:
    if platform.machine() != "x86_64":
        pytest.skip("no x86-64 host")
    source = "f: ret\n.data\nbuffer: .zero 16"
    with _process(source) as process, Recorder(process, accesses=True):
        assert type(process.cpu.probes.accesses) is MachineAccessProbe
    with _elsewhere(), _process(source) as process, Recorder(process, accesses=True):
        assert type(process.cpu.probes.accesses) is PythonAccessProbe


# Against memory


@pytest.mark.parametrize("size", ["qword", "dword", "word"])
def test_what_movbe_turns_round_is_told_as_it_stands_in_memory(size: str) -> None:
    register = {"qword": "rdx", "dword": "edx", "word": "dx"}[size]
    source = f"""
    f: movabs rdx, 0x0102030405060708
    movbe {size} ptr [rip + buffer], {register}
    movbe {register}, {size} ptr [rip + buffer]
    ret
    .data
    buffer: .zero 16"""
    with _process(source) as process, Recorder(process, accesses=True) as recorder:
        process.call("f")
        start = process.image.symbols["buffer"]
        stands = [one[1:] for one in _seen(recorder.trace) if one[2] == start]
        length = stands[0][2]
        value = int.from_bytes(process.memory.read(start, length), "little")
    assert stands == [(True, start, length, value), (False, start, length, value)]


@given(accessing.returning)
@settings(max_examples=20, deadline=None)
def test_what_was_written_one_after_the_other_makes_the_memory_of_the_end(source: str) -> None:
    with _process(source) as process:
        start = process.image.symbols["buffer"]
        told = bytearray(process.memory.read(start, accessing.ROOM))
        with Recorder(process, accesses=True) as recorder:
            process.call("f")
        for _, write, address, size, value in _seen(recorder.trace):
            at = address - start
            if write and 0 <= at < accessing.ROOM:
                told[at : at + size] = value.to_bytes(size, "little")
            elif 0 <= at < accessing.ROOM:
                assert told[at : at + size] == value.to_bytes(size, "little")
        assert bytes(told) == process.memory.read(start, accessing.ROOM)


def test_a_segment_base_is_part_of_the_address() -> None:
    code = guests.raw(bytes.fromhex("64488b0425100000006448890425 18000000"))
    source = f"f: {code}\nret\n.data\nbuffer: .zero 4096"
    with _process(source) as process:
        base = process.image.symbols["buffer"]
    (_, write, read_at, *read), (_, wrote, written_at, *written), _ = _seen(
        _recorded(source, fs_base=base)
    )
    assert (write, read_at, wrote, written_at) == (False, base + 16, True, base + 24)
    assert read == written


def test_reads_stand_before_writes() -> None:
    source = (
        "f: lea rdi, [rip + buffer]\nlea rsi, [rip + buffer + 4090]\nadd [rdi], rax\nmovsq\n"
        "push qword ptr [rsi]\npop qword ptr [rsi]\nlock xadd [rdi], rax\nret\n.data\n"
        "buffer: .zero 8192"
    )
    kinds = [write for _, write, *_ in _seen(_recorded(source))]
    assert kinds == [False, True] * 5 + [False]


def test_two_instructions_of_vectors_read_16_bytes_where_a_real_cpu_reads_8() -> None:
    """So does the engine: bytes behind the operand are in the record, as reads."""
    for name in ("cvtps2pd", "cvtdq2pd"):
        source = f"f: {name} xmm0, qword ptr [rip + buffer]\nret\n.data\nbuffer: .zero 64"
        sizes = [(write, size) for _, write, _, size, _ in _seen(_recorded(source))]
        assert sizes == [(False, 8)] * 3


# Nothing is lost, and nothing stays


_FXSAVES = (
    "f: lea rdi, [rip + buffer]\nmov ecx, 9\n.Lturn:\n" + "fxsave [rdi]\n" * 509 + "dec ecx\n"
    "jnz .Lturn\nret\n.data\n.p2align 12\nbuffer: .zero 4096"
)
_COPIES = (
    "f: lea rdi, [rip + buffer]\nlea rsi, [rip + buffer + 4096]\nmov ecx, {times}\nrep movsb\n"
    "ret\n.data\n.p2align 12\nbuffer: .zero {room}"
)


def test_a_block_of_the_largest_saves_fits_behind_the_mark() -> None:
    trace = _recorded(_FXSAVES)
    kept = np.bincount(trace.moments)
    saves = kept[2 : 2 + 509]
    assert len(set(saves.tolist())) == 1
    assert 509 * saves[0] > 25_000
    assert len(trace.recorded_accesses) == 9 * 509 * saves[0] + 1
    moments = 2 + np.arange(9)[:, None] * 511 + np.arange(509)
    assert np.array_equal(trace.moments[:-1], np.repeat(moments.ravel(), saves[0]))


def test_a_copy_of_a_megabyte_is_there_byte_by_byte() -> None:
    times, room = 1 << 20, (1 << 20) + 4096
    source = _COPIES.format(times=times, room=room)
    with _process(source) as process:
        start = process.image.symbols["buffer"]
        before = process.memory.read(start, room)
    accesses = _recorded(source).recorded_accesses[:-1]
    assert len(accesses) == 2 * times
    reads, writes = accesses[0::2], accesses[1::2]
    assert not reads["write"].any()
    assert writes["write"].all()
    assert np.array_equal(writes["address"], start + np.arange(times, dtype=np.uint64))
    assert np.array_equal(reads["address"], writes["address"] + np.uint64(4096))
    assert np.array_equal(writes["value"], reads["value"])
    assert bytes(reads["value"].astype(np.uint8)) == before[4096:]


@given(accessing.returning | accessing.faulting)
@settings(max_examples=30, deadline=None)
def test_with_little_room_nothing_is_lost(source: str) -> None:
    expected = _recorded(source)
    for room, slice_ in ((1, 600), (7, 1 << 19), (1 << 17, 513)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(access_probe, "_ROOM", room)
            patch.setattr(machine_counter, "RECORDED_SLICE", slice_)
            found = _recorded(source)
        assert np.array_equal(found.entries, expected.entries)
        assert np.array_equal(found.recorded_accesses, expected.recorded_accesses)


def test_after_recording_blocks_count_in_line_again_and_no_access_is_told() -> None:
    if platform.machine() != "x86_64":
        pytest.skip("no x86-64 host")
    turn = "push rcx\npop rcx\ndec ecx\njnz .Lturn"
    source = f"f: mov ecx, 9\n.Lturn: {turn}\nret\n.data\nbuffer: .zero 16"
    with _process(source) as process:
        counter = process.cpu.counter
        assert isinstance(counter, MachineCounter)
        process.call("f")
        inlined = counter.inlined
        with Recorder(process, accesses=True) as recorder:
            process.call("f")
            assert counter.inlined == inlined
        told = len(recorder.trace.recorded_accesses)
        assert told == 2 * 9 + 1
        process.call("f")
        assert counter.inlined == 2 * inlined
        assert len(recorder.trace.recorded_accesses) == told
