"""Verdicts as reports: whole outputs, and what other programs make of them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from decimal import Decimal
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from junitparser import Error, Failure, JUnitXml, Skipped
from rich.console import Console
from verdicts import BROKEN, FAULT, OVERLAP, REFUSED, SOUND

from emu.errors import InputError
from emu.judge.points import Points
from emu.report.terminal import WIDTH
from emu.report.verdict import as_json, html, junit, saved, table, terminal
from emu.report.verdict.checked import Checked, Given
from emu.scenario.load import load

POINTS = Points({"sizes": Decimal(5), "misuse": Decimal("2.5")}, partial=True)
MINE = Checked("mine.s", BROKEN, marks=POINTS.marks(BROKEN))
GOOD = Checked("good.s", SOUND)


def printed(show, what):
    out = StringIO()
    show(what, Console(file=out, width=WIDTH, color_system=None, highlight=False))
    return out.getvalue()


def test_a_broken_allocator_in_the_terminal():
    assert (
        printed(terminal.show, MINE)
        == """\
mine.s  contract osmem, seed 7
      topic                 scenarios     calls  failures
pass  sizes                        40       812
FAIL  misuse                       48       300        12
FAIL  no memory                     4         9         1
skip  traces                        0         0   the budget was spent

! 1  overlap: 100 bytes at heap+0x20 overlap 100 bytes at heap+0x20 (given by #1), which is in use
     shown by    12 scenarios, first of the topic misuse
     expected    no block in use shares a byte with another
     happened    os_malloc(100) gave heap+0x20
     instruction 0x400123 (find_best+0x12): cmp dword ptr [rdx + 8], 0
     source      search.s:44: cmp dword ptr [rdx + BLOCK_STATUS], FREE
     scenario    a = malloc 100
                 b = malloc 100
                 free a
                 c = malloc 100
                 free a
                 d = malloc 100
     heap before heap  128 KiB   in use 208
                 |H##H##H....|
                  H  header    #  used
     heap after  heap  128 KiB   in use 312
                 |H##H##H#...|
                  H  header    #  used
     again       emu check mine.s --save DIR
                 emu run DIR/01-overlap.heap --allocator mine.s
                 emu debug DIR/01-overlap.heap --allocator mine.s

! 2  fault: page fault: read of 0x0
     shown by    1 scenario, first of the topic no memory
     expected    NULL, and os_errno is ENOMEM
     happened    page fault: read of 0x0
     scenario    fail brk 1 ENOMEM
                 a = malloc 8
     again       emu check mine.s --save DIR
                 emu run DIR/02-fault.heap --allocator mine.s
                 emu debug DIR/02-fault.heap --allocator mine.s

      points
      sizes                        5 of 5
      misuse                  1.87 of 2.5   12 of 48 scenarios failed
      in all                  6.87 of 7.5
      failed without points: no memory

FAIL  mine.s: 2 defects in 1121 calls; the budget was spent before all was tried
"""
    )


def test_a_sound_allocator_in_the_terminal():
    assert (
        printed(terminal.show, GOOD)
        == """\
good.s  contract malloc, seed 0
      topic                 scenarios     calls  failures
pass  sizes                        40       812

pass  good.s: no defect in 40000 calls
"""
    )


def test_quietly_a_defect_is_a_line():
    first, second, *marks, last = printed(terminal.show_quietly, MINE).splitlines()
    assert [line.split()[0] for line in marks] == ["points", "sizes", "misuse", "in", "failed"]
    assert "6.87 of 7.5" in marks[3]
    assert first == f"! mine.s: overlap: {OVERLAP.message}  search.s:44"
    assert second == "! mine.s: fault: page fault: read of 0x0"
    assert (
        last == "FAIL  mine.s: 2 defects in 1121 calls; the budget was spent before all was tried"
    )


def test_many_are_a_table():
    refused = replace(REFUSED, marks=POINTS.nothing("it cannot be checked"))
    twice = replace(BROKEN, allocator="two.s", defects=(OVERLAP, OVERLAP), complete=True)
    shown = printed(table.show, [MINE, GOOD, Checked("two.s", twice), refused])
    assert shown.splitlines()[:5] == [
        "       allocator  calls       points  defects",
        "FAIL   mine.s      1121  6.87 of 7.5  overlap, fault; budget spent",
        "pass   good.s     40000",
        "FAIL   two.s       1121               overlap 2",
        "error  bad.s                0 of 7.5  cannot be checked",
    ]
    assert "  mine.s: failed without points: no memory" in shown.splitlines()
    last = shown.splitlines()[-1]
    assert last == "4 allocators: 1 without a defect, 2 with defects, 1 not checked"


def test_commands_to_see_it_again_are_quoted_and_have_the_options():
    files = ("out dir/01-overlap.heap", "out dir/02-fault.heap")
    given = Given(" --cflags -O0", " --alignment 16", " --seed 3")
    checked = Checked("my malloc.c", BROKEN, saved=files, given=given)
    assert checked.again(1) == [
        "emu run 'out dir/02-fault.heap' --allocator 'my malloc.c' --cflags -O0 --alignment 16",
        "emu debug 'out dir/02-fault.heap' --allocator 'my malloc.c' --cflags -O0",
    ]
    assert replace(checked, saved=()).again(0)[0] == (
        "emu check 'my malloc.c' --cflags -O0 --alignment 16 --seed 3 --save DIR"
    )


def test_what_only_a_sanitizer_sees_is_run_with_it():
    unsafe = replace(FAULT, topic="memory safety")
    run, debug = Checked("x.s", replace(BROKEN, defects=(unsafe,)), saved=("f.heap",)).again(0)
    assert run == "emu run f.heap --allocator x.s --sanitize"
    assert debug == "emu debug f.heap --allocator x.s"


def test_what_only_another_place_of_the_heap_shows_is_run_and_debugged_there():
    high = replace(FAULT, topic="high addresses", heap_start=0x5556_0000_0000)
    again = Checked("x.s", replace(BROKEN, defects=(high,)), saved=("f.heap",)).again(0)
    assert again == [
        "emu run f.heap --allocator x.s --heap-start 0x555600000000",
        "emu debug f.heap --allocator x.s --heap-start 0x555600000000",
    ]


def test_a_long_scenario_is_shortened():
    long = replace(FAULT, scenario="".join(f"a{n} = malloc 8\n" for n in range(100)))
    shown = printed(terminal.show, Checked("x.s", replace(BROKEN, defects=(long,))))
    assert "a19 = malloc 8\n                 # ... 60 lines more\n" in shown


# JSON


def test_json_has_four_keys_and_marks_where_there_are_points():
    document = json.loads(as_json.document(BROKEN))
    assert list(document) == ["allocator", "contract", "calls", "defects"]
    assert (document["allocator"], document["contract"]) == ("mine.s", "osmem")
    assert document["calls"] == 1121
    assert document["defects"][0] == {
        "rule": "overlap",
        "message": OVERLAP.message,
        "scenario": OVERLAP.scenario,
        "source": "search.s:44",
    }
    assert document["defects"][1]["source"] is None
    assert json.loads(as_json.document(BROKEN, MINE.marks))["marks"] == {
        "topics": [
            {"topic": "sizes", "points": 5, "of": 5},
            {"topic": "misuse", "points": 1.87, "of": 2.5},
        ],
        "points": 6.87,
        "of": 7.5,
    }


# JUnit


def test_junit_is_what_junitparser_reads():
    mine, good, bad = JUnitXml.fromstring(junit.document([MINE, GOOD, REFUSED]).encode())
    assert (mine.name, mine.tests, mine.failures, mine.errors, mine.skipped) == (
        "mine.s", 4, 2, 0, 1,
    )  # fmt: skip
    sizes, misuse, memory, traces = mine
    assert (sizes.name, sizes.classname, sizes.is_passed) == ("sizes", "mine.s", True)
    (failure,) = misuse.result
    assert isinstance(failure, Failure)
    assert failure.message == f"overlap: {OVERLAP.message}"
    assert failure.type == "overlap"
    assert "12 of 48 scenarios failed." in failure.text
    assert "search.s:44: cmp dword ptr" in failure.text
    assert [failure.type for failure in memory.result] == ["fault"]
    assert isinstance(traces.result[0], Skipped)
    assert traces.result[0].message == "the budget was spent"
    assert (good.tests, good.failures) == (1, 0)
    (error,) = next(iter(bad)).result
    assert isinstance(error, Error)
    assert error.message == "bad.s:1: invalid mnemonic"
    assert "frob <rax>" in error.text


def test_junit_counts_are_those_of_the_cases():
    root = ET.fromstring(junit.document([MINE, GOOD, REFUSED]).encode())
    for parent in (root, *root):
        cases = list(parent.iter("testcase"))
        assert int(parent.get("tests")) == len(cases)
        for attribute, element in (
            ("failures", "failure"), ("errors", "error"), ("skipped", "skipped"),
        ):  # fmt: skip
            assert int(parent.get(attribute)) == sum(c.find(element) is not None for c in cases)


def test_a_topic_whose_causes_are_told_elsewhere_still_fails():
    verdict = replace(BROKEN, defects=(OVERLAP,))
    root = ET.fromstring(junit.document([Checked("mine.s", verdict)]).encode())
    failure = root.find(".//testcase[@name='no memory']/failure")
    assert failure.get("message") == "1 of 4 scenarios failed: overlap"
    assert "first met in other topics" in failure.text


def test_characters_that_xml_cannot_hold_are_replaced():
    odd = replace(FAULT, message="wrote \x00\x1b[31m\ud800 & <b>")
    text = junit.document([Checked("odd.s", replace(BROKEN, defects=(odd,)))])
    message = ET.fromstring(text.encode()).find(".//testcase[@name='no memory']/failure")
    assert message.get("message") == "fault: wrote \ufffd\ufffd[31m\ufffd & <b>"


def test_full_points_say_what_failed_without_any():
    full = Checked(
        "mine.s", BROKEN, marks=Points({"sizes": Decimal(5)}, partial=False).marks(BROKEN)
    )
    shown = printed(terminal.show_quietly, full).splitlines()
    assert "5 of 5" in shown[-3]
    assert shown[-2].strip() == "failed without points: misuse, no memory"
    assert full.unmarked == ("misuse", "no memory")
    worthless = Points({"misuse": Decimal(0), "no memory": Decimal(1)}, partial=False)
    assert replace(full, marks=worthless.marks(BROKEN)).unmarked == ("misuse",)
    assert replace(full, marks=None).unmarked == ()


# The page


def test_the_page_has_everything_and_fetches_nothing():
    page = html.page([MINE, GOOD, REFUSED])
    assert not re.search(r"https?://|<script|<link rel=.stylesheet", page)
    for text in (
        OVERLAP.message,
        "6.87 of 7.5",
        "search.s:44",
        "the budget was spent",
        "Failed without points: no memory",
    ):
        assert text in page
    assert "frob &lt;rax&gt;" in page
    assert '<span class="cell header">H</span><span class="cell used">##</span>' in page
    assert page.count('<article class="defect"') == 2
    assert 'href="#allocator-3"' in page
    assert 'id="allocator-3"' in page


def test_a_page_of_one_has_no_table_of_all():
    page = html.page([MINE])
    assert "All allocators" not in page
    assert "<title>mine.s, checked</title>" in page


# Saved scenarios


def test_a_saved_file_says_what_it_shows_and_is_a_scenario(tmp_path):
    paths = saved.save(MINE, tmp_path)
    assert [path.removeprefix(f"{tmp_path}/") for path in paths] == [
        "01-overlap.heap",
        "02-fault.heap",
    ]
    first = (tmp_path / "01-overlap.heap").read_text()
    assert (
        first
        == f"""\
# Saved by emu check: overlap of mine.s, contract osmem, seed 7.
#
# overlap: {OVERLAP.message}
# Expected: no block in use shares a byte with another
# Happened: os_malloc(100) gave heap+0x20
# At: 0x400123 (find_best+0x12): cmp dword ptr [rdx + 8], 0; \
search.s:44: cmp dword ptr [rdx + BLOCK_STATUS], FREE
#     emu run {paths[0]} --allocator mine.s
#     emu debug {paths[0]} --allocator mine.s

{OVERLAP.scenario}"""
    )
    again = load(paths[0])
    assert len(again.statements) == 6
    assert again.about == "Saved by emu check: overlap of mine.s, contract osmem, seed 7."


def test_what_an_earlier_check_saved_is_replaced(tmp_path):
    saved.save(MINE, tmp_path)
    (tmp_path / "notes.heap").write_text("# mine\n")
    saved.save(Checked("mine.s", replace(BROKEN, defects=(FAULT,))), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"01-fault.heap", "notes.heap"}


def test_a_file_that_emu_check_did_not_save_is_not_overwritten(tmp_path):
    theirs = tmp_path / "01-overlap.heap"
    theirs.write_text("a = malloc 8\n")
    with pytest.raises(InputError, match=r"01-overlap\.heap: may be overwritten"):
        saved.save(MINE, tmp_path)
    assert theirs.read_text() == "a = malloc 8\n"


def test_lines_of_evidence_stay_comments(tmp_path):
    sly = replace(FAULT, message="one\ntwo\x1b", evidence=replace(FAULT.evidence, expected="a\nb"))
    (path,) = saved.save(Checked("x.s", replace(BROKEN, defects=(sly,))), tmp_path)
    text = Path(path).read_text()
    assert "# fault: one\n# two\u00b7\n# Expected: a\n#           b\n" in text
    assert len(load(path).statements) == 2


@pytest.mark.parametrize(
    ("allocators", "names"),
    [
        (["a.s", "b/c.s"], ["a", "c"]),
        (["alice/malloc.s", "bob/malloc.s"], ["alice-malloc", "bob-malloc"]),
        (["x/a/m.s", "y/a/m.s", "y/b/m.s"], ["x-a-m", "y-a-m", "y-b-m"]),
        (["m.s", "m.c"], ["1-m", "2-m"]),
    ],
)
def test_folders_are_named_by_as_much_of_the_path_as_it_takes(allocators, names):
    assert list(saved.short_names(allocators).values()) == names
