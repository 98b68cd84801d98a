"""Who ranks whose answers, under which labels, and how the rankings are joined.

Every reviewer reads other members' answers under labels, and in an order, of its own. They are
drawn from the run's seed, so a resumed run asks the same. Nobody can know beforehand under which
label its answer will stand, so no answer can ask for a place by it.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from consortium_mcp.core.confidence.weights import weights_of
from consortium_mcp.core.domain.verdict import RankedAnswer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.domain.verdict import Ballot

ALL_READ_ALL = 7
"""The most members that all read all others; of more, each reads as many as there are `STEPS`."""
STEPS = (1, 2, 5, 7)
"""Whose answers a reviewer reads where members are many: those so many places on in a drawn circle.
The differences of the steps are all different (a Golomb ruler), so an answer is compared with up
to twelve others; of thirteen, each pair is compared once. Each answer is read equally often."""
_CONSONANTS = "BCDFGHJKLMNPQRSTVWXZ"
Seen = dict[str, dict[str, str]]
"""Reviewer -> the labels that it sees, in the order of the answers, -> whose answers these are."""


def draw(run: Run, answered: Sequence[str]) -> Seen:
    """Whose answers each member that answered reads in this iteration, never its own.

    Args:
        run: the run in its present state.
        answered: the labels of the members that answered.
    """
    purpose = f"{run.seed} reviews {len(run.iterations)}"
    circle = sorted(answered, key=lambda label: (len(label), label))
    random.Random(purpose).shuffle(circle)
    steps = STEPS if len(circle) > ALL_READ_ALL else range(1, len(circle))
    seen: Seen = {}
    for place, reviewer in enumerate(circle):
        authors = [circle[(place + step) % len(circle)] for step in steps]
        chance = random.Random(f"{purpose} {reviewer}")
        chance.shuffle(authors)
        pairs = [a + b for a in _CONSONANTS for b in _CONSONANTS]
        seen[reviewer] = dict(zip(chance.sample(pairs, len(authors)), authors, strict=True))
    return {label: seen[label] for label in sorted(seen, key=lambda label: (len(label), label))}


def joined(
    run: Run, ballots: Sequence[Ballot], ties: Mapping[str, tuple[float, ...]]
) -> tuple[RankedAnswer, ...]:
    """The answers by the share of their comparisons that they won, weighted by their reviewers.

    That is Borda's count over what each reviewer ranked: an answer gets a point for each one below
    it. As a share of the points it could get, it does not matter how many reviewers ranked it, so
    reviews that are missing do nobody harm. An answer that nobody compared is left out.

    Args:
        run: the run; its members may have different weights.
        ballots: the reviewers' rankings.
        ties: what decides between equal shares, by label; more goes first.
    """
    weights = weights_of(run)
    won: dict[str, float] = {}
    possible: dict[str, float] = {}
    for ballot in ballots:
        most = len(ballot.ranking) - 1
        for place, label in enumerate(ballot.ranking if most else ()):
            vote = weights[ballot.reviewer]
            won[label] = won.get(label, 0.0) + vote * (most - place)
            possible[label] = possible.get(label, 0.0) + vote * most
    shares = {label: round(won[label] / possible[label], 9) for label in won}
    best_first = sorted(shares, key=lambda label: (shares[label], ties[label]), reverse=True)
    return tuple(RankedAnswer(labels=(label,), score=shares[label]) for label in best_first)


def kendalls_w(ballots: Sequence[Ballot], ranking: Sequence[RankedAnswer]) -> float | None:
    """How much the rankings agree: 0 as by chance or less, 1 as much as they can.

    Kendall's W is the sum of the squared deviations of the answers' points from what chance gives,
    over the greatest such sum. Where rankings are incomplete (nobody ranks its own answer), the
    greatest is that of reviewers who all follow the joined ranking; with everybody ranking all
    others, this is Durbin's form of W for balanced incomplete blocks (1951). Where each reads a few
    only, even rankings of one mind may stay a little below 1. `None` where fewer than three answers
    were compared, or by fewer than two reviewers.
    """
    order = [each.labels[0] for each in ranking]
    rankings = [ballot.ranking for ballot in ballots if len(ballot.ranking) > 1]
    if len(order) < FEWEST_ANSWERS or len(rankings) < FEWEST_REVIEWERS:
        return None
    greatest = _spread([sorted(each, key=order.index) for each in rankings])
    return min(1.0, _spread(rankings) / greatest)


FEWEST_ANSWERS, FEWEST_REVIEWERS = 3, 2


def _spread(rankings: Sequence[Sequence[str]]) -> float:
    """The sum of the squared deviations of the answers' points from their expectation."""
    deviation: dict[str, float] = {}
    for ranking in rankings:
        middle = (len(ranking) - 1) / 2
        for place, label in enumerate(ranking):
            deviation[label] = deviation.get(label, 0.0) + middle - place
    return sum(each * each for each in deviation.values())
