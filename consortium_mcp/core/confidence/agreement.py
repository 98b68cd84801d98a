"""Groups equal answers, and counts who agrees. `scoring` computes the confidence from this."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.answers.context import context_of
from consortium_mcp.core.answers.equivalence import group
from consortium_mcp.core.answers.parsing import read
from consortium_mcp.core.confidence.weights import weights_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.domain.verdict import Response

Groups = tuple[tuple[str, ...], ...]


def group_by_answer(run: Run, responses: Sequence[Response]) -> Groups:
    """Group the labels by what their final answers mean, the heaviest group first.

    Equally heavy groups keep the order of the responses. A response without a final answer is a
    group by itself, as nothing shows that it agrees with another.

    Args:
        run: the run; its prompt may offer options, its members may have different weights.
        responses: the iteration's responses.
    """
    answered = [response for response in responses if response.answered]
    context = context_of(run.prompt, [response.final_answer for response in answered])
    groups = group([read(response.final_answer or "", context) for response in answered])
    labels = [tuple(answered[place].label for place in places) for places in groups]
    return tuple(sorted(labels, key=lambda names: weight(run, names), reverse=True))


def weight(run: Run, labels: Collection[str]) -> float:
    """The summed weight of these labels' votes; rounded, so that equal sums compare equal."""
    weights = weights_of(run)
    return round(sum(weights[label] for label in labels), 9)


def mean_stated(run: Run, responses: Sequence[Response], labels: Collection[str]) -> float | None:
    """The weighted mean of the confidences that these labels stated; `None` where none did."""
    weights = weights_of(run)
    stated = [
        (weights[r.label], r.stated_confidence)
        for r in responses
        if r.answered and r.label in labels and r.stated_confidence is not None
    ]
    total = sum(vote for vote, _ in stated)
    return sum(vote * confidence for vote, confidence in stated) / total if stated else None


def opposing_groups(
    answered: Sequence[Response], supporters: Collection[str], groups: Groups
) -> list[tuple[str, ...]]:
    """The groups without their supporters; a label in no group forms a group of one."""
    against = [r.label for r in answered if r.label not in supporters]
    rest = [tuple(name for name in group if name in against) for group in groups]
    grouped = {name for group in rest for name in group}
    return [g for g in rest if g] + [(name,) for name in against if name not in grouped]
