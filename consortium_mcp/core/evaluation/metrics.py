"""Measures how good a confidence is, from points (confidence, whether the answer was right).

All functions take one point per question, and return shares from 0 to 1.
"""

from __future__ import annotations

import math
import random
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Point = tuple[float, bool]
BINS = 15
RESAMPLES = 1000


class Bin(NamedTuple):
    """Questions of similar confidence."""

    confidence: float
    """Their mean confidence."""
    accuracy: float
    size: int
    """Number of questions."""


def accuracy(points: Sequence[Point]) -> float:
    """Share of right answers."""
    return sum(right for _, right in points) / len(points)


def bins(points: Sequence[Point], count: int = BINS) -> list[Bin]:
    """Bins of equal size, by rising confidence; never more bins than points."""
    ordered = sorted(points, key=lambda point: point[0])
    count = min(count, len(ordered))
    edges = [place * len(ordered) // count for place in range(count + 1)]
    parts = [ordered[start:end] for start, end in pairwise(edges)]
    return [Bin(sum(c for c, _ in part) / len(part), accuracy(part), len(part)) for part in parts]


def calibration_error(points: Sequence[Point], count: int = BINS) -> float:
    """ECE: the mean difference between confidence and accuracy, over bins of equal size."""
    each = bins(points, count)
    return sum(abs(b.confidence - b.accuracy) * b.size for b in each) / len(points)


def brier(points: Sequence[Point]) -> float:
    """Mean squared difference between confidence and outcome, 0 or 1 (Brier, 1950)."""
    return sum((confidence - right) ** 2 for confidence, right in points) / len(points)


def auroc(points: Sequence[Point]) -> float | None:
    """How often a right answer is more confident than a wrong one; ties count half.

    `None` where all answers are right, or all wrong.
    """
    right = sum(correct for _, correct in points)
    wrong = len(points) - right
    if not right or not wrong:
        return None
    misses_below = wins = 0.0
    for _, tied in _by_confidence(points):
        hits = sum(tied)
        misses = len(tied) - hits
        wins += hits * (misses_below + misses / 2)
        misses_below += misses
    return wins / (right * wrong)


def accuracy_at(points: Sequence[Point], coverage: float) -> float:
    """Accuracy on the most confident share of the questions; ties at the cut are averaged."""
    covered = coverage * len(points)
    remaining, hits = covered, 0.0
    for _, tied in reversed(list(_by_confidence(points))):
        taken = min(remaining, len(tied))
        hits += sum(tied) * taken / len(tied)
        remaining -= taken
    return hits / covered


def coverage_at(points: Sequence[Point], wanted: float) -> float:
    """The largest share of questions, most confident first, with at least this accuracy."""
    best = taken = hits = 0
    for _, tied in reversed(list(_by_confidence(points))):
        taken, hits = taken + len(tied), hits + sum(tied)
        if hits >= wanted * taken:
            best = taken
    return best / len(points)


def interval(values: Sequence[float], seed: int = 0) -> tuple[float, float]:
    """The 95 % interval of the mean, by bootstrap (percentiles of `RESAMPLES` resamples)."""
    draw = random.Random(seed)
    count = len(values)
    means = sorted(sum(draw.choices(values, k=count)) / count for _ in range(RESAMPLES))
    return means[round(0.025 * (RESAMPLES - 1))], means[round(0.975 * (RESAMPLES - 1))]


def wilson_interval(share: float, count: int) -> tuple[float, float]:
    """The 95 % interval of a share of this many trials (Wilson, 1927); it is never empty."""
    z = 1.96
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * math.sqrt(share * (1 - share) / count + (z / (2 * count)) ** 2)
    half /= 1 + z * z / count
    return max(0.0, middle - half), min(1.0, middle + half)


def _by_confidence(points: Sequence[Point]) -> Iterator[tuple[float, list[bool]]]:
    ordered = sorted(points, key=lambda point: point[0])
    for confidence, tied in groupby(ordered, key=lambda point: point[0]):
        yield confidence, [right for _, right in tied]
