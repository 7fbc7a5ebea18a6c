"""Files of points, and the marks that verdicts get by them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from emu.errors import InputError
from emu.judge.points import load
from emu.judge.verdict import TopicResult, Verdict

VERDICT = Verdict(
    "mine.s",
    "osmem",
    100,
    (
        TopicResult("sizes", 40, 80, 0),
        TopicResult("realloc", 3, 9, 1),
        TopicResult("no memory", 0, 0, 0, "the budget was spent"),
        TopicResult("traces", 10_000, 11, 1),
        TopicResult("long runs", 1, 3000, 2),
    ),
)


@pytest.fixture
def points(tmp_path):
    def write(text):
        path = tmp_path / "points.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    return write


def given(marks):
    return {mark.topic: str(mark.points) for mark in marks.marks}


def test_a_topic_gives_all_of_its_points_or_none(points):
    marks = load(points("[points]\nsizes = 4\nrealloc = 10\n")).marks(VERDICT)
    assert given(marks) == {"sizes": "4", "realloc": "0"}
    assert (marks.points, marks.of) == (4, 14)
    assert marks.marks[1].why == "1 of 3 scenarios failed"


def test_partial_points_are_rounded_down_so_that_no_failure_is_full_marks(points):
    file = points("partial = true\n[points]\nrealloc = 1\ntraces = 2.5\nsizes = 0.125\n")
    marks = load(file).marks(VERDICT)
    assert given(marks) == {"realloc": "0.66", "traces": "2.49", "sizes": "0.125"}
    assert marks.of == Decimal("3.625")


def test_a_topic_that_was_not_looked_at_gives_nothing_and_says_why(points):
    (mark,) = load(points('partial = true\n[points]\n"no memory" = 5\n')).marks(VERDICT).marks
    assert (mark.points, mark.of, mark.why) == (0, 5, "the budget was spent")


def test_a_scenario_that_goes_wrong_twice_costs_no_more_than_all(points):
    (mark,) = load(points('partial = true\n[points]\n"long runs" = 5\n')).marks(VERDICT).marks
    assert (mark.points, mark.why) == (0, "1 of 1 scenarios failed")


def test_a_topic_that_no_time_was_left_for_gives_nothing(points):
    (mark,) = load(points("[points]\nlate = 5\n")).marks(VERDICT).marks
    assert (mark.points, mark.of, mark.why) == (0, 5, "nothing of it was tried")


def test_dotted_keys_are_topics_too(points):
    assert given(load(points("points.sizes = 1\n")).marks(VERDICT)) == {"sizes": "1"}


def test_an_unknown_topic_is_refused_at_its_line_with_the_known_ones(points):
    file = points("[points]\nsizes = 1\nreallok = 2\n")
    with pytest.raises(InputError) as raised:
        load(file).refuse_unknown(["sizes", "realloc", "no memory", "traces"])
    assert str(raised.value) == (
        f"{file}:3: there is no topic `reallok`\n    reallok = 2\n"
        "expected: `realloc`, perhaps; one of sizes, realloc, no memory, traces"
    )


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("[points\n", ":1", "this is no TOML: Expected ']' at the end of a table declaration"),
        ("[points]\nsizes = \n", ":2", "this is no TOML: Invalid value"),
        ("[points]\nsizes = 1\nsizes = 2\n", "", "this is no TOML: Cannot overwrite a value"),
        ("", "", "there are no points"),
        ("[points]\n", ":1", "there are no points"),
        ("points = 3\n", ":1", "there are no points"),
        ("[marks]\nsizes = 1\n", ":1", "unknown key `marks`"),
        ("partial = 1\n[points]\nsizes = 1\n", ":1", "`partial` is true or false"),
        ('[points]\nsizes = "many"\n', ":2", "the points of `sizes` are no number"),
        ("[points]\nsizes = true\n", ":2", "the points of `sizes` are no number"),
        ("[points]\nsizes = -1\n", ":2", "the points of `sizes` cannot be -1"),
        ("[points]\nsizes = nan\n", ":2", "the points of `sizes` cannot be"),
        (b"\xff", "", "this is no text: byte 0 is not UTF-8"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_line(points, text, line, message):
    file = points(text)
    with pytest.raises(InputError) as raised:
        load(file)
    said = str(raised.value)
    if "TOML" not in message or line:
        assert said.startswith(f"{file}{line}: {message}")
    assert message in said
    assert "expected: " in said


@pytest.mark.parametrize(("name", "reason"), [("none.toml", "no such file"), (".", "directory")])
def test_a_file_that_cannot_be_read_is_said(tmp_path, name, reason):
    with pytest.raises(InputError, match=reason):
        load(str(tmp_path / name))
