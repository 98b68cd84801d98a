"""Members answer, rank each other's answers without names, and the arbiter writes as their chair.

The three stages are those of Karpathy's llm-council (2025): answers, anonymous reviews, a chair.
Here nobody reviews its own answer, and every reviewer sees labels and an order of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.confidence.agreement import group_by_answer, weight
from consortium_mcp.core.domain.errors import VerdictError
from consortium_mcp.core.domain.verdict import Ballot, Objection, PeerReview
from consortium_mcp.core.judgements.quotations import Source
from consortium_mcp.core.judgements.reviews import RANKING_FIELDS, parse_ranking_of_peers
from consortium_mcp.core.judgements.verdicts import json_schema
from consortium_mcp.core.judging import arbitration, peer_ranking
from consortium_mcp.core.judging.reviewers import ask_reviewers, question_for_review
from consortium_mcp.core.prompts import for_reviewers
from consortium_mcp.core.strategies import waves
from consortium_mcp.core.strategies.synthesis import Synthesis

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consortium_mcp.core.domain.ask import Ask, Question
    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.domain.verdict import Response, Verdict
    from consortium_mcp.core.judgements.reviews import ReadRanking
    from consortium_mcp.core.judging.reviewers import Replies


class Council(Synthesis):
    """Reviews inform the chair; they are no votes, as their writers have read the answers."""

    description = "Members rank each other; the arbiter writes."
    asks_in_waves = False

    def calls(self, run: Run) -> waves.Calls:
        """Each member answers and reviews once; then a verdict as in `synthesis`."""
        members = len(run.panel)
        reviews = members if members > 1 else 0
        return waves.calls(
            run, verdicts=(1, waves.arbiter_calls(run)), reviews=(reviews, len(run.members))
        )

    async def judge(self, run: Run, responses: Sequence[Response], ask: Ask) -> Verdict:
        """The chair's verdict on the answers, the joined ranking and the objections."""
        answered = {r.label: r for r in responses if r.answered}
        if len(answered) == 1:
            return await arbitration.arbitrate(run, responses, ask)
        seen = peer_ranking.draw(run, [*answered])
        replies = await ask_reviewers(run, _questions(run, seen, answered), ask)
        review = _joined(run, seen, _read(run, seen, answered, replies), answered)
        review = review.model_copy(
            update={"missing": tuple(each for each in seen if each in replies.missing)}
        )
        verdict = await arbitration.arbitrate(run, responses, ask, review=review)
        warnings = (*verdict.warnings, *replies.notes(), *_differing(review, verdict))
        return verdict.model_copy(update={"review": review, "warnings": warnings})


def _questions(
    run: Run, seen: peer_ranking.Seen, answered: Mapping[str, Response]
) -> list[Question]:
    members = {member.label: member for member in run.members}
    return [
        question_for_review(
            run,
            members[reviewer],
            reviewer,
            for_reviewers.prompt_to_rank(
                run, reviewer, {label: answered[author] for label, author in authors.items()}
            ),
            json_schema(authors, RANKING_FIELDS, for_reviewers.code_for(run, reviewer)),
        )
        for reviewer, authors in seen.items()
    ]


def _read(
    run: Run, seen: peer_ranking.Seen, answered: Mapping[str, Response], replies: Replies
) -> dict[str, ReadRanking]:
    """The reviews by their reviewers; what cannot be read counts as missing."""
    material = arbitration.material_of(run, [*answered.values()])
    found: dict[str, ReadRanking] = {}
    for reviewer, text in list(replies.texts.items()):
        source = Source(for_reviewers.code_for(run, reviewer), material)
        try:
            found[reviewer] = parse_ranking_of_peers(text, seen[reviewer], source)
        except VerdictError as error:
            replies.reject(reviewer, f"it could not be read ({str(error).rstrip('.')})")
        else:
            replies.warnings += [f"The review by {reviewer}: {w}" for w in found[reviewer].warnings]
            shown, ranked = len(seen[reviewer]), len(found[reviewer].ranking)
            if ranked < shown:
                note = f"it ranked {ranked} of {shown} answers"
                replies.warnings.append(f"The review by {reviewer}: {note}.")
    return found


def _joined(
    run: Run,
    seen: peer_ranking.Seen,
    reviews: Mapping[str, ReadRanking],
    answered: Mapping[str, Response],
) -> PeerReview:
    ballots = tuple(
        Ballot(
            reviewer=reviewer,
            shown=tuple(seen[reviewer].values()),
            ranking=tuple(seen[reviewer][label] for label in review.ranking),
        )
        for reviewer, review in reviews.items()
    )
    ranking = peer_ranking.joined(run, ballots, _ties(run, answered))
    first = ranking[0].labels[0] if ranking else None
    objections = [
        Objection(reviewer=reviewer, of=seen[reviewer][label], text=text)
        for reviewer, review in reviews.items()
        for label, text in review.first_errors.items()
    ]
    low = {b.reviewer: b.ranking.index(first) for b in ballots if first in b.ranking}
    objections.sort(
        key=lambda o: (o.of == first, low.get(o.reviewer, 0), weight(run, [o.reviewer])),
        reverse=True,
    )
    return PeerReview(
        ranking=ranking,
        ballots=ballots,
        kendalls_w=peer_ranking.kendalls_w(ballots, ranking),
        objections=tuple(objections),
    )


def _ties(run: Run, answered: Mapping[str, Response]) -> dict[str, tuple[float, ...]]:
    """Between equally ranked answers: how many gave the same, then its confidence, then order."""
    groups = group_by_answer(run, [*answered.values()])
    support = {label: weight(run, group) for group in groups for label in group}
    return {
        label: (support[label], response.stated_confidence or 0.0, -place)
        for place, (label, response) in enumerate(answered.items())
    }


def _differing(review: PeerReview, verdict: Verdict) -> tuple[str, ...]:
    """A warning where the chair's synthesis does not stand on the answer ranked first."""
    if not review.ranking or not verdict.supporters:
        return ()
    first = review.ranking[0].labels[0]
    if first in verdict.supporters:
        return ()
    stands = ", ".join(verdict.supporters)
    return (f"The members rank {first} first; the chair's synthesis stands on {stands}.",)
