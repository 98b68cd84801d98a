"""Weighs votes: by the members' tiers, else by what labelled runs taught, else equally.

A tier stands for an accuracy, and a vote weighs the log odds of it. All members of a tier weigh the
same. Weights guessed for single models hurt a panel of peers, tiers do not (9,646 recorded MMLU-Pro
questions). For independent voters of known accuracy, log odds are the optimal weights (Nitzan and
Paroush, 1982). How weights are learned: `core.learning`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consortium_mcp.core.domain.consortium import Tier
    from consortium_mcp.core.domain.run import Run

ACCURACY: dict[Tier | None, float] = {"strong": 0.78, "mid": 0.63, None: 0.63, "light": 0.55}
"""The accuracy assumed for each tier: about the means of recorded strong, middling and small models
(panels S6, M7, and X5 without its strong one). A member without a tier counts as middling."""
RANK: dict[Tier | None, int] = {"strong": 2, "mid": 1, None: 1, "light": 0}
"""The order of the tiers; higher is stronger."""


def weights_of(run: Run) -> Mapping[str, float]:
    """The weight of each label's vote; 1 for all where the members are of equal accuracy.

    Three middling members that agree outvote a strong one, but six light ones do not.
    """
    if weighted_by(run) == "labels":
        return _learned(run)
    return weights_of_tiers({m.label: m.tier for m in run.members})


def weights_of_tiers(tiers: Mapping[str, Tier | None]) -> dict[str, float]:
    """The weight of each vote by its tier; 1 for all where all are of equal accuracy."""
    odds = {name: _log_odds(ACCURACY[tier]) for name, tier in tiers.items()}
    if len(set(odds.values())) == 1:
        return dict.fromkeys(odds, 1.0)
    return odds


def weighted_by(run: Run) -> Literal["labels", "tier"] | None:
    """What gives votes different weights, if anything does; the user's own word goes first."""
    if any(member.tier is not None for member in run.panel):
        return "tier"
    if run.weights is not None:
        return "labels"
    return "tier" if len({ACCURACY[member.tier] for member in run.members}) > 1 else None


def _learned(run: Run) -> Mapping[str, float]:
    """The learned weights.

    A model that was not among the labelled ones weighs as the mean of the others; one that is asked
    for its strength, as the strongest.
    """
    known = run.weights.of if run.weights else {}
    found = [known[member.model] for member in run.members if member.model in known] or [1.0]
    mean, most = sum(found) / len(found), max(found)
    return {m.label: known.get(m.model, most if m.reserve else mean) for m in run.members}


def _log_odds(accuracy: float) -> float:
    return math.log(accuracy / (1 - accuracy))
