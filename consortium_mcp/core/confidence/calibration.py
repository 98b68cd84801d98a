"""Map a computed confidence to how often such answers were right, learnt from labelled runs.

Platt scaling ("Probabilistic outputs for support vector machines", 1999), on the log odds of the
confidence, so that the identity is among the maps it can learn.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.core.domain.run import Calibration

if TYPE_CHECKING:
    from collections.abc import Sequence

LEAST_LABELLED = 200
"""Runs. With fewer, two fitted parameters say more of the sample than of the models."""
_NEAR = 1e-3
"""Confidences are kept this far from 0 and 1, whose log odds are infinite."""
_STEPS = 25
"""Newton's method doubles the right digits with each."""
_CLOSE = 1e-9


def fit(labelled: Sequence[tuple[float, bool]], fitted_at: str) -> Calibration:
    """Fit on (confidence, whether the answer was right).

    Args:
        labelled: one pair a run; confidences from 0 to 1, not calibrated before.
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
    # Platt's targets: not quite 1 and 0, so that separable data gives no infinite slope.
    high, low = (right + 1) / (right + 2), 1 / (wrong + 2)
    points = [(_log_odds(score), high if correct else low) for score, correct in labelled]
    slope, intercept = _newton(points)
    return Calibration(
        slope=slope, intercept=intercept, labelled=len(labelled), fitted_at=fitted_at
    )


def apply(calibration: Calibration, confidence: float) -> float:
    """The share of right answers among labelled runs of this confidence, as the fit sees it."""
    return _sigmoid(calibration.slope * _log_odds(confidence) + calibration.intercept)


def _newton(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Slope and intercept of least log loss, by damped Newton steps; the loss is convex."""
    slope, intercept = 1.0, 0.0
    for _ in range(_STEPS):
        loss = _loss(points, slope, intercept)
        gradient_a = gradient_b = aa = ab = bb = 0.0
        for x, target in points:
            p = _sigmoid(slope * x + intercept)
            gradient_a += (p - target) * x
            gradient_b += p - target
            spread = p * (1 - p)
            aa, ab, bb = aa + spread * x * x, ab + spread * x, bb + spread
        aa, bb = aa + _CLOSE, bb + _CLOSE  # all confidences alike leave the slope undetermined
        determinant = aa * bb - ab * ab
        step_a = (bb * gradient_a - ab * gradient_b) / determinant
        step_b = (aa * gradient_b - ab * gradient_a) / determinant
        size = 1.0
        while (
            size > _CLOSE and _loss(points, slope - size * step_a, intercept - size * step_b) > loss
        ):
            size /= 2
        slope, intercept = slope - size * step_a, intercept - size * step_b
    return slope, intercept


def _loss(points: Sequence[tuple[float, float]], slope: float, intercept: float) -> float:
    total = 0.0
    for x, target in points:
        z = slope * x + intercept
        total += max(z, 0.0) + math.log1p(math.exp(-abs(z))) - target * z
    return total


def _log_odds(share: float) -> float:
    share = min(max(share, _NEAR), 1 - _NEAR)
    return math.log(share / (1 - share))


def _sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z)) if z >= 0 else 1 - 1 / (1 + math.exp(z))
