"""Verdicts by counting votes, for the strategies and the arbiter's fallback."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.confidence.agreement import group_by_answer, weight
from consortium_mcp.core.confidence.scoring import weigh
from consortium_mcp.core.confidence.weights import weights_of
from consortium_mcp.core.domain.verdict import Verdict
from consortium_mcp.core.judging.centrality import most_central
from consortium_mcp.core.judging.dissent import dissent_of
from consortium_mcp.core.judging.tie_breaks import break_tie
from consortium_mcp.core.reading.replies import read_reply

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
    *,
    speaker: str | None = None,
    against: float = 0.0,
) -> Verdict:
    """The verdict with the winners' answer, as one of them wrote it.

    Args:
        run: the run.
        responses: the iteration's responses.
        winners: the labels of the winning group; one of `groups`.
        groups: labels whose answers mean the same.
        method: how the winners were found, in words for the report.
        speaker: the label whose text stands; `None` for the most confident.
        against: the weight of those that speak against it without an answer of their own.
    """
    answered = {r.label: r for r in responses if r.answered}
    spoken = answered[speaker or most_confident([answered[name] for name in winners]).label]
    number, parts = weigh(
        run,
        responses,
        winners,
        groups,
        arbiter_confidence=None,
        method=method,
        against=against,
    )
    return Verdict(
        synthesis=read_reply(spoken.text or "").prose,
        final_answer=spoken.final_answer,
        confidence=number,
        parts=parts,
        supporters=winners,
        groups=(winners, *(group for group in groups if group != winners)),
        dissent=dissent_of(responses, winners, groups),
    )


def most_confident(responses: Sequence[Response]) -> Response:
    """The response that states the most confidence; of equals, the first."""
    return max(responses, key=lambda r: r.stated_confidence or 0.0)


CENTRAL = "wrote the answer most like the others: it is central, not agreed"
_FEWEST_TO_COMPARE = 3
"""Of two answers, each is as like the other."""


def plurality(run: Run, responses: Sequence[Response]) -> Verdict:
    """The heaviest group's answer. A warning reports a tie and how it was broken.

    Ties go to the group with the member of the highest tier, then to the higher mean stated
    confidence, then to the first in panel order. A member without a final answer abstains: it
    supports no other's answer, and wins only where all abstain: of three or more open answers, the
    one most like the others stands, which is central, not agreed.
    """
    groups = group_by_answer(run, responses)
    voted = {r.label for r in responses if r.answered and r.final_answer is not None}
    if not voted and len(groups) >= _FEWEST_TO_COMPARE:
        return _central(run, responses, groups)
    candidates = [group for group in groups if voted.issuperset(group)] or list(groups)
    tied = [group for group in candidates if weight(run, group) == weight(run, candidates[0])]
    winners, how = break_tie(run, responses, tied)
    if not how:
        return counted(run, responses, winners, groups)
    method = f"{COUNTING} (tie broken by {how})"
    note = f"{len(tied)} answers had equally many votes: the tie was broken by {how}."
    verdict = counted(run, responses, winners, groups, method)
    return verdict.model_copy(update={"warnings": (note,)})


def _central(run: Run, responses: Sequence[Response], groups: Groups) -> Verdict:
    """The open answer most like the others; equally central ones are told apart as ties are."""
    texts = {r.label: read_reply(r.text or "").prose for r in responses if r.answered}
    tied = [(label,) for label in most_central(texts, weights_of(run))]
    winners, _ = break_tie(run, responses, tied)
    return counted(run, responses, winners, groups, CENTRAL)


def is_central(verdict: Verdict) -> bool:
    """Whether the verdict's text was chosen for being like the others, not for votes."""
    return CENTRAL in verdict.parts.method
