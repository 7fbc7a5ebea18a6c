"""The text for Tenet, read back by a reader of its own, tells what the program did."""

from __future__ import annotations

import io
import re
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path += [str(Path(__file__).parent.parent / name) for name in ("process", "trace")]

import accessing
import guests
from witness import Witness

from emu import Heap
from emu.errors import GuestDied, InputError
from emu.process.event import SystemCalled, Wrote
from emu.process.process import Process
from emu.report.export.tenet import tenet
from emu.trace.recorder import Recorder
from emu.trace.trace import Trace
from syscalls import SystemCall

export = sys.modules["emu.report.export.tenet"]

_NAMES = "RAX RBX RCX RDX RBP RSP RSI RDI R8 R9 R10 R11 R12 R13 R14 R15 RIP".split()
"""What Tenet knows of an AMD64."""


@dataclass
class Reader:
    """As Tenet reads: items between commas, names in either case, numbers base 16."""

    registers: dict[str, int] = field(default_factory=dict)
    memory: dict[int, int] = field(default_factory=dict)

    def take(self, line: str) -> None:
        """A line: all that was read must be what memory is known to have."""
        for item in line.split(","):
            name, value = item.split("=")
            if name.upper() in _NAMES:
                assert re.fullmatch("0x[0-9a-f]+", value)
                self.registers[name.upper()] = int(value, 16)
            else:
                self._access(name.upper(), *value.split(":"))

    def _access(self, kind: str, start: str, digits: str) -> None:
        assert kind in ("MR", "MW")
        for address, byte in enumerate(bytes.fromhex(digits), int(start, 16)):
            if kind == "MR":
                assert self.memory.setdefault(address, byte) == byte
            self.memory[address] = byte


def _text(trace: Trace) -> str:
    stream = io.StringIO()
    tenet(trace, stream)
    return stream.getvalue()


def _recorded(process: Process) -> Trace:
    recorder = Recorder(process, accesses=True, registers=True)
    try:
        with recorder:
            process.call("f")
    except GuestDied:
        pass
    return recorder.trace


@given(accessing.returning | accessing.faulting, st.sampled_from((1, 2, 100, 1 << 16)))
@settings(max_examples=40, deadline=None)
def test_what_is_read_back_is_what_a_hook_saw(source: str, at_once: int) -> None:
    with Process(guests.image(source)) as process:
        witness = Witness(process)
        witness.call("f")
    with Process(guests.image(source)) as process, pytest.MonkeyPatch.context() as patch:
        patch.setattr(export, "_AT_ONCE", at_once)
        lines = _text(_recorded(process)).splitlines()
        assert len(lines) == len(witness.registers) + 1
        reader = Reader()
        for line, expected in zip(lines[:-1], witness.registers, strict=True):
            reader.take(line)
            assert reader.registers == {name: expected[name.lower()] for name in _NAMES}
        reader.take(lines[-1])
        assert reader.registers == {name: process.cpu.get(name.lower()) for name in _NAMES}
        assert reader.memory
        if process.died:
            return  # a store that faults in its second page has written to the first
        for address, byte in reader.memory.items():
            assert process.memory.read(address, 1)[0] == byte


def test_after_each_call_the_replayed_heap_is_the_heap() -> None:
    """Memory that was touched; at the moment when the call came back."""
    with Heap("osmem") as heap:
        heaps = []
        with heap.trace(accesses=True, registers=True) as recorder:
            payloads = []
            for size in (1000, 24, 200):
                payloads.append(heap.malloc(size))
                heaps.append(heap.memory[heap.start : heap.brk])
            heap.free(payloads[0])
            heaps.append(heap.memory[heap.start : heap.brk])
        start, trace = heap.start, recorder.trace
    lines = _text(trace).splitlines()
    reader = Reader()
    done = touched = 0
    for call, expected in zip(trace.calls, heaps, strict=True):
        for line in lines[done : call.last + 1]:
            reader.take(line)
        done = call.last + 1
        for address, byte in reader.memory.items():
            if start <= address < start + len(expected):
                assert byte == expected[address - start]
                touched += 1
    assert done == len(lines)
    assert touched > 100


def test_a_line_is_what_changed_and_what_was_touched_on_the_way() -> None:
    source = (
        "f: mov eax, 5\nmov [rip + buffer], rax\nmovups xmm0, [rip + buffer]\nnop\nret\n"
        ".data\nbuffer: .quad 1, 0x807060504030201\n"
    )
    with Process(guests.image(source)) as process:
        buffer = process.image.symbols["buffer"]
        lines = _text(_recorded(process)).splitlines()
        out = process.way_out
    assert all(f"{name.lower()}=" in lines[0] for name in _NAMES)
    assert "m" not in lines[0]
    assert lines[1:5] == [
        "rax=0x5,rip=0x400005",
        f"rip=0x40000c,mw={buffer:#x}:0500000000000000",
        f"rip=0x400013,mr={buffer:#x}:05000000000000000102030405060708",
        "rip=0x400014",
    ]
    assert re.fullmatch(rf"rsp=0x\w+,rip={out:#x},mr=0x7fffffffe008:\w{{16}}", lines[5])
    assert len(lines) == 6


def test_what_the_kernel_wrote_is_on_the_line_behind_the_system_call() -> None:
    with Process(guests.image("f: mov eax, 999\nsyscall\nret")) as process:
        trace = _recorded(process)
    (asked,) = trace.of_kind(SystemCalled)
    assert isinstance(asked.call, SystemCall)
    written = replace(asked, effects=(Wrote(0x401000, b"\x01\xff"),))
    events = tuple(written if event is asked else event for event in trace.events)
    lines = _text(replace(trace, events=events)).splitlines()
    assert [line for line in lines if "mw=" in line] == [lines[2]]
    assert lines[2].endswith(",rip=0x400007,mw=0x401000:01ff")


def test_without_accesses_only_registers_are_told() -> None:
    with Process(guests.image("f: push rax\npop rax\nret")) as process:
        with Recorder(process, registers=True) as recorder:
            process.call("f")
        assert "m" not in _text(recorder.trace)


def test_without_registers_there_is_nothing_to_tell() -> None:
    with Process(guests.image("f: ret")) as process:
        with Recorder(process, accesses=True) as recorder:
            process.call("f")
        with pytest.raises(InputError, match="they were not recorded"):
            _text(recorder.trace)
