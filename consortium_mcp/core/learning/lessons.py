"""What a labelled run teaches: who stood behind which answer, and which of them was right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consortium_mcp.core.answers.context import context_of
from consortium_mcp.core.answers.equivalence import same
from consortium_mcp.core.answers.parsing import read
from consortium_mcp.core.confidence.agreement import group_by_answer
from consortium_mcp.core.judging.voting import plurality
from consortium_mcp.core.learning.choice import NONE_OF_THEM, Choice

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consortium_mcp.core.confidence.agreement import Groups
    from consortium_mcp.core.domain.learned import Weights
    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.domain.verdict import Response
    from consortium_mcp.core.reports.rating import Rating


@dataclass(frozen=True)
class Lesson:
    """A question with its votes, and what is known of the right answer."""

    run: Run
    """As it asks: equal weights, no calibration."""
    responses: tuple[Response, ...]
    groups: Groups
    """The labels behind each answer that was given."""
    possible: frozenset[int]
    """See `Choice.possible`."""

    @property
    def models(self) -> frozenset[str]:
        """The panel, each model once."""
        return frozenset(member.model for member in self.run.members)

    def choice(self, places: Mapping[str, int]) -> Choice:
        """The same for `choice.fit`, with the place of each model."""
        model = {member.label: member.model for member in self.run.members}
        behind = (tuple(sorted(places[model[name]] for name in group)) for group in self.groups)
        return Choice(tuple(behind), self.possible)

    def vote(self, weights: Weights | None) -> tuple[float, bool | None]:
        """The confidence of a vote with these weights, and whether its answer is right.

        That is `None` where the label does not tell.
        """
        run = self.run.model_copy(update={"weights": weights})
        verdict = plurality(run, self.responses)
        [place] = [n for n, group in enumerate(self.groups) if {*group} == {*verdict.supporters}]
        if place not in self.possible:
            return verdict.confidence, False
        return verdict.confidence, True if len(self.possible) == 1 else None


def lesson_of(run: Run, rating: Rating) -> Lesson | None:
    """What this run teaches; `None` where no member gave a short answer, or nothing follows.

    The votes of its first iteration count: later ones may have read the others' answers.
    """
    if not run.iterations:
        return None
    plain = run.model_copy(
        update={"weights": None, "calibration": None, "iterations": (), "unjudged": ()}
    )
    responses = run.iterations[0].responses
    answers = {r.label: r.final_answer for r in responses if r.answered and r.final_answer}
    groups = tuple(g for g in group_by_answer(plain, responses) if answers.keys() >= {*g})
    best = run.best
    ours = best.verdict.final_answer if best else None
    if not groups or (rating.answer is None and ours is None):
        return None
    possible = _possible(plain, [answers[group[0]] for group in groups], rating, ours)
    return Lesson(plain, responses, groups, possible)


def _possible(run: Run, answers: Sequence[str], rating: Rating, ours: str | None) -> frozenset[int]:
    """The places of the answers that may be right, by what the rating says of the run's own."""
    meant = rating.answer if rating.answer is not None else ours
    context = context_of(run.prompt, (*answers, meant))
    value = read(meant or "", context)
    equal = {n for n, answer in enumerate(answers) if same(read(answer, context), value)}
    if rating.answer is None and rating.correct is False:
        return frozenset({*range(len(answers)), NONE_OF_THEM} - equal)
    return frozenset(equal or {NONE_OF_THEM})
