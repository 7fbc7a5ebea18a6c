"""Laws: exact where counts are, and the right one of those that are not."""

from __future__ import annotations

from collections.abc import Callable
from math import log2

import pytest

from emu.bench.law import fitted

NS = (10, 20, 50, 100, 200, 500, 1000, 2000, 4000)


@pytest.mark.parametrize(
    ("law", "text", "order"),
    [
        (lambda n: 17, "17", "1"),
        (lambda n: 0, "0", "1"),
        (lambda n: 14 * n + 120, "14 n + 120", "n"),
        (lambda n: n, "n", "n"),
        (lambda n: 3 * n - 7, "3 n - 7", "n"),
        (lambda n: n // 2 * 5 + 3, "5/2 n + 3", "n"),
        (lambda n: 2 * n * n + 9, "2 n^2 + 9", "n^2"),
        (lambda n: n * n - n + 1, "n^2 - n + 1", "n^2"),
    ],
)
def test_a_polynomial_is_exact(law: Callable[[int], int], text: str, order: str) -> None:
    found = fitted([(n, law(n)) for n in NS])
    assert (str(found), found.exact, found.start, found.order) == (text, True, 10, order)
    assert [found.at(n) for n in NS] == [law(n) for n in NS]


def test_one_instruction_off_is_not_exact() -> None:
    points = [(n, 14 * n + 120 + (n == 500)) for n in NS]
    found = fitted(points)
    assert not found.exact
    assert found.order == "n"
    assert 0 < found.error < 0.001
    assert found.at(1000) == pytest.approx(14_120, rel=0.001)


def test_a_law_may_begin_later() -> None:
    """Below 100, something else is dearer."""
    found = fitted([(n, max(14 * n + 120, 1000)) for n in NS])
    assert (str(found), found.exact, found.start) == ("14 n + 120", True, 100)


def test_a_law_may_end_earlier() -> None:
    found = fitted([(n, 126 if n < 4000 else 83) for n in NS])
    assert (str(found), found.exact, found.start, found.end) == ("126", True, 10, 2000)


def test_costs_that_fall_have_no_law_that_falls() -> None:
    found = fitted([(n, 5000 - 300 * n.bit_length() + n % 7) for n in NS])
    assert found.order == "1"
    assert found.error > 0.3


def test_two_points_beyond_those_that_determine_it_must_agree() -> None:
    assert not fitted([(10, 260), (20, 400), (50, 821)]).exact
    assert fitted([(10, 260), (20, 400), (50, 820), (100, 1520)]).exact


@pytest.mark.parametrize(
    ("law", "order"),
    [
        (lambda n: round(30 * log2(n) + 50), "log2 n"),
        (lambda n: round(5 * n * log2(n) + 80), "n log2 n"),
        (lambda n: 37 * n * n // 100 + 11 * n + n * 7919 % 13, "n^2"),
        (lambda n: 400 + (n * 7919) % 13, "1"),
        (lambda n: 12 * n + (n * 7919) % 13, "n"),
        (lambda n: 40 * n.bit_length() + 9, "log2 n"),
    ],
)
def test_the_nearest_law_is_found(law: Callable[[int], int], order: str) -> None:
    found = fitted([(n, law(n)) for n in NS])
    assert not found.exact
    assert found.order == order
    for n in (300, 3000):
        assert found.at(n) == pytest.approx(law(n), rel=0.15)


def test_the_error_is_the_largest_there_is() -> None:
    points = [(n, 100 + 10 * (n == 200)) for n in NS]
    found = fitted(points)
    worst = max(abs(found.at(n) - count) / count for n, count in points)
    assert found.error == pytest.approx(worst)


def test_one_point_has_no_law() -> None:
    with pytest.raises(ValueError, match="two points"):
        fitted([(10, 5)])
    assert fitted([(10, 5), (20, 5)]).at(15) == pytest.approx(5)
