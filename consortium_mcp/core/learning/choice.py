"""A conditional logit over candidate answers: how likely is each, given who stands behind it?

McFadden, "Conditional logit analysis of qualitative choice behavior" (1974). The log odds of an
answer are the sum of the weights of the members that gave it; that none of the answers is right has
log odds of its own. For independent voters these weights are the optimal ones (Nitzan and Paroush,
1982), and members that err together learn to share theirs. Weights are shrunk towards given
proportions: a normal prior, in other words ridge regression.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

NONE_OF_THEM = -1
"""Among `Choice.possible`: perhaps no member gave the right answer."""
_STEPS = 50
_CLOSE = 1e-8
"""A gradient of at most this size ends the search."""
_SMALLEST_STEP = 1e-9
_RIDGE = 0.01
"""Keeps what the data do not say finite."""
Matrix = list[list[float]]


@dataclass(frozen=True)
class Choice:
    """The answers to one question, and which of them may be right."""

    candidates: tuple[tuple[int, ...], ...]
    """For each answer the places of the members that gave it; a model that was asked twice and
    said the same is in it twice."""
    possible: frozenset[int]
    """The candidates, by place, one of which is right; `NONE_OF_THEM` may be among them."""


@dataclass(frozen=True)
class Fitted:
    """What was fitted: log odds."""

    weights: tuple[float, ...]
    """What each member's word adds to the log odds of its answer."""
    none: float
    """The log odds of `NONE_OF_THEM`."""


def fit(
    choices: Sequence[Choice], towards: Sequence[float], shrinkage: float, start: Fitted | None
) -> Fitted:
    """The most likely weights, by damped Newton steps.

    Args:
        choices: the labelled questions.
        towards: the proportions of the members' weights where nothing is known; ones for equals.
        shrinkage: how strongly weights are drawn to these proportions; one over the variance, in
            squared log odds, that members are expected to have around them.
        start: where to begin, to save steps; what is found is the same.
    """
    counts = [*Counter(choices).items()]
    point = [*start.weights, start.none] if start else [*towards, 0.0]
    penalty = _penalty(towards, shrinkage)
    loss, slope, curvature = _loss(counts, point, penalty)
    for _ in range(_STEPS):
        step = solved(curvature, slope)
        size = 1.0
        moved = _moved(point, step, size)
        while (found := _loss(counts, moved, penalty))[0] > loss and size > _SMALLEST_STEP:
            size /= 2
            moved = _moved(point, step, size)
        point, (loss, slope, curvature) = moved, found
        if sum(abs(g * d) for g, d in zip(slope, step, strict=True)) < _CLOSE:
            break
    return Fitted(tuple(point[:-1]), point[-1])


def _moved(point: Sequence[float], step: Sequence[float], size: float) -> list[float]:
    return [x - size * d for x, d in zip(point, step, strict=True)]


def log_likelihood(choice: Choice, fitted: Fitted) -> float:
    """The log of how likely what is known of this question was held to be."""
    shares = _shares(choice, [*fitted.weights, fitted.none])
    return math.log(max(sum(shares[place] for place in choice.possible), 1e-300))


def _shares(choice: Choice, point: Sequence[float]) -> list[float]:
    """The probability of each candidate, and of none of them as the last."""
    scores = [sum(point[member] for member in members) for members in choice.candidates]
    scores.append(point[-1])
    highest = max(scores)
    odds = [math.exp(score - highest) for score in scores]
    total = sum(odds)
    return [each / total for each in odds]


def _loss(
    counts: Sequence[tuple[Choice, int]], point: Sequence[float], penalty: Matrix
) -> tuple[float, list[float], Matrix]:
    """The negative log likelihood with the penalty, its gradient, and a bound of its curvature.

    Where several answers may be right, the true curvature is lower than this one, with which
    Newton's method descends all the same (Böhning and Lindsay, 1988).
    """
    size = len(point)
    pulled = [sum(row[j] * point[j] for j in range(size)) for row in penalty]
    loss = sum(x * p for x, p in zip(point, pulled, strict=True)) / 2
    slope, curvature = pulled, [row[:] for row in penalty]
    for choice, count in counts:
        shares = _shares(choice, point)
        known = max(sum(shares[place] for place in choice.possible), 1e-300)
        loss -= count * math.log(known)
        members = (*choice.candidates, (size - 1,))
        mean: dict[int, float] = {}
        for place, (who, share) in enumerate(zip(members, shares, strict=True)):
            possible = place in choice.possible or (
                place == len(choice.candidates) and NONE_OF_THEM in choice.possible
            )
            excess = count * (share - (share / known if possible else 0.0))
            for i in who:
                slope[i] += excess
                mean[i] = mean.get(i, 0.0) + share
                row = curvature[i]
                for j in who:
                    row[j] += count * share
        for i, a in mean.items():
            row = curvature[i]
            for j, b in mean.items():
                row[j] -= count * a * b
    return loss, slope, curvature


def _penalty(towards: Sequence[float], shrinkage: float) -> Matrix:
    """Penalises what of the weights is not in these proportions, whatever their common size."""
    size, length = len(towards) + 1, sum(x * x for x in towards)
    return [
        [
            (_RIDGE if i == j else 0.0)
            + (
                shrinkage * ((i == j) - towards[i] * towards[j] / length)
                if size - 1 not in (i, j)
                else 0.0
            )
            for j in range(size)
        ]
        for i in range(size)
    ]


def solved(matrix: Matrix, right: Sequence[float]) -> list[float]:
    """The solution of a system whose matrix is symmetric and positive definite (Cholesky)."""
    size = len(right)
    lower = [[0.0] * size for _ in range(size)]
    for i in range(size):
        for j in range(i + 1):
            rest = matrix[i][j] - sum(lower[i][k] * lower[j][k] for k in range(j))
            lower[i][j] = math.sqrt(max(rest, 1e-12)) if i == j else rest / lower[j][j]
    half = [0.0] * size
    for i in range(size):
        half[i] = (right[i] - sum(lower[i][k] * half[k] for k in range(i))) / lower[i][i]
    found = [0.0] * size
    for i in reversed(range(size)):
        later = sum(lower[k][i] * found[k] for k in range(i + 1, size))
        found[i] = (half[i] - later) / lower[i][i]
    return found
