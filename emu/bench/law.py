"""Laws: how counts grow with n. Counts have no noise, so a law may be exact, and is tried as such.

12 n + 73                   for every n, to the instruction
12 n + 73 from n = 50       as exact, but for the first few
3.2 log2 n + 41, within 4 % the best of those that are not
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Number = Fraction | float
Point = tuple[int, int]
"""n and a count."""

_TERMS: dict[str, Callable[[Floats], Floats]] = {
    "": np.ones_like,
    "log2 n": np.log2,
    "n": lambda n: n,
    "n log2 n": lambda n: n * np.log2(n),
    "n^2": lambda n: n**2,
}
_MODELS = [("",), ("log2 n", ""), ("n", ""), ("n log2 n", ""), ("n^2", "n", "")]
"""From the simplest on."""
_POLYNOMIALS = [("",), ("n", ""), ("n^2", "n", "")]
_BEYOND = 2
"""Points that an exact law must meet beyond those that determine it."""
_FAR_OFF = 0.05
"""An error for which a law that is exact, but not to the end, is told instead."""
_ENOUGH_BETTER = 1.25
"""A simpler law is kept unless another one foretells so many times as well."""


@dataclass(frozen=True, slots=True)
class Law:
    """count = the sum of coefficient times term. terms: "n^2", "n log2 n", "n", "log2 n", "".

    start, end: the first n for which it holds, and the last. error: how far off it is at most, as
    a part of the count; 0 where it is exact, and then the coefficients are Fractions.
    """

    terms: tuple[str, ...]
    coefficients: tuple[Number, ...]
    start: int
    end: int
    error: float

    @property
    def exact(self) -> bool:
        return not self.error

    @property
    def order(self) -> str:
        """How it grows: "n", "log2 n"; "1" for a constant."""
        found = zip(self.terms, self.coefficients, strict=True)
        return next((term for term, number in found if number and term), "1")

    def at(self, n: float) -> float:
        """What it foretells."""
        values = (float(_TERMS[term](np.array([n], float))[0]) for term in self.terms)
        return sum(float(c) * value for c, value in zip(self.coefficients, values, strict=True))

    def __str__(self) -> str:
        text = ""
        for number, term in zip(self.coefficients, self.terms, strict=True):
            if number:
                sign = (" - " if text else "-") if number < 0 else " + " if text else ""
                text += sign + f"{_spelled(number, term)} {term}".strip()
        return text or "0"


def fitted(points: Sequence[Point]) -> Law:
    """The law of some points, which are sorted by n, from 1 on. ValueError for less than two."""
    if len(points) < 2:
        raise ValueError("a law needs two points at least")
    for first in range(-(-len(points) // 2)):
        law = _exact(points[first:])
        if law:
            return law
    law = _closest(points)
    return law if law.error < _FAR_OFF else _exact_stretch(points) or law


def _exact_stretch(points: Sequence[Point]) -> Law | None:
    """Of the longest stretch, more than half of all, that has an exact law; the last such."""
    for length in range(len(points), len(points) // 2, -1):
        for first in range(len(points) - length, -1, -1):
            law = _exact(points[first : first + length])
            if law:
                return law
    return None


def _exact(points: Sequence[Point]) -> Law | None:
    for terms in _POLYNOMIALS:
        if len(points) < len(terms) + _BEYOND:
            return None
        found = _through(points[: len(terms)], terms)
        if all(_value(found, n) == count for n, count in points):
            return Law(terms, tuple(found), points[0][0], points[-1][0], 0.0)
    return None


def _through(points: Sequence[Point], terms: tuple[str, ...]) -> list[Fraction]:
    """The polynomial through as many points as it has terms: Newton's divided differences."""
    differences = [Fraction(count) for _, count in points]
    polynomial = [Fraction(0)] * len(terms)
    basis = [Fraction(1)]  # lowest power first
    for level in range(len(terms)):
        for power, number in enumerate(basis):
            polynomial[power] += differences[0] * number
        differences = [
            (b - a) / (points[i + level + 1][0] - points[i][0])
            for i, (a, b) in enumerate(pairwise(differences))
        ]
        n = points[level][0]
        basis = [
            a - n * b for a, b in zip([Fraction(0), *basis], [*basis, Fraction(0)], strict=True)
        ]
    return polynomial[::-1]


def _value(polynomial: Sequence[Fraction], n: int) -> Fraction:
    value = Fraction(0)
    for coefficient in polynomial:
        value = value * n + coefficient
    return value


def _closest(points: Sequence[Point]) -> Law:
    """By least squares of relative errors; each law is judged by points that it was not told."""
    n, counts = (np.array(column, float) for column in zip(*points, strict=True))
    fits = {terms: _least_squares(terms, n, counts) for terms in _MODELS if len(terms) < len(n)}
    growing = [terms for terms, found in fits.items() if terms == ("",) or found[0] > 0]
    scores = [_foretells(terms, n, counts) for terms in growing]
    best = next(i for i, score in enumerate(scores) if score <= _ENOUGH_BETTER * min(scores))
    terms, coefficients = growing[best], fits[growing[best]]
    off = np.abs(_matrix(terms, n) @ coefficients - counts) / np.maximum(counts, 1)
    return Law(terms, tuple(coefficients.tolist()), points[0][0], points[-1][0], float(off.max()))


def _matrix(terms: tuple[str, ...], n: Floats) -> Floats:
    return np.stack([_TERMS[term](n) for term in terms], axis=1)


def _least_squares(terms: tuple[str, ...], n: Floats, counts: Floats) -> Floats:
    weight = 1 / np.maximum(counts, 1)
    matrix = _matrix(terms, n) * weight[:, None]
    scale = np.abs(matrix).max(axis=0)
    found: Floats = np.linalg.lstsq(matrix / scale, counts * weight, rcond=None)[0] / scale
    return found


def _foretells(terms: tuple[str, ...], n: Floats, counts: Floats) -> float:
    """The root of the mean square error at each point, by the law of all the others."""
    errors = []
    for left_out in range(len(n)):
        others = np.arange(len(n)) != left_out
        coefficients = _least_squares(terms, n[others], counts[others])
        told = float(_matrix(terms, n[left_out : left_out + 1])[0] @ coefficients)
        errors.append((told - counts[left_out]) / max(1, counts[left_out]))
    return float(np.sqrt(np.mean(np.square(errors))))


def _spelled(number: Number, term: str) -> str:
    """Without its sign, and not at all where it is 1."""
    if abs(number) == 1 and term:
        return ""
    return str(abs(number)) if isinstance(number, Fraction) else f"{abs(number):.4g}"
