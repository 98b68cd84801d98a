"""Calibrates a computed confidence: how often were such answers right in labelled runs?

It uses Platt scaling ("Probabilistic outputs for support vector machines", 1999) on the log odds of
the confidence, so that the identity is one of the maps it can learn.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.core.domain.learned import Calibration

if TYPE_CHECKING:
    from collections.abc import Sequence

LEAST_LABELLED = 200
"""Fewest labelled runs. With fewer, two fitted parameters reflect the sample, not the models."""
EXPECTED_DEVIATION = 0.4
"""The standard deviation of the prior of `fit_to_few`, of the slope as of the intercept."""
_MARGIN = 1e-3
"""Least distance of a confidence from 0 and 1, whose log odds are infinite."""
_STEPS = 25
"""Newton's method doubles the correct digits with each step."""
_EPSILON = 1e-9


def fit(labelled: Sequence[tuple[float, bool]], fitted_at: str) -> Calibration:
    """Fit a calibration on pairs of (confidence, whether the answer was right).

    Args:
        labelled: one pair per run; confidences from 0 to 1, not yet calibrated.
        fitted_at: the time, ISO 8601 in UTC.

    Raises:
        ConfigError: fewer than `LEAST_LABELLED` pairs; the message says how many there are.
    """
    if len(labelled) < LEAST_LABELLED:
        raise ConfigError(
            f"Calibration needs at least {LEAST_LABELLED} labelled runs, and there are "
            f"{len(labelled)}: label {LEAST_LABELLED - len(labelled)} more."
        )
    right = sum(correct for _, correct in labelled)
    wrong = len(labelled) - right
    # Platt's targets: not quite 1 and 0, so that separable data does not give an infinite slope.
    high, low = (right + 1) / (right + 2), 1 / (wrong + 2)
    points = [(_log_odds(score), high if correct else low) for score, correct in labelled]
    slope, intercept = _newton(points)
    return Calibration(
        slope=slope, intercept=intercept, labelled=len(labelled), fitted_at=fitted_at
    )


def fit_to_few(labelled: Sequence[tuple[float, bool]], fitted_at: str) -> Calibration:
    """Fit a calibration on fewer pairs, drawn towards leaving each confidence as it is.

    Slope and intercept have a normal prior around 1 and 0, whose width was chosen on recorded
    answers: with 50 labels it helps every panel, with 500 it is hardly felt.
    """
    points = [(_log_odds(score), float(correct)) for score, correct in labelled]
    slope, intercept = _newton(points, 1 / EXPECTED_DEVIATION**2)
    return Calibration(
        slope=slope, intercept=intercept, labelled=len(labelled), fitted_at=fitted_at
    )


def apply(calibration: Calibration, confidence: float) -> float:
    """The calibrated confidence: the fitted share of right answers at this confidence."""
    return _sigmoid(calibration.slope * _log_odds(confidence) + calibration.intercept)


def _newton(points: Sequence[tuple[float, float]], pull: float = 0.0) -> tuple[float, float]:
    """The slope and intercept that minimise the log loss, by damped Newton steps; it is convex.

    Args:
        points: log odds of the confidence, and what they should become a probability of.
        pull: the precision of a prior around the identity; 0 for none.
    """
    slope, intercept = 1.0, 0.0
    for _ in range(_STEPS):
        loss = _loss(points, slope, intercept, pull)
        gradient_a, gradient_b = pull * (slope - 1), pull * intercept
        aa, ab, bb = pull, 0.0, pull
        for x, target in points:
            p = _sigmoid(slope * x + intercept)
            gradient_a += (p - target) * x
            gradient_b += p - target
            spread = p * (1 - p)
            aa, ab, bb = aa + spread * x * x, ab + spread * x, bb + spread
        aa, bb = aa + _EPSILON, bb + _EPSILON  # equal confidences leave the slope undetermined
        determinant = aa * bb - ab * ab
        step_a = (bb * gradient_a - ab * gradient_b) / determinant
        step_b = (aa * gradient_b - ab * gradient_a) / determinant
        size = 1.0
        while (
            size > _EPSILON
            and _loss(points, slope - size * step_a, intercept - size * step_b, pull) > loss
        ):
            size /= 2
        slope, intercept = slope - size * step_a, intercept - size * step_b
    return slope, intercept


def _loss(
    points: Sequence[tuple[float, float]], slope: float, intercept: float, pull: float
) -> float:
    total = pull * ((slope - 1) ** 2 + intercept**2) / 2
    for x, target in points:
        z = slope * x + intercept
        total += max(z, 0.0) + math.log1p(math.exp(-abs(z))) - target * z
    return total


def _log_odds(share: float) -> float:
    share = min(max(share, _MARGIN), 1 - _MARGIN)
    return math.log(share / (1 - share))


def _sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z)) if z >= 0 else 1 - 1 / (1 + math.exp(z))
