"""Finds the panels that are right most often for what they cost, on recorded answers.

Members that err together are worth less than their accuracy, so panels are judged whole, by an
equal vote. Beam search: the best panels of each size are enlarged by every model. What is said of a
panel's accuracy comes from cross-validation: the choice is made without the questions that it is
judged on, since the best of many panels is best by luck as well.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consortium_mcp.core.answers.context import context_of
from consortium_mcp.core.answers.equivalence import group
from consortium_mcp.core.answers.parsing import read
from consortium_mcp.core.evaluation import metrics
from consortium_mcp.core.reading.replies import read_reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from consortium_mcp.core.evaluation.recordings import Recording

FOLDS = 5
BEAM = 5
"""Panels of each size that are enlarged."""
RIGHT = 0
"""The number of the right answer; the others are numbered from 1 in each question."""
Panel = tuple[str, ...]


@dataclass(frozen=True)
class Suggestion:
    """The best panel for its cost."""

    panel: Panel
    cost: float
    """Of one question: calls, or US dollars where prices were given."""
    accuracy: float
    """Of panels chosen so, on questions that they were not chosen by."""
    interval: tuple[float, float]
    """95 %, by bootstrap over the questions."""


@dataclass(frozen=True)
class Votes:
    """One question: what each model said, as a number, and how sure it was."""

    said: Mapping[str, tuple[int, float]]

    def right(self, panel: Panel) -> bool:
        """Whether an equal vote of the panel is right; ties go to the higher stated confidence."""
        totals: dict[int, list[float]] = {}
        for model in panel:
            if model in self.said:
                answer, stated = self.said[model]
                total = totals.setdefault(answer, [0, 0.0])
                total[0] += 1
                total[1] += stated
        if RIGHT not in totals:
            return False
        best = max(totals, key=lambda answer: (totals[answer][0], totals[answer][1]))
        return best == RIGHT


def suggest(
    recordings: Sequence[Recording],
    models: Sequence[str],
    largest: int,
    prices: Mapping[str, float] | None = None,
) -> list[Suggestion]:
    """The panels of at most so many members that no other is better than for the same cost.

    Args:
        recordings: the questions.
        models: who may be in a panel.
        largest: the most members.
        prices: what a call of each model costs, in US dollars; without, every call costs 1.

    Returns:
        From the cheapest to the dearest; each is chosen for being right more often.
    """
    questions = [votes_of(recording) for recording in recordings]
    costs = prices or dict.fromkeys(models, 1.0)

    def cost(panel: Panel) -> float:
        return sum(costs[model] for model in panel)

    seen = _searched(questions, models, largest)
    found = [(panel, cost(panel)) for panel in _frontier(seen, cost)]
    hits: dict[Panel, list[float]] = defaultdict(list)
    for fold in range(FOLDS):
        held_out = questions[fold::FOLDS]
        known = [votes for n, votes in enumerate(questions) if n % FOLDS != fold]
        chosen = _searched(known, models, largest)
        for panel, budget in found:
            within = [p for p in chosen if cost(p) <= budget + 1e-12]
            best = max(within, key=lambda p: chosen[p], default=panel)
            hits[panel] += [float(votes.right(best)) for votes in held_out]
    return [
        Suggestion(panel, paid, sum(hits[panel]) / len(questions), metrics.interval(hits[panel]))
        for panel, paid in found
    ]


def votes_of(recording: Recording) -> Votes:
    """What each model said to this question, told apart as the engine does."""
    replies = {
        model: read_reply(reply.text)
        for model in (*recording.answers, *recording.texts)
        if (reply := recording.reply(model)) is not None
    }
    given = {model: each for model, each in replies.items() if each.final_answer is not None}
    answers = [recording.gold, *(each.final_answer or "" for each in given.values())]
    context = context_of(recording.question or "", answers)
    groups = group([read(answer, context) for answer in answers])
    number = {place: n for n, places in enumerate(groups) for place in places}
    right = number[0]
    said = {}
    for place, (model, each) in enumerate(given.items(), start=1):
        answer = RIGHT if number[place] == right else number[place] + 1
        said[model] = (answer, each.stated_confidence or 0.0)
    return Votes(said)


def _searched(
    questions: Sequence[Votes], models: Sequence[str], largest: int
) -> dict[Panel, float]:
    """The panels that were looked at, with how often they are right."""
    beam: list[Panel] = [()]
    seen: dict[Panel, float] = {}
    for _ in range(largest):
        grown = {
            tuple(sorted((*panel, model)))
            for panel in beam
            for model in models
            if model not in panel
        }
        for panel in sorted(grown):
            seen[panel] = sum(votes.right(panel) for votes in questions) / max(1, len(questions))
        beam = sorted(grown, key=lambda panel: (-seen[panel], panel))[:BEAM]
    return seen


def _frontier(seen: Mapping[Panel, float], cost: Callable[[Panel], float]) -> list[Panel]:
    """The panels that are right more often than all that cost no more."""
    best, found = 0.0, []
    for panel in sorted(seen, key=lambda panel: (cost(panel), -seen[panel], panel)):
        if seen[panel] > best:
            best = seen[panel]
            found.append(panel)
    return found
