"""Bad reads made by the C library's functions are told, as memcheck tells them."""

from __future__ import annotations

from pathlib import Path

import pytest
from checked import by_valgrind, checked, compiled, lines

from emu.sanitizer.strings import reader

LINES = lines("reads.c")
RULES = {
    **dict.fromkeys(LINES, "heap-overflow"),
    **{name: "use-after-free" for name in LINES if name.startswith("freed")},
    "compared": "read-unwritten",
    "ordered": "read-unwritten",
}
NOT_WITH_MUSL = ("put", "doubled", "freed_put", "freed_print", "freed_number")
"""Modes whose functions call others, which musl's file does not name, nor who called them."""
WAYS = {
    "dynamic": ("gcc", ("-O0",)),
    "bound at once": ("gcc", ("-O0", "-Wl,-z,now")),
    "static": ("gcc", ("-O0", "-static")),
    "musl": ("musl-gcc", ("-O0",)),
}


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reads")
    return {
        way: compiled(folder, *options, name="reads.c", by=compiler)
        for way, (compiler, options) in WAYS.items()
    }


@pytest.mark.parametrize("way", WAYS)
def test_each_is_told_with_its_line(programs: dict[str, Path], way: str) -> None:
    modes = [mode for mode in LINES if way != "musl" or mode not in NOT_WITH_MUSL]
    expected = {(RULES[mode], LINES[mode]) for mode in modes}
    assert checked(programs[way], *modes).found == expected


@pytest.mark.parametrize("way", WAYS)
def test_what_is_read_to_the_last_byte_is_no_error(programs: dict[str, Path], way: str) -> None:
    done = checked(programs[way], "clean")
    assert (done.errors, done.found, done.ended.status) == ([], set(), 0)


def test_valgrind_tells_the_same(programs: dict[str, Path]) -> None:
    theirs = by_valgrind(programs["dynamic"], *LINES, name="reads.c")
    ours = checked(programs["dynamic"], *LINES).stacks
    assert {(rule, lines[0]) for rule, lines in ours} == {(rule, at[0]) for rule, at in theirs}
    assert len(ours) == len(LINES)


def test_one_call_is_one_error_and_how_much_of_it_is_wrong_is_said(
    programs: dict[str, Path],
) -> None:
    (error,) = checked(programs["dynamic"], "copy_more").errors
    assert error.place == "from 0 bytes inside to 8 bytes past the end of a block of 40 bytes"
    (error,) = checked(programs["static"], "copy_past").errors
    assert error.message.endswith(" by memcpy")
    assert error.place == "from 2 bytes inside to 2 bytes past the end of a block of 4 bytes"


MEMORY = b"one string\0another\0".ljust(5000, b"x") + b"\0"


@pytest.mark.parametrize(
    ("name", "arguments", "parts"),
    [
        ("strlen", (0, 0, 0), [(0, 11)]),
        ("strlen", (19, 0, 0), [(19, 4982)]),
        ("__strnlen", (4, 3, 0), [(4, 3)]),
        ("strcmp", (1, 2, 0), [(1, 1), (2, 1)]),
        ("strcmp", (0, 0, 0), [(0, 11), (0, 11)]),
        ("memcmp", (19, 20, 4000), [(19, 4000), (20, 4000)]),
        ("strchr", (0, ord("s"), 0), [(0, 5)]),
        ("strchr", (0, ord("?"), 0), [(0, 11)]),
        ("memchr", (0, ord("?"), 9), [(0, 9)]),
        ("memrchr", (0, ord("o"), 15), [(13, 2)]),
        ("memcpy", (9, 1, 7), [(1, 7)]),
        ("strncat", (11, 4, 3), [(11, 8), (4, 3)]),
    ],
)
def test_what_a_function_reads_follows_from_what_it_is_given(
    name: str, arguments: tuple[int, int, int], parts: list[tuple[int, int]]
) -> None:
    function = reader(name)
    assert function is not None
    assert list(function.parts(lambda at, size: MEMORY[at : at + size], arguments)) == parts


def test_other_functions_are_not_judged() -> None:
    assert [reader(name) for name in ("", "qsort", "strcasecmp_l", "__memcpy_chk")] == [None] * 4
