"""Traces of the malloc lab, with every header and line ending that is found in the wild."""

from __future__ import annotations

import pytest

from emu import run
from emu.errors import ScenarioError
from emu.scenario import operations as op
from emu.scenario.load import from_text

BODY = "a 0 512\nr 0 640\nf 0\n"
OPERATIONS = [op.Malloc("id0", 512), op.Realloc("id0", "id0", 640), op.Free("id0")]


def operations(text):
    return [statement.operation for statement in from_text(text, "x.rep").statements]


@pytest.mark.parametrize("header", ["20000\n1\n3\n1\n", "1\n3\n", ""])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_headers_of_four_two_and_no_lines(header, ending):
    assert operations((header + BODY).replace("\n", ending)) == OPERATIONS


def test_a_null_pointer_is_freed_by_f_minus_one():
    assert operations("f -1\n") == [op.Free(None)]


def test_realloc_of_an_unknown_id_allocates():
    assert operations("r 5 10\nr 5 20\n") == [
        op.Realloc("id5", None, 10),
        op.Realloc("id5", "id5", 20),
    ]


def test_blocks_may_be_left_at_the_end():
    assert len(operations("a 0 1\na 1 1\nf 0\n")) == 3


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a 0\n", 1, "no operation"),
        ("a 0 5\nf 0 5\n", 2, "no operation"),
        ("x 0 5\n", 1, "no operation"),
        ("f 3\n", 1, "never allocated"),
        ("a -1 5\n", 1, "cannot hold"),
        ("7\n8\n9\na 0 1\n", 3, "header of 3"),
        ("a 0 99999999999999999999\n", 1, "64 bits"),
    ],
)
def test_what_is_no_trace_is_refused_with_its_line(text, line, words):
    with pytest.raises(ScenarioError, match=words) as caught:
        from_text(text, "x.rep")
    assert caught.value.place == f"x.rep:{line}"


def test_a_trace_runs():
    assert run(from_text("1\n3\n" + BODY, "x.rep")).outcome == "completed"
