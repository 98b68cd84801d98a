"""How sure a verdict is: agreement times what its supporters state of themselves.

On 9,646 recorded MMLU-Pro answers of six models that product is calibrated (ECE .031) without any
labels, where the best single model's stated confidence is not (ECE .180). An arbiter's own
confidence can lower the result and never raise it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from consortium_mcp.core.confidence import calibration
from consortium_mcp.core.confidence.agreement import (
    Groups,
    group_by_answer,
    mean_stated,
    opposing_groups,
    weight,
)
from consortium_mcp.core.confidence.weights import weights_of
from consortium_mcp.core.domain.verdict import ConfidenceParts

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.domain.verdict import Response


def weigh(
    run: Run,
    responses: Sequence[Response],
    supporters: Collection[str],
    groups: Groups,
    *,
    arbiter_confidence: float | None,
    method: str,
) -> tuple[float, ConfidenceParts]:
    """Agreement and confidence of a synthesis, with the same weights as a vote.

    Args:
        run: the run.
        responses: the votes, one answered at least; those that failed are none.
        supporters: labels whose answer the synthesis stands on.
        groups: labels that say the same thing; labels in none of them stand alone.
        arbiter_confidence: what the arbiter says of itself, if anything.
        method: how the supporters were found, in words, for the report.

    Returns:
        The confidence from 0 to 1, and its parts.
    """
    answered = [r for r in responses if r.answered]
    total = weight(run, [r.label for r in answered])
    backers = [r.label for r in answered if r.label in supporters]
    agreement = min(1.0, weight(run, backers) / total)
    stated = mean_stated(run, answered, backers)
    others = opposing_groups(answered, supporters, groups)
    weighted = len({weights_of(run)[r.label] for r in answered}) > 1
    confidence = agreement
    how = [f"{'weighted ' if weighted else ''}agreement by {method}"]
    if stated is not None:
        confidence *= stated
        how.append("mean stated confidence of the supporters")
    text = " × ".join(how)
    if arbiter_confidence is not None and arbiter_confidence < confidence:
        confidence = arbiter_confidence
        text = f"lowered to the arbiter's own, from {text}"
    uncalibrated = None
    if run.calibration is not None:
        uncalibrated, confidence = confidence, calibration.apply(run.calibration, confidence)
        text = f"calibrated on {run.calibration.labelled} labelled runs, from {text}"
    parts = ConfidenceParts(
        agreement=agreement,
        margin=agreement - max((weight(run, g) for g in others), default=0) / total,
        mean_stated=stated,
        votes=len(answered),
        abstentions=sum(r.final_answer is None for r in answered),
        distinct_answers=len(others) + bool(backers),
        grouped_by=_grouped_by(run, answered, (*groups, tuple(backers))),
        arbiter_confidence=arbiter_confidence,
        weighted=weighted,
        calibrated=uncalibrated is not None,
        uncalibrated=uncalibrated,
        method=text,
    )
    return confidence, parts


def _grouped_by(
    run: Run, answered: Sequence[Response], groups: Groups
) -> Literal["answers", "arbiter"]:
    """Whether the answers themselves say what these groups say."""
    ours = [set(group) for group in group_by_answer(run, answered)]
    by_answers = all(any(own.issuperset(group) for own in ours) for group in groups)
    return "answers" if by_answers else "arbiter"
