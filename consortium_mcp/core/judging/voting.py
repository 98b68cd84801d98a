"""A verdict that stands on a count: what the strategies and the arbiter's fallback share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.confidence.agreement import group_by_answer, weight
from consortium_mcp.core.confidence.scoring import weigh
from consortium_mcp.core.domain.verdict import Verdict
from consortium_mcp.core.judging.dissent import dissent_of
from consortium_mcp.core.judging.tie_breaks import break_tie
from consortium_mcp.core.reading.prose import prose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.confidence.agreement import Groups
    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.domain.verdict import Response

COUNTING = "gave the same final answer"


def counted(
    run: Run,
    responses: Sequence[Response],
    winners: tuple[str, ...],
    groups: Groups,
    method: str = COUNTING,
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
    winners, how = break_tie(run, responses, tied)
    if not how:
        return counted(run, responses, winners, groups)
    method = f"{COUNTING} (tie broken by {how})"
    note = f"{len(tied)} answers had equally many votes: the tie was broken by {how}."
    verdict = counted(run, responses, winners, groups, method)
    return verdict.model_copy(update={"warnings": (note,)})
