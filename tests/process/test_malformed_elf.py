"""Every field of an ELF file's headers, broken in turn: Linux and we run the same files."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from emu.errors import GuestDied
from emu.process.program import Program
from syscalls.elf import BadElf
from syscalls.execve import Bytes, Executable

_SOURCE = r"""
.intel_syntax noprefix
.globl _start
_start: lea rax, [rip + room]
        cmp qword ptr [rax + 8000], 0
        jne bad
        mov byte ptr [rax], 1
        mov eax, 1
        mov edi, 1
        lea rsi, [rip + text]
        mov edx, 3
        syscall
        mov rdi, [rip + status]
        mov eax, 231
        syscall
bad:    ud2
.section .rodata
text:   .ascii "hi\n"
.data
status: .quad 7
.bss
room:   .zero 9000
.section .note.GNU-stack
"""
_FIELDS = (
    ("type", 16, "H"), ("machine", 18, "H"), ("version", 20, "I"), ("entry", 24, "Q"),
    ("table", 32, "Q"), ("sections", 40, "Q"), ("flags", 48, "I"), ("header size", 52, "H"),
    ("entry size", 54, "H"), ("entries", 56, "H"), ("section size", 58, "H"),
    ("section count", 60, "H"),
)  # fmt: skip
_SEGMENT_FIELDS = (
    ("type", 0, "I"), ("flags", 4, "I"), ("offset", 8, "Q"), ("address", 16, "Q"),
    ("physical", 24, "Q"), ("file size", 32, "Q"), ("memory size", 40, "Q"), ("alignment", 48, "Q"),
)  # fmt: skip
_VALUES = (0, 1, 2, 3, 6, 7, 0x38, 0x1000, 0x7FFF, 0xFFFF, 1 << 31, 1 << 46, 1 << 47, (1 << 64) - 1)
_CHANGES = (1, -1, 4096, -4096, 8)
_TABLE_AT = 64


def _made(folder: Path, way: str) -> bytes:
    (folder / "hi.s").write_text(_SOURCE)
    subprocess.run(["gcc", "-nostdlib", way, "-o", folder / "hi", folder / "hi.s"], check=True)
    return (folder / "hi").read_bytes()


def _mutants(data: bytes) -> Iterator[tuple[str, bytes]]:
    entries = struct.unpack_from("<H", data, 56)[0]
    places = [(name, at, size) for name, at, size in _FIELDS]
    for index in range(entries):
        start = _TABLE_AT + 56 * index
        places += [(f"segment {index} {name}", start + at, size)
                   for name, at, size in _SEGMENT_FIELDS]  # fmt: skip
    for name, at, size in places:
        (now,) = struct.unpack_from(f"<{size}", data, at)
        most = (1 << 8 * struct.calcsize(size)) - 1
        values = {v & most for v in (*_VALUES, *(now + change for change in _CHANGES))} - {now}
        for value in sorted(values):
            mutant = bytearray(data)
            struct.pack_into(f"<{size}", mutant, at, value)
            yield f"{name} = {value:#x}", bytes(mutant)


def _on_linux(data: bytes, place: Path) -> tuple[str, bytes]:
    place.write_bytes(data)
    place.chmod(0o755)
    try:
        done = subprocess.run([place], capture_output=True, timeout=20, check=False)
    except OSError as error:
        return f"errno {error.errno}", b""
    return f"status {done.returncode}", done.stdout


def _here(data: bytes) -> tuple[str, bytes]:
    with Program(budget=100_000) as program:
        try:
            program.load(Executable("hi", Bytes(data)), [b"hi"])
            ended = program.play()
        except BadElf:
            return "refused", b""
        except GuestDied as died:
            return died.outcome, b""
        output = program.kernel.output(1)
    return f"status {-ended.signal if ended.signal else ended.exit_status}", output


def _agree(theirs: tuple[str, bytes], ours: tuple[str, bytes]) -> bool:
    """What Linux refuses, or kills while it loads it, is refused here."""
    if ours[0] == "refused":
        killed = {f"status {-signal.SIGSEGV}", f"status {-signal.SIGKILL}"}
        return theirs[0].startswith("errno") or theirs[0] in killed
    return ours == theirs


@pytest.mark.parametrize("way", ["-static", "-static-pie"])
def test_linux_and_we_run_the_same_broken_files(way: str, tmp_path: Path) -> None:
    data = _made(tmp_path, way)
    assert _on_linux(data, tmp_path / "hi") == _here(data) == ("status 7", b"hi\n")
    differences = []
    ran = refused = 0
    for number, (what, mutant) in enumerate(_mutants(data)):
        theirs, ours = _on_linux(mutant, tmp_path / f"hi{number}"), _here(mutant)
        os.unlink(tmp_path / f"hi{number}")
        ran += ours == ("status 7", b"hi\n")
        refused += ours[0] == "refused"
        if not _agree(theirs, ours):
            differences.append((what, theirs, ours))
    assert differences == []
    assert ran > 100
    assert refused > 50


@pytest.mark.parametrize("size", [0, 1, 4, 63, 64, 100, 300])
def test_a_file_that_ends_too_early_is_refused(size: int, tmp_path: Path) -> None:
    sound = _made(tmp_path, "-static")
    with Program() as program, pytest.raises(BadElf):
        program.load(Executable("hi", Bytes(sound[:size])), [b"hi"])
