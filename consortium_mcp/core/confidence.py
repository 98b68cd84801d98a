"""Agreement, confidence, and when to stop. Numbers computed here, never taken on a model's word.

Confidence is agreement times the mean stated confidence of the supporters: on 9,646 recorded
MMLU-Pro answers of six models that product is calibrated (ECE .031) without any labels, where the
best single model's stated confidence is not (ECE .180). An arbiter's own confidence can lower the
result and never raise it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from consortium_mcp.core import calibration
from consortium_mcp.core.answers import prose
from consortium_mcp.core.equivalence import group, read, same
from consortium_mcp.core.models import ConfidenceParts, Dissent
from consortium_mcp.core.options import read_options
from consortium_mcp.core.weights import weights_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from consortium_mcp.core.models import Response, Run, StopReason

LEAST_RISE = 0.02
"""A leading answer whose confidence rises by less from one iteration to the next is stable."""

Groups = tuple[tuple[str, ...], ...]


def group_by_answer(run: Run, responses: Sequence[Response]) -> Groups:
    """Labels grouped by what their final answers mean, the heaviest group first.

    Equally heavy groups stand in the order of the responses. A response without a final answer
    stands alone: nothing says that it agrees with anybody.

    Args:
        run: the run, whose prompt may offer options and whose members may differ in weight.
        responses: the iteration's responses.
    """
    options = read_options(run.prompt)
    answered = [response for response in responses if response.answered]
    groups = group([read(response.final_answer or "", options) for response in answered])
    labels = [tuple(answered[place].label for place in places) for places in groups]
    return tuple(sorted(labels, key=lambda each: weight(run, each), reverse=True))


def weight(run: Run, labels: Collection[str]) -> float:
    """The weight of these labels' votes together; rounded, so that equal sums are equal."""
    weights = weights_of(run)
    return round(sum(weights[label] for label in labels), 9)


def mean_stated(run: Run, responses: Sequence[Response], labels: Collection[str]) -> float | None:
    """The weighted mean of the confidence that these labels stated; `None` where none did."""
    weights = weights_of(run)
    stated = [
        (weights[r.label], r.stated_confidence)
        for r in responses
        if r.answered and r.label in labels and r.stated_confidence is not None
    ]
    total = sum(each for each, _ in stated)
    return sum(each * said for each, said in stated) / total if stated else None


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
    others = _others(answered, supporters, groups)
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


def _others(
    answered: Sequence[Response], supporters: Collection[str], groups: Groups
) -> list[tuple[str, ...]]:
    """The groups that do not support, each less its supporters, strangers as groups of one."""
    against = [r.label for r in answered if r.label not in supporters]
    rest = [tuple(name for name in group if name in against) for group in groups]
    grouped = {name for group in rest for name in group}
    return [g for g in rest if g] + [(name,) for name in against if name not in grouped]


def dissent_of(
    responses: Sequence[Response],
    supporters: Collection[str],
    groups: Groups,
    said: Sequence[tuple[tuple[str, ...], str]] = (),
) -> tuple[Dissent, ...]:
    """Who stands apart, one entry a group, with its argument.

    Args:
        responses: the iteration's responses.
        supporters: labels whose answer the synthesis stands on.
        groups: labels that say the same thing.
        said: what the arbiter said of dissent: labels (or none) and the argument.
    """
    answered = {r.label: r for r in responses if r.answered}
    dissent = [Dissent(labels=(), argument=argument) for labels, argument in said if not labels]
    for party in _others(list(answered.values()), supporters, groups):
        words = [argument for labels, argument in said if set(labels) & set(party)]
        strongest = max(
            (answered[name] for name in party), key=lambda r: r.stated_confidence or 0.0
        )
        dissent.append(
            Dissent(
                labels=party,
                final_answer=strongest.final_answer,
                argument=" ".join(words) or excerpt(strongest.text or ""),
            )
        )
    return tuple(dissent)


EXCERPT = 280
"""Characters: a sentence or two."""


def excerpt(text: str) -> str:
    """The beginning of a response, for a reader."""
    flat = " ".join(prose(text).split())
    return flat if len(flat) <= EXCERPT else flat[: EXCERPT - 1].rsplit(" ", 1)[0] + "…"


def stop_reason(run: Run) -> StopReason | None:
    """Why no further iteration pays, or `None` when one does."""
    verdict = run.iterations[-1].verdict
    config = run.config
    if verdict.degraded:
        return "arbiter_failed"
    if len(run.iterations) >= config.min_iterations:
        if verdict.confidence >= config.confidence_threshold and not verdict.needs_iteration:
            return "threshold"
        if len(run.iterations) > 1 and _stable(run):
            return "stable"
    return "max_iterations" if len(run.iterations) >= config.max_iterations else None


def _stable(run: Run) -> bool:
    before, now = run.iterations[-2].verdict, run.iterations[-1].verdict
    if now.confidence - before.confidence >= LEAST_RISE:
        return False
    options = read_options(run.prompt)
    was, is_now = read(before.final_answer or "", options), read(now.final_answer or "", options)
    if was is None and is_now is None:  # an open answer: the same members carry it
        return set(before.supporters) == set(now.supporters)
    return same(was, is_now)
