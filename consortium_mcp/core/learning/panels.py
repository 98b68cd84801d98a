"""Learns one panel's weights, and keeps them only where they are better than equal ones.

They are judged on questions that they have not seen, by cross-validation: by how likely they held
the right answers, which tells more than how often the vote is right. Of several strengths of
shrinkage, the one counts whose gain is surest: the mean less its standard error.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import TYPE_CHECKING

from consortium_mcp.core.confidence import calibration
from consortium_mcp.core.domain.learned import PanelFit, Weights
from consortium_mcp.core.learning.choice import Fitted, fit, log_likelihood

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consortium_mcp.core.learning.choice import Choice
    from consortium_mcp.core.learning.lessons import Lesson

LEAST_LABELLED = 50
"""Fewest labelled runs of a panel. With fewer, hardly any gain is larger than its error."""
FOLDS = 10
SHRINKAGES = (1.0, 3.0, 10.0, 30.0, 100.0)
"""Weights are expected to differ by 1, 0.6, 0.3, 0.2 or 0.1 of log odds."""
FIXED = 1e6
"""A shrinkage that leaves nothing but the common size to be learned."""
LEAST_WEIGHT = 0.02
"""Of the mean. A member may count for next to nothing, but not against its own answer."""
_NO_GAIN = 1e-6
"""Nats a question: not more than rounding."""
Proportions = tuple[float, ...]


@dataclass(frozen=True)
class _Way:
    """One way to fit: towards which proportions, and how strongly."""

    towards: Proportions
    shrinkage: float


def fit_panel(
    lessons: Sequence[Lesson], fitted_at: str, elsewhere: Mapping[str, float] | None = None
) -> PanelFit:
    """What these lessons teach about the votes of their models.

    Args:
        lessons: labelled runs; of one panel, or of several for what they have in common.
        fitted_at: the time, ISO 8601 in UTC.
        elsewhere: what models weighed in other panels, by model: weights may be drawn to these
            proportions instead of equal ones.
    """
    models = tuple(sorted({model for lesson in lessons for model in lesson.models}))
    places = {model: place for place, model in enumerate(models)}
    choices = [lesson.choice(places) for lesson in lessons]
    equal = _Way((1.0,) * len(models), FIXED)
    baseline = _unseen(choices, equal)
    best, gain, error = equal, 0.0, math.inf
    seen: list[Fitted] = []
    for way in _ways(models, elsewhere):
        fitted = _unseen(choices, way)
        differences = [
            log_likelihood(choice, fitted[n % FOLDS]) - log_likelihood(choice, baseline[n % FOLDS])
            for n, choice in enumerate(choices)
        ]
        mean, off = fmean(differences), stdev(differences) / math.sqrt(len(differences))
        if best is equal or mean - off > gain - error:
            best, gain, error, seen = way, mean, off, fitted
    kept = gain > max(error, _NO_GAIN)
    weights = _weights(models, fit(choices, best.towards, best.shrinkage, None), lessons, fitted_at)
    before = [lesson.vote(None) for lesson in lessons]
    unseen = [_weights(models, fitted, lessons, fitted_at) for fitted in seen]
    after = [lesson.vote(unseen[n % FOLDS]) for n, lesson in enumerate(lessons)]
    votes = after if kept else before
    known = [(confidence, right) for confidence, right in votes if right is not None]
    return PanelFit(
        models=models,
        labelled=len(lessons),
        weights=weights if kept else None,
        calibration=calibration.fit_to_few(known, fitted_at),
        gain=gain,
        gain_error=error,
        right_before=_share_right(before),
        right_after=_share_right(after),
    )


def proportions(lessons: Sequence[Lesson]) -> dict[str, float]:
    """What the models of these lessons weigh, by model, without a check that it is any good."""
    models = tuple(sorted({model for lesson in lessons for model in lesson.models}))
    places = {model: place for place, model in enumerate(models)}
    choices = [lesson.choice(places) for lesson in lessons]
    fitted = fit(choices, (1.0,) * len(models), SHRINKAGES[2], None)
    return _weights(models, fitted, lessons, "").of


def _ways(models: Sequence[str], elsewhere: Mapping[str, float] | None) -> list[_Way]:
    ones = (1.0,) * len(models)
    ways = [_Way(ones, shrinkage) for shrinkage in SHRINKAGES]
    known = [elsewhere[model] for model in models if model in elsewhere] if elsewhere else []
    if elsewhere and len(known) > 1:
        mean = fmean(known)
        drawn = tuple(elsewhere.get(model, mean) / mean for model in models)
        ways += [_Way(drawn, shrinkage) for shrinkage in (*SHRINKAGES, FIXED)]
    return ways


def _unseen(choices: Sequence[Choice], way: _Way) -> list[Fitted]:
    """For each fold what all other questions teach; question n is in the fold n modulo `FOLDS`."""
    found: list[Fitted] = []
    for fold in range(FOLDS):
        others = [choice for n, choice in enumerate(choices) if n % FOLDS != fold]
        found.append(fit(others, way.towards, way.shrinkage, found[-1] if found else None))
    return [_not_against(fitted) for fitted in found]


def _not_against(fitted: Fitted) -> Fitted:
    """As it is used: no member counts against its own answer."""
    return Fitted(tuple(max(weight, 0.0) for weight in fitted.weights), fitted.none)


def _weights(
    models: Sequence[str], fitted: Fitted, lessons: Sequence[Lesson], fitted_at: str
) -> Weights:
    """The fitted weights, as parts of their mean."""
    found = _not_against(fitted).weights
    mean = fmean(found) or 1.0  # where nobody is worth following, all weigh the same
    parts = [max(weight / mean, LEAST_WEIGHT) for weight in found]
    whole = fmean(parts)
    of = {model: round(part / whole, 4) for model, part in zip(models, parts, strict=True)}
    return Weights(of=of, labelled=len(lessons), fitted_at=fitted_at)


def _share_right(votes: Sequence[tuple[float, bool | None]]) -> float | None:
    known = [right for _, right in votes if right is not None]
    return fmean(known) if known else None
