"""The scenario language: every statement, and an error with line and caret for everything else."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emu.errors import ScenarioError
from emu.scenario import operations as op
from emu.scenario.load import from_text, load

NAMED = "a = malloc 1\n"


def only(text):
    return from_text(text, "x.heap").statements[-1].operation


@pytest.mark.parametrize(
    ("text", "operation"),
    [
        ("a = malloc 1000", op.Malloc("a", 1000)),
        ("a = malloc 0x3e8", op.Malloc("a", 1000)),
        ("a = malloc 2K", op.Malloc("a", 2048)),
        ("a = malloc 3M # comment", op.Malloc("a", 3 << 20)),
        ("a = malloc 1G", op.Malloc("a", 1 << 30)),
        ("a = malloc 0xffffffffffffffff", op.Malloc("a", 2**64 - 1)),
        ("  long_Name2=malloc   7", op.Malloc("long_Name2", 7)),
        ("a = calloc 10 4", op.Calloc("a", 10, 4)),
        ("a = realloc null 10", op.Realloc("a", None, 10)),
        (NAMED + "a = realloc a 2K", op.Realloc("a", "a", 2048)),
        (NAMED + "b = realloc a 0", op.Realloc("b", "a", 0)),
        (NAMED + "free a", op.Free("a")),
        ("free null", op.Free(None)),
        (NAMED + "fill a 0x55", op.Fill("a", 0x55)),
        (NAMED + "write a 8 1 0xff", op.Write("a", 8, b"\x01\xff")),
        (NAMED + "write a -4 0", op.Write("a", -4, b"\0")),
        ("fail mmap 2 ENOMEM", op.Fail("mmap", 2, 12)),
        ("fail mmap 1 4095", op.Fail("mmap", 1, 4095)),
        ("fail mmap 1 1", op.Fail("mmap", 1, 1)),
        (NAMED + "expect a == heap+0x20", op.ExpectPointer("a", True, op.Place("heap", 32))),
        (NAMED + "expect a == map2+32", op.ExpectPointer("a", True, op.Place("map2", 32))),
        (NAMED + "expect a != null", op.ExpectPointer("a", False, None)),
        (NAMED + "expect a == a", op.ExpectPointer("a", True, op.Name("a"))),
        ("expect blocks alloc 8 free 1K", op.ExpectBlocks((("alloc", 8), ("free", 1024)))),
        ("expect blocks", op.ExpectBlocks(())),
        ("expect syscalls brk mmap", op.ExpectSyscalls(("brk", "mmap"))),
        ("expect syscalls", op.ExpectSyscalls(())),
        (
            "expect syscalls brk( heap+0x20 ,1) munmap",
            op.ExpectSyscalls(("brk(heap+0x20, 1)", "munmap")),
        ),
        ("expect errno ENOMEM", op.ExpectErrno(12)),
        ("expect errno 0", op.ExpectErrno(0)),
        ("expect clean", op.ExpectClean()),
        ("nullable = malloc 1\nfree nullable", op.Free("nullable")),
        ("alloc_1 = malloc 1\nfree alloc_1", op.Free("alloc_1")),
        (NAMED + "expect a == heap+010", op.ExpectPointer("a", True, op.Place("heap", 10))),
    ],
)
def test_a_statement_says_what_shall_happen(text, operation):
    assert only(text) == operation


def test_comments_and_empty_lines_say_nothing():
    assert from_text("\n# a comment\n   \n", "x.heap").statements == ()


def test_lines_are_counted_from_one_and_keep_their_text():
    (statement,) = from_text("# about\n\n a = malloc 1 # why\n", "x.heap").statements
    assert (statement.line, statement.text) == (3, "a = malloc 1")


def test_the_comment_at_the_top_is_what_the_scenario_is_about():
    assert (
        from_text("# Reuse:\n# twice.\na = malloc 1\n# more\n", "x.heap").about == "Reuse: twice."
    )


@pytest.mark.parametrize("empty", ["#", "#   ", "#####"])
def test_of_several_paragraphs_the_first_is_what_the_scenario_is_about(empty):
    text = f"{empty}\n# Reuse:\n# twice.\n{empty}\n# How it is run.\na = malloc 1\n"
    assert from_text(text, "x.heap").about == "Reuse: twice."
    assert from_text(f"{empty}\na = malloc 1\n", "x.heap").about == ""


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("a = malloc", 11, "a number"),
        ("a = malloc 12q", 12, "not a number"),
        ("a = malloc 1.5K", 12, "not a number"),
        ("a = malloc -5", 12, "64 bits"),
        ("a = malloc 0x10000000000000000", 12, "64 bits"),
        ("a = malloc 10 20", 15, "end of the line"),
        ("free q", 6, "undefined name `q`"),
        ("frobnicate a", 1, "begins no statement"),
        ("\x1b[31m", 1, "not understood"),
        ("a malloc 5", 1, "begins no statement"),
        ("fail mmap two ENOMEM", 11, "a number"),
        ("fail mmap 0 ENOMEM", 11, "counted from 1"),
        ("fail frob 1 ENOMEM", 6, "unknown system call"),
        ("fail mmap 1 ELEPHANT", 13, "no errno"),
        ("fail mmap 1 0", 13, "no errno"),
        ("fail mmap 1 4096", 13, "1 to 4095"),
        ("fail mmap 1 -1", 13, "64 bits"),
        ("expect errno ELEPHANT", 14, "no errno"),
        ("expect syscalls brk brok(1)", 21, "unknown system call `brok`"),
        (NAMED + "fill a 256", 8, "not a byte"),
        (NAMED + "write a 0", 10, "a number"),
        (NAMED + "expect a = 3", 10, "== or !="),
        (NAMED + "expect a == heap", 13, "undefined name `heap`"),
        ("expect blocks used 3", 15, "alloc or free"),
        ("null = malloc 8", 1, "a word of the language"),
        (" free = malloc 8", 2, "a word of the language"),
        ("a = malloc " + "9" * 5000, 12, "64 bits"),
        (NAMED + "write a 0xffffffffffffffffff 1", 9, "out of reach"),
    ],
)
def test_what_is_no_statement_is_refused_with_its_line_and_a_caret(text, column, words):
    with pytest.raises(ScenarioError) as caught:
        from_text(text, "x.heap")
    error = caught.value
    lines = str(error).splitlines()
    assert lines[0].startswith(f"x.heap:{text.count(chr(10)) + 1}: ")
    assert words in str(error)
    assert lines[2] == " " * (4 + column - 1) + "^"
    assert not any(letter < " " for line in lines for letter in line)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", bytes(range(256))])
def test_binary_junk_is_no_scenario(tmp_path, content):
    (tmp_path / "junk.heap").write_bytes(content)
    with pytest.raises(ScenarioError, match="not UTF-8"):
        load(tmp_path / "junk.heap")


def test_a_missing_file_and_a_directory_are_named(tmp_path):
    with pytest.raises(ScenarioError, match=r"none\.heap: cannot be read: no such file"):
        load(tmp_path / "none.heap")
    with pytest.raises(ScenarioError, match="is a directory"):
        load(tmp_path)


@given(st.text(max_size=40))
def test_any_text_is_a_scenario_or_a_scenario_error(text):
    for file in ("x.heap", "x.rep"):
        with contextlib.suppress(ScenarioError):  # and nothing else
            from_text(text, file)


def test_a_byte_order_mark_is_passed_over(tmp_path):
    (tmp_path / "x.heap").write_bytes(b"\xef\xbb\xbfa = malloc 1\r\n")
    assert len(load(tmp_path / "x.heap").statements) == 1


def test_lines_are_those_of_an_editor():
    statements = from_text("# a\x0cb\u2028c\r\na = malloc 1\rb = malloc 2\n", "x.heap").statements
    assert [statement.line for statement in statements] == [2, 3]


def test_where_a_shipped_scenario_may_be_meant_it_is_told(tmp_path):
    with pytest.raises(ScenarioError) as caught:
        load(tmp_path / "reuse.heap")
    assert "`emu demo reuse`" in str(caught.value)
