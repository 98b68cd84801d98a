"""A verdict that stands on a count: what the strategies and the arbiter's fallback share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.answers import prose
from consortium_mcp.core.confidence import (
    dissent_of,
    group_by_answer,
    mean_stated,
    weigh,
    weight,
)
from consortium_mcp.core.models import Verdict
from consortium_mcp.core.weights import RANK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.confidence import Groups
    from consortium_mcp.core.models import Response, Run

METHOD = "counting equal final answers"


def counted(
    run: Run,
    responses: Sequence[Response],
    winners: tuple[str, ...],
    groups: Groups,
    method: str = METHOD,
) -> Verdict:
    """The winners' answer, word for word, told by the most confident of them.

    Args:
        run: the run.
        responses: the iteration's responses.
        winners: the labels that won; one of the groups.
        groups: labels that say the same thing.
        method: how the winners were found, in words, for the report.
    """
    answered = {r.label: r for r in responses if r.answered}
    teller = max((answered[name] for name in winners), key=lambda r: r.stated_confidence or 0.0)
    number, parts = weigh(run, responses, winners, groups, arbiter_confidence=None, method=method)
    return Verdict(
        synthesis=prose(teller.text or ""),
        final_answer=teller.final_answer,
        confidence=number,
        parts=parts,
        supporters=winners,
        groups=(winners, *(group for group in groups if group != winners)),
        dissent=dissent_of(responses, winners, groups),
    )


def plurality(run: Run, responses: Sequence[Response]) -> Verdict:
    """The heaviest group's answer. A tie, and how it was broken, stands in the warnings.

    Ties go to the group with the member of the highest tier, then to the higher mean stated
    confidence, then to the first by panel order. Who gave no final answer abstains: its weight
    stands behind nobody's answer, and it wins only where all abstained.
    """
    groups = group_by_answer(run, responses)
    voted = {r.label for r in responses if r.answered and r.final_answer is not None}
    standing = [group for group in groups if voted.issuperset(group)] or list(groups)
    tied = [group for group in standing if weight(run, group) == weight(run, standing[0])]
    winners, how = _break_tie(run, responses, tied)
    if not how:
        return counted(run, responses, winners, groups)
    method = f"{METHOD} (tie broken by {how})"
    note = f"{len(tied)} answers had equally many votes: the tie was broken by {how}."
    verdict = counted(run, responses, winners, groups, method)
    return verdict.model_copy(update={"warnings": (note,)})


def _break_tie(
    run: Run, responses: Sequence[Response], tied: Sequence[tuple[str, ...]]
) -> tuple[tuple[str, ...], str]:
    """The group that stands, and by what; nothing is said of it where there was no tie."""
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
