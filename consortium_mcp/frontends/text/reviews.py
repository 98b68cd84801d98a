"""Say in a few lines what reviewers made of the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consortium_mcp.core.domain.verdict import PeerReview, RankedAnswer


def review_lines(review: PeerReview) -> list[str]:
    """The ranking, who placed whom first or checked what, and the strongest objection."""
    lines = []
    if review.ranking:
        lines.append(f"- Best first: {', '.join(map(_place, review.ranking))}{_agreement(review)}")
    if review.ballots:
        firsts: dict[str, list[str]] = {}
        for ballot in review.ballots:
            firsts.setdefault(ballot.ranking[0], []).append(ballot.reviewer)
        placed = (f"{of} by {', '.join(who)}" for of, who in sorted(firsts.items()))
        lines.append(f"- Placed first: {'; '.join(placed)}")
    if review.checks:
        found = (f"{each.of} {each.finding} ({each.reviewer})" for each in review.checks)
        lines.append(f"- Checked: {', '.join(found)}")
    if objection := review.strongest_objection:
        lines.append(
            f"- Strongest objection to {objection.of}, by {objection.reviewer}: {objection.text}"
        )
    return lines


def _place(answer: RankedAnswer) -> str:
    return f"{' and '.join(answer.labels)} ({answer.score:.2f})"


def _agreement(review: PeerReview) -> str:
    return "" if review.kendalls_w is None else f"; Kendall's W {review.kendalls_w:.2f}"
