"""A program in its process: what it finds when it starts."""

from __future__ import annotations

import struct

from emu.process import cpuid
from emu.process.program import Program
from syscalls.execve import HARDWARE, Bytes, Executable
from syscalls.initial_stack import STACK_TOP

_CODE = bytes.fromhex("b83c000000 31ff 0f05")  # exit(0)
_BASE, _HEADERS = 0x40_0000, 64 + 56


def _tiny() -> Bytes:
    """The smallest program: a header, a segment, three instructions."""
    size = _HEADERS + len(_CODE)
    magic = b"\x7fELF\2\1\1"
    header = struct.pack("<16sHHIQQQ", magic, 2, 62, 1, _BASE + _HEADERS, 64, 0)
    header += struct.pack("<IHHHHHH", 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, _BASE, _BASE, size, size, 4096)
    return Bytes(header + segment + _CODE)


def _words(program: Program, address: int, count: int) -> list[int]:
    return list(struct.unpack(f"<{count}Q", program.memory.read(address, 8 * count)))


def _text(program: Program, address: int) -> bytes:
    return program.memory.read(address, 64).split(b"\0")[0]


def test_the_stack_holds_what_the_abi_says() -> None:
    with Program() as program:
        program.load(Executable("tiny", _tiny()), [b"tiny", b"one"], [b"A=1", b"B=2", b"C=3"])
        top = program.cpu.get("rsp")
        assert top % 16 == 0
        argc, one, two, end, *rest = _words(program, top, 8 + 2 * 20)
        assert (argc, end) == (2, 0)
        assert [_text(program, place) for place in (one, two)] == [b"tiny", b"one"]
        assert [_text(program, place) for place in rest[:3]] == [b"A=1", b"B=2", b"C=3"]
        assert rest[3] == 0
        vector = dict(zip(rest[4::2], rest[5::2], strict=True))
        assert vector[3] == _BASE + 64  # AT_PHDR
        assert (vector[4], vector[5], vector[6]) == (56, 1, 4096)
        assert (vector[7], vector[9]) == (0, _BASE + _HEADERS)
        assert _text(program, vector[31]) == b"tiny"
        assert _text(program, vector[15]) == b"x86_64"
        assert len(program.memory.read(vector[25], 16)) == 16
        assert vector[31] + len(b"tiny\0") == STACK_TOP - 8
        assert program.play().status == 0


def test_the_vector_shows_what_cpuid_shows() -> None:
    shown = cpuid.answer(cpuid.FEATURES, 0)
    assert shown is not None
    assert shown[3] == HARDWARE
