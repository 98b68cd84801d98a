"""Learns all there is from labelled runs: weights of votes, and what a confidence is worth."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from consortium_mcp.core.confidence import calibration
from consortium_mcp.core.domain.learned import Learned
from consortium_mcp.core.learning.panels import LEAST_LABELLED, fit_panel, proportions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.domain.learned import PanelFit
    from consortium_mcp.core.learning.lessons import Lesson


def learn(
    lessons: Sequence[Lesson],
    labelled: Sequence[tuple[float, bool]],
    labels: int,
    fitted_at: str,
) -> Learned:
    """What the labelled runs teach.

    Args:
        lessons: what each run teaches about votes; runs of open answers teach nothing here.
        labelled: each run's confidence before calibration, and whether its answer was right.
        labels: how many labels there are.
        fitted_at: the time, ISO 8601 in UTC.

    Raises:
        ConfigError: there are too few for anything; the message says how many there are.
    """
    panels = fit_panels(lessons, fitted_at)
    enough = len(labelled) >= calibration.LEAST_LABELLED
    fitted = calibration.fit(labelled, fitted_at) if enough or not panels else None
    together = None
    if panels and len({lesson.models for lesson in lessons}) > 1:
        together = fit_panel(lessons, fitted_at)
    elif panels:
        together = panels[0]
    return Learned(
        calibration=fitted,
        panels=panels,
        together=together if together and together.weights else None,
        labelled=labels,
    )


def fit_panels(lessons: Sequence[Lesson], fitted_at: str) -> tuple[PanelFit, ...]:
    """One fit for each panel of several models with enough labels, the most labelled first.

    What the other panels' runs say of its members is lent to it.
    """
    by_panel: dict[frozenset[str], list[Lesson]] = defaultdict(list)
    for lesson in lessons:
        by_panel[lesson.models].append(lesson)
    fits = []
    for models, own in by_panel.items():
        if len(models) > 1 and len(own) >= LEAST_LABELLED:
            others = [lesson for lesson in lessons if lesson.models != models]
            lent = proportions(others) if len(others) >= LEAST_LABELLED else None
            fits.append(fit_panel(own, fitted_at, lent))
    return tuple(sorted(fits, key=lambda panel: -panel.labelled))
