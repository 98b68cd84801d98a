"""Chooses between answers with equally many votes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.confidence.agreement import mean_stated
from consortium_mcp.core.confidence.weights import RANK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.domain.verdict import Response


def break_tie(
    run: Run, responses: Sequence[Response], tied: Sequence[tuple[str, ...]]
) -> tuple[tuple[str, ...], str]:
    """The winning group, and what decided; an empty text where there was no tie."""
    ranks = {member.label: RANK[member.tier] for member in run.members}
    highest = {group: max(ranks[label] for label in group) for group in tied}
    stated = {group: mean_stated(run, responses, group) or 0.0 for group in tied}
    for how, measure in (("tier", highest), ("mean stated confidence", stated)):
        best = [group for group in tied if measure[group] == max(measure[g] for g in tied)]
        if len(best) < len(tied):
            if len(best) == 1:
                return best[0], how
            tied = best
    return tied[0], "panel order" if len(tied) > 1 else ""
