"""The page: whole, quiet, and with the bars that the history has. Rendered by Chromium."""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from browser import render

from emu import Run, run
from emu.errors import InputError
from emu.process.event import Call
from emu.report.html import page
from emu.report.palette import FREE, HEADER, ROLES, SLACK, USED
from emu.run import Step
from emu.scenario.load import from_text
from emu.scenario.operations import Free, Malloc, Scenario, Statement
from emu.view.blocks import Block, Status
from emu.view.history import Bar, Sample

MIX = """\
# Split, reuse, grow and map.
a = malloc 1001
b = malloc 24
free a
c = malloc 600
m = malloc 200000
c = realloc c 2000
free m
expect a == heap+0x40
free b
free b
"""


@pytest.fixture(scope="module")
def mix() -> Run:
    return run(from_text(MIX, "mix.heap"))


@pytest.fixture(scope="module")
def mix_page(mix: Run) -> str:
    return page(mix)


@pytest.fixture(scope="module")
def rendered(mix_page: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[str]]:
    return render(mix_page, tmp_path_factory.mktemp("mix"))


class Marks(HTMLParser):
    """The rectangles in the picture of the heap: (fill, aria-label)."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.groups: list[str] = []
        self.inside = False
        self.found: list[tuple[str, str]] = []
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "figure":
            self.inside = given.get("id") == "picture-heap"
        if tag == "g":
            self.groups.append(given.get("class", ""))
        if tag == "path" and self.inside and "mark-rect role-mark" in " ".join(self.groups[-1:]):
            self.found.append((given["fill"], given.get("aria-label", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "g":
            self.groups.pop()


# What is in it


def test_nothing_is_fetched(mix_page: str) -> None:
    outside = re.sub(r"<script\b.*?</script>", "", mix_page, flags=re.DOTALL)
    assert not re.findall(r"""(?:src|href)\s*=\s*["']?(?!#|data:,)[^"'\s>]+""", outside)
    assert not re.search(r"url\(|@import|<(?:script|iframe|object|embed)[^>]+src", outside)
    assert """content="default-src 'none';""" in mix_page
    assert mix_page.count("vegaEmbed=") == 1


def test_every_call_has_a_row_and_findings_link_to_it(mix: Run, mix_page: str) -> None:
    rows = re.findall(r'<tr id="call-(\d+)"', mix_page)
    assert rows == [str(step.call.index) for step in mix.steps if step.call]
    assert 'double-free</b> at <a href="#call-9">#9</a>, <code>mix.heap:11</code>' in mix_page
    assert "expectation failed</b>, <code>mix.heap:9</code>" in mix_page
    assert "Exit status 1: an expectation failed or a finding was made." in mix_page


def test_system_calls_are_under_their_call_as_strace_prints_them(mix_page: str) -> None:
    row = re.findall(r'<tr id="call-1".*?</tr>', mix_page, flags=re.DOTALL)[0]
    assert "os_malloc(1001)" in row
    assert '<span class="syscall">brk(heap+0x20000) = heap+0x20000</span>' in row


def test_a_death_is_reported() -> None:
    text = page(run(from_text("a = malloc 10\nwrite a 5000000 1\n", "dies.heap")))
    assert "Exit status 3: the program under test died." in text
    assert '<pre class="death">page fault: write to ' in text
    assert "dies.heap:2" in text


def test_hostile_text_is_text() -> None:
    evil = "</script><script>alert('#1')</script>"
    hostile = run(from_text(f"# {evil}\na = malloc 10\nexpect a == null\n", f"{evil}.heap"))
    hostile.allocator = evil + "\udcff"
    text = page(hostile)
    text.encode("utf-8")
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(&#39;#1&#39;)" in text


def test_an_empty_scenario_has_a_page() -> None:
    assert "The scenario has no statement." in page(run(from_text("", "empty.heap")))


def test_without_the_extra_the_error_says_what_to_install(
    mix: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "altair", None)
    with pytest.raises(InputError, match=re.escape("pip install 'osmem-emu[report]'")):
        page(mix)


# What a browser makes of it


def test_the_console_stays_empty(rendered: tuple[str, list[str]]) -> None:
    assert rendered[1] == []


def test_the_used_part_of_the_heap_is_shown_first(rendered: tuple[str, list[str]]) -> None:
    assert ">heap+0x800<" in rendered[0]
    assert ">heap+0x1c000<" not in rendered[0]


@pytest.mark.parametrize("script", ["console.error('planted')", "throw new Error('planted')"])
def test_an_error_on_the_console_is_seen(script: str, tmp_path: Path) -> None:
    _, said = render(f"<!DOCTYPE html><title>x</title><script>{script}</script>", tmp_path)
    assert any("planted" in line for line in said)


def test_a_picture_that_cannot_be_drawn_says_so(mix_page: str, tmp_path: Path) -> None:
    broken = mix_page.replace('"mark": {', '"mark": {"type": 7, "x": {', 1)
    document, said = render(broken, tmp_path)
    assert "This picture could not be drawn" in document
    assert said


def test_the_heap_over_time_has_the_bars_of_the_history(
    mix: Run, rendered: tuple[str, list[str]]
) -> None:
    expected = dict.fromkeys((HEADER.colour, USED.colour, SLACK.colour, FREE.colour), 0)
    for bar in mix.history.bars:
        free, asked = bar.block.status is Status.FREE, bar.requested
        asked = bar.block.size if asked is None else asked
        expected[HEADER.colour] += 1
        expected[FREE.colour] += free
        expected[USED.colour] += not free
        expected[SLACK.colour] += not free and asked < bar.block.size
    found = [fill for fill, _ in Marks(rendered[0]).found]
    assert {colour: found.count(colour) for colour in expected} == expected
    assert len(found) == sum(expected.values())
    assert min(expected.values()) > 0


def test_a_bar_has_the_colour_of_its_role(rendered: tuple[str, list[str]]) -> None:
    marks = Marks(rendered[0]).found
    for fill, says in marks:
        role = re.search(r"role: . (\w+)", says)
        assert role
        assert fill == ROLES[role[1]].colour
    used = [says for fill, says in marks if fill == USED.colour]
    assert any("place: heap+0x20;" in says and "requested: 1001;" in says for says in used)


def test_a_button_shows_the_whole_heap(mix_page: str, tmp_path: Path) -> None:
    press = "setTimeout(() => document.querySelector('[data-act=whole]').click(), 2000)"
    document, said = render(f"{mix_page}<script>{press}</script>", tmp_path)
    assert said == []
    assert ">heap+0x1c000<" in document


# Long runs


def long_run(calls: int) -> Run:
    """Every call takes a block, or gives back the one taken 300 calls before."""
    made = Run(Scenario("long", "long.heap", ()), "osmem", heap_start=0x500000, brk=0x20000)
    since: dict[int, int] = {}
    for index in range(1, calls + 1):
        header = 0x500000 + 96 * (index * 7 % 300)
        taking = (index - 1) // 300 % 2 == 0
        name, result = ("os_malloc", header + 32) if taking else ("os_free", None)
        call = Call(index, name, (40,), result, 100 + index % 50, (), (), 0)
        operation = Malloc("a", 40) if taking else Free("a")
        shown = f"heap+{header + 32 - 0x500000:#x}" if taking else None
        made.steps.append(Step(Statement(index, name, operation), call, (40,), shown))
        made.history.samples.append(Sample(index, 0x20000, 40 * index, 64, 64, 300, index))
        made.history.closed += [
            Bar(block(header, free=taking), since.get(header, 1), index, None if taking else 40)
        ]
        since[header] = index
    made.history.closed += [Bar(block(h, free=False), at, None, 40) for h, at in since.items()]
    made.blocks = tuple(block(header, free=False) for header in sorted(since))
    made.block_places = tuple(f"heap+{one.address - 0x500000:#x}" for one in made.blocks)
    return made


def block(header: int, *, free: bool) -> Block:
    return Block(header + 32, 64, Status.FREE if free else Status.ALLOC, 0, 0)


def test_the_page_of_a_long_run_is_bounded_and_says_what_it_leaves_out() -> None:
    text = page(long_run(5000))
    assert len(text) < 5_000_000
    assert text.count('<tr id="call-') == 1000
    assert "4\N{NARROW NO-BREAK SPACE}000 statements are left out here" in text
    assert "bars, too many to draw each: cells of 42 calls by" in text
    assert "the lowest and the highest of every 5 calls" in text
    assert "of every 5 calls the dearest of each function" in text
