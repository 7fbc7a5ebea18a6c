"""Whatever is wrong with a source is an AssemblyError, with its place and a reason."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from threading import Timer

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from asm.assembler import assemble
from asm.errors import AssemblyError


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("nop\nfrobnicate rax\nret", 2, "invalid mnemonic"),
        ("nop\nmov rax, xmm0, 5", 2, "invalid operand"),
        ("mov al, rbx", 1, "invalid operand"),
        ("nop\n\n# text\nadd rax", 4, "says Keystone"),
        ("mov rax, NOTHING", 1, "undefined name `NOTHING`"),
        ("jmp nowhere", 1, "undefined name `nowhere`"),
        ("mov rax, [rip + nothing]", 1, "undefined name `nothing`"),
        ("f: nop\ng: nop\nf: ret", 3, "`f` is defined already, at main.s:1"),
        ("a: b: a: nop", 1, "defined already"),
        ("rax: nop", 1, "`rax` is a register"),
        (".frob 5", 1, "unknown directive `.frob`"),
        ("nop\n.macro m\nnop\nnop", 2, "`.endm` is missing"),
        (".rept 2\nnop", 1, "`.endr` is missing"),
        (".if 1\nnop\n.else\nnop", 1, "`.endif` is missing"),
        (".endm", 1, "closes nothing"),
        ("nop\n.else", 2, "closes nothing"),
        (".if 1\n.endr\n.endif", 2, "closes nothing"),
        (".if 1\n.data\n.endif", 2, "cannot stand inside a block"),
        (".macro 5\n.endm", 1, "a name is expected"),
        (".macro m\n.macro n\n.endm\n.endm", 2, "inside another"),
        (".macro m\n.endm\n.macro m\n.endm", 3, "there already"),
        (".include other.s", 1, "quotes"),
        ('nop\n.include "nothing.s"', 2, "no such file"),
        ('.include "main.s"', 1, "circle"),
        (".macro m\nfrobnicate\n.endm\nnop\nm", 5, "invalid mnemonic"),
        (".macro m x\nmov rax, \\x\n.endm\nm nothing", 2, "undefined name"),
    ],
)
def test_an_error_has_its_place_and_a_reason(program, text: str, line: int, reason: str) -> None:
    with pytest.raises(AssemblyError) as error:
        program(text)
    assert (error.value.file, error.value.line) == ("main.s", line)
    assert error.value.source == text.split("\n")[line - 1]
    assert reason in error.value.reason


def test_an_error_is_shown_with_its_line_below() -> None:
    error = AssemblyError("main.s", 3, "        mov rax, nothing  # text", "undefined name")
    assert str(error) == "main.s:3: undefined name\n    mov rax, nothing  # text"


def test_an_error_in_an_included_file_names_that_file(program) -> None:
    with pytest.raises(AssemblyError) as error:
        program('nop\n.include "other.s"', **{"other.s": "nop\nfrobnicate"})
    assert (error.value.file, error.value.line) == ("other.s", 2)


def test_two_files_that_include_each_other_are_a_circle(program) -> None:
    others = {"one.s": 'nop\n.include "two.s"', "two.s": '.include "one.s"'}
    with pytest.raises(AssemblyError, match="circle") as error:
        program('.include "one.s"', **others)
    assert (error.value.file, error.value.line) == ("two.s", 1)


def test_an_error_after_a_thousand_lines_is_still_found(program) -> None:
    with pytest.raises(AssemblyError) as error:
        program(".macro m\nnop\n.endm\n.equ A, 5\n" + "m\nmov eax, A\n" * 500 + "frobnicate\nret")
    assert (error.value.line, error.value.source) == (1005, "frobnicate")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: None, "no such file or directory"),
        (lambda path: path.mkdir(), "is a directory"),
        (lambda path: path.write_bytes(b"nop\n\xff\xfe"), "byte 4 is not UTF-8"),
    ],
    ids=["missing", "directory", "binary"],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, monkeypatch, make, reason: str) -> None:
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "some.s")
    with pytest.raises(AssemblyError, match=reason) as error:
        assemble(tmp_path / "some.s")
    assert (error.value.file, error.value.line) == ("some.s", 0)


def test_a_file_without_permission_is_named(tmp_path: Path, monkeypatch) -> None:
    def denied(*_: object, **__: object) -> str:  # root may read everything
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    (tmp_path / "some.s").write_text("nop")
    monkeypatch.setattr(Path, "read_text", denied)
    with pytest.raises(AssemblyError, match="permission denied"):
        assemble(tmp_path / "some.s")


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", ".text", ".data", ".equ A, 5", "f:"])
def test_a_program_without_a_byte_is_a_program(program, text: str) -> None:
    assert program(text).segments[0].data == b""


# Junk

WORDS = st.sampled_from(
    "mov rax [ ] , + - * 8 0x10 qword ptr rip : ; # ' \" ( ) \\ \\x @ $ .1 $1 . % ! == "
    "label: label .quad .byte .zero .text .data .if .else .endif .rept .endr .macro .endm .equ "
    ".set .p2align .include .ascii .globl .org .section lock rep jmp call st(0) ah r8 xmm0 0 -1 "
    "1.5 0b1 08 18446744073709551616 é , , [ ] + -".split()
)
JUNK = st.one_of(
    st.lists(WORDS, max_size=6).map(" ".join),
    st.lists(WORDS, max_size=6).map("".join),
    st.text(max_size=12),
    st.text(st.characters(codec="ascii"), max_size=20),
)

GUESS = """
import sys, json
from pathlib import Path
from asm.assembler import assemble
from asm.errors import AssemblyError
for number, text in enumerate(json.load(sys.stdin)):
    print(number, flush=True)
    program, lines = Path(sys.argv[1]), len((text + "x").splitlines())
    program.write_text(text, encoding="utf-8", errors="replace", newline="")
    try:
        assemble(program)
    except AssemblyError as error:
        assert error.reason and (error.line == 0 or 1 <= error.line <= lines)
        assert error.line or "UTF-8" in error.reason or "Keystone" in error.reason
print("done")
"""


@settings(max_examples=10, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(st.lists(st.lists(JUNK, min_size=1, max_size=3).map("\n".join), min_size=50, max_size=200))
def test_junk_is_refused_and_no_process_ends_of_it(tmp_path_factory, texts: list[str]) -> None:
    """In a process of its own, since Keystone has inputs that end it or never return."""
    program = tmp_path_factory.mktemp("junk") / "junk.s"
    with subprocess.Popen(
        [sys.executable, "-c", GUESS, str(program)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        watch = Timer(20, process.kill)
        watch.start()
        out, errors = process.communicate(json.dumps(texts))
        watch.cancel()
    reached = out.split()[-1]
    assert reached == "done", f"{texts[int(reached)]!r}\n{errors}"
