"""The page of emu bench: whole, quiet, and with the numbers that were counted. By Chromium."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from browser import render

from emu.bench.bench import Bench, bench
from emu.bench.figures import by_kind
from emu.bench.growth import Growth, growth
from emu.report.bench_page import page
from emu.report.chart_data import spaced
from emu.scenario.patterns import pattern

Rendered = tuple[str, list[str]]
ALLOCATORS = "osmem", "indexed"


@pytest.fixture(scope="module")
def benches() -> list[Bench]:
    scenario = pattern("realloc-growth", 40)
    return [bench(scenario, name) for name in ALLOCATORS]


@pytest.fixture(scope="module")
def grown() -> tuple[Growth, ...]:
    return tuple(one for name in ALLOCATORS for one in growth(name, largest=100))


@pytest.fixture(scope="module")
def rendered(
    benches: list[Bench], grown: tuple[Growth, ...], tmp_path_factory: pytest.TempPathFactory
) -> Rendered:
    return render(page([benches], grown), tmp_path_factory.mktemp("bench"))


def _rows(document: str) -> list[list[str]]:
    """The texts of all cells, row by row."""
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", document, re.DOTALL)
    return [
        [re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row)]
        for row in rows
    ]


def test_the_page_is_drawn_and_says_nothing_on_the_console(rendered: Rendered) -> None:
    document, said = rendered
    assert said == []
    assert not re.search(r'class="picture[^>]*>This picture could not', document)
    pictures = re.findall(r'<figure class="drawn" id="(picture-[^"]+)"', document)
    assert pictures == [
        "picture-scenario-0-footprint", "picture-scenario-0-means", "picture-scenario-0-cost",
        "picture-growth-0", "picture-growth-1",
    ]  # fmt: skip
    assert document.count('class="marks"') == len(pictures)


def test_the_tables_have_what_was_counted(rendered: Rendered, benches: list[Bench]) -> None:
    rows = _rows(rendered[0])
    for one in benches:
        memory = [one.allocator, spaced(one.peak_live), spaced(one.peak_footprint)]
        assert memory in [row[:3] for row in rows]
        for _, counters in by_kind(one):
            for figures in counters.values():
                worst = f"#{figures.worst_call}" if figures.worst else ""
                wanted = [one.allocator, f"{figures.mean:.3f}"]
                ends = [spaced(n) for n in (figures.median, figures.p99, figures.worst)]
                assert [*wanted, *ends, worst] in [[*row[2:4], *row[5:]] for row in rows]


def test_the_laws_are_told(rendered: Rendered, grown: tuple[Growth, ...]) -> None:
    rows = _rows(rendered[0])
    for one in grown:
        counts = [spaced(count) for _, count in one.points]
        assert [one.call, one.allocator, str(one.law), one.said, *counts] in rows


def test_the_page_fetches_nothing(benches: list[Bench]) -> None:
    text = page([benches], ()).split("<script>")[0]  # behind it are vega's own, as text
    assert "default-src 'none'" in text
    assert not re.search(r"<(?:img|link|script)[^>]+(?:src|href)=\"(?!data:)", text)


def test_names_are_text_and_no_markup(benches: list[Bench], tmp_path: Path) -> None:
    odd = replace(benches[0], allocator="a<b>&'\".s")
    document, said = render(page([[odd]], ()), tmp_path)
    assert said == []
    assert "a&lt;b&gt;&amp;'\".s" in document
    assert "a<b>" not in document.split("<script")[0]
