"""Computes a verdict's confidence: agreement times the supporters' mean stated confidence.

Agreement of a few votes, or of votes that repeat each other, counts a little less: see `few`.

On 9,646 recorded MMLU-Pro answers of six models, this product is calibrated (ECE .031) without any
labels, while the best single model's stated confidence is not (ECE .180). An arbiter's own
confidence can lower the result but never raise it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from consortium_mcp.core.confidence.agreement import (
    Groups,
    group_by_answer,
    mean_stated,
    opposing_groups,
    weight,
)
from consortium_mcp.core.confidence.calibration import apply
from consortium_mcp.core.confidence.few import repeated, share_left, unheard
from consortium_mcp.core.confidence.weights import weighted_by, weights_of
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
    against: float = 0.0,
) -> tuple[float, ConfidenceParts]:
    """Compute a synthesis's confidence and its parts, with the same weights as a vote.

    Args:
        run: the run.
        responses: the votes, at least one of them answered; failed ones do not count.
        supporters: labels whose answer the synthesis is based on.
        groups: labels whose answers mean the same; a label in no group agrees with nobody.
        arbiter_confidence: the confidence that the arbiter states, if any.
        method: who the supporters are, for the report; continues "the share of members that".
        against: the weight of those that found an error in the synthesis and gave no answer of
            their own: it counts as if they had voted for something else.

    Returns:
        The confidence from 0 to 1, and its parts.
    """
    answered = [r for r in responses if r.answered]
    supporting = [r.label for r in answered if r.label in supporters]
    counts = _counts(run, answered, supporting, groups, against)
    stated = mean_stated(run, answered, supporting)
    spared = unheard(run, responses)
    left = share_left(run, [r.label for r in answered], supporting, spared)
    factor = counts["agreement"] * left
    if is_alone(responses):
        factor *= weight(run, [r.label for r in answered]) / weight(
            run, [r.label for r in responses]
        )
        counts |= {"agreement": None, "margin": None}
    product = factor if stated is None else factor * stated
    computed = product if arbiter_confidence is None else min(product, arbiter_confidence)
    calibrated = None if run.calibration is None else apply(run.calibration, computed)
    share = f"the {'weighted ' if counts['weighted'] else ''}share of members that {method}"
    if counts["agreement"] is None:
        share = f"the share of the {len(responses)} members asked that answered, which is one"
    if left < 1:
        share += ", less what too few different votes leave open"
    parts = ConfidenceParts(
        **counts,
        unheard=len(spared),
        repeated=len(repeated(run, supporting)),
        mean_stated=stated,
        arbiter_confidence=arbiter_confidence,
        calibrated=calibrated is not None,
        uncalibrated=None if calibrated is None else computed,
        method=_explanation(run, share, stated=stated is not None, lowered=computed < product),
    )
    return computed if calibrated is None else calibrated, parts


def is_alone(responses: Sequence[Response]) -> bool:
    """Whether one of several that were asked answered, so that nobody can agree with it.

    Its confidence then counts those that did not answer as if they disagreed: a failure must not
    make an answer look surer than a disagreement would.
    """
    return len(responses) > 1 and sum(r.answered for r in responses) == 1


def _counts(
    run: Run,
    answered: Sequence[Response],
    supporting: Sequence[str],
    groups: Groups,
    against: float,
) -> dict[str, Any]:
    """The counts of the votes, as fields of `ConfidenceParts`."""
    total = weight(run, [r.label for r in answered]) + against
    agreement = min(1.0, weight(run, supporting) / total)
    others = opposing_groups(answered, supporting, groups)
    weighted = len({weights_of(run)[r.label] for r in answered}) > 1
    return {
        "agreement": agreement,
        "margin": agreement - max((weight(run, g) for g in others), default=0) / total,
        "votes": len(answered),
        "abstentions": sum(r.final_answer is None for r in answered),
        "distinct_answers": len(others) + bool(supporting),
        "grouped_by": _grouped_by(run, answered, (*groups, tuple(supporting))),
        "weighted": weighted,
        "weighted_by": weighted_by(run) if weighted else None,
    }


def _explanation(run: Run, share: str, *, stated: bool, lowered: bool) -> str:
    """How the confidence was computed, in words."""
    text = f"{share}, times the mean confidence they stated" if stated else share
    if lowered:
        text = f"the arbiter's own confidence, because it is lower than {text}"
    if run.calibration is not None:
        text = f"calibrated on {run.calibration.labelled} labelled runs, from {text}"
    return text


def _grouped_by(
    run: Run, answered: Sequence[Response], groups: Groups
) -> Literal["answers", "arbiter"]:
    """`answers` where each group lies within one group of equal answers, else `arbiter`."""
    answer_groups = [set(group) for group in group_by_answer(run, answered)]
    by_answers = all(any(same.issuperset(group) for same in answer_groups) for group in groups)
    return "answers" if by_answers else "arbiter"
