"""Agrees recorded objects as the engine does, and measures what comes of it.

No arbiter was recorded, and a second iteration neither: what is measured is the agreement of one.
"""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import BaseModel

from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.core.evaluation import metrics
from consortium_mcp.core.evaluation.objects import Scores, right_leaves, scores
from consortium_mcp.core.structured.agreeing import Ballot, agree
from consortium_mcp.core.structured.replies import read_object
from consortium_mcp.core.structured.schema import read_schema

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consortium_mcp.core.evaluation.metrics import Point
    from consortium_mcp.core.evaluation.objects import ObjectRecording

Metric = Literal["em", "f1"]


class ObjectOutcome(NamedTuple):
    """What came of one task."""

    scores: Scores
    points: list[Point]
    """(confidence, whether it is right) of each leaf of the object."""
    unanimous: list[bool]
    """Of each leaf that all members agree on, whether it is right."""
    contested: list[bool]
    """The same of the others."""
    confidence: float
    valid: bool


class ObjectMeasures(BaseModel):
    """The measures of one way to answer, over all tasks."""

    em: float
    f1: float
    interval: tuple[float, float]
    """95 % of the chosen metric, by bootstrap over the tasks."""
    auroc: float | None
    """Of the leaves' confidence; `None` where all are right or all wrong."""
    ece: float
    """Of the leaves' confidence, over 15 bins of equal size."""
    unanimous: float
    """The share of the leaves on which all agree."""
    unanimous_right: float | None
    contested_right: float | None
    valid: float
    """The share of the objects that the schema allows."""


class ObjectSummary(BaseModel):
    """The figures of a replay of objects."""

    questions: int
    panel: list[str]
    metric: Metric
    measured: ObjectMeasures
    singles: dict[str, ObjectMeasures]
    best_single: str
    """The member that is best by the metric on these tasks."""
    gain_over_best_single: float
    gain_interval: tuple[float, float]
    """95 %, by paired bootstrap over the tasks."""


def outcome(recording: ObjectRecording, weights: Mapping[str, float]) -> ObjectOutcome:
    """Agree the objects of these models for one task.

    Args:
        recording: the task.
        weights: model -> the weight of its vote.
    """
    schema = read_schema(recording.object_schema)
    read = {model: read_object(recording.reply(model), schema).votes for model in weights}
    agreed = agree(
        [Ballot(model, votes, weights[model]) for model, votes in read.items() if votes], schema
    )
    right = right_leaves(agreed.data, recording.gold)
    leaves = [field for field in agreed.fields if field.path in right]
    return ObjectOutcome(
        scores=scores(agreed.data, recording.gold),
        points=[(field.confidence, right[field.path]) for field in leaves],
        unanimous=[right[field.path] for field in leaves if field.agreement == 1],
        contested=[right[field.path] for field in leaves if field.agreement < 1],
        confidence=agreed.confidence,
        valid=agreed.data is not None and not agreed.breaches,
    )


def replay_objects(
    recordings: Sequence[ObjectRecording], weights: Mapping[str, float], metric: Metric = "em"
) -> tuple[ObjectSummary, list[ObjectOutcome]]:
    """Replay all tasks: by the panel, and by each of its members alone.

    Args:
        recordings: the tasks.
        weights: model -> the weight of its vote.
        metric: what the best member is chosen by, and the intervals are of.

    Raises:
        ConfigError: nothing is recorded, or nothing of a model; or a schema cannot be used.
    """
    if not recordings:
        raise ConfigError("There is nothing to replay: no task is recorded, or none matches.")
    known = {model for each in recordings for model in each.answers}
    if unknown := [model for model in weights if model not in known]:
        raise ConfigError(
            f"Nothing is recorded of {', '.join(unknown)}. There are: {', '.join(sorted(known))}."
        )
    outcomes = [outcome(each, weights) for each in recordings]
    singles = {m: [outcome(each, {m: 1.0}) for each in recordings] for m in weights}
    best = max(singles, key=lambda m: fmean(getattr(o.scores, metric) for o in singles[m]))
    gains = [
        getattr(ours.scores, metric) - getattr(theirs.scores, metric)
        for ours, theirs in zip(outcomes, singles[best], strict=True)
    ]
    summary = ObjectSummary(
        questions=len(recordings),
        panel=list(weights),
        metric=metric,
        measured=measured(outcomes, metric),
        singles={model: measured(each, metric) for model, each in singles.items()},
        best_single=best,
        gain_over_best_single=fmean(gains),
        gain_interval=metrics.interval(gains),
    )
    return summary, outcomes


def measured(outcomes: Sequence[ObjectOutcome], metric: Metric = "em") -> ObjectMeasures:
    """The measures over all tasks: scores are means of the tasks, the rest is over all leaves."""
    points = [point for each in outcomes for point in each.points] or [(0.0, False)]
    unanimous = [right for each in outcomes for right in each.unanimous]
    contested = [right for each in outcomes for right in each.contested]
    return ObjectMeasures(
        em=fmean(each.scores.em for each in outcomes),
        f1=fmean(each.scores.f1 for each in outcomes),
        interval=metrics.interval([getattr(each.scores, metric) for each in outcomes]),
        auroc=metrics.auroc(points),
        ece=metrics.calibration_error(points),
        unanimous=len(unanimous) / len(points),
        unanimous_right=fmean(unanimous) if unanimous else None,
        contested_right=fmean(contested) if contested else None,
        valid=fmean(each.valid for each in outcomes),
    )


def objects_as_text(summary: ObjectSummary) -> str:
    """The figures as text."""
    rows = object_ways(summary)
    width = max(len(name) for name in rows)
    name = summary.metric.upper()
    return "\n".join(
        [
            f"{summary.questions} objects; {', '.join(summary.panel)}",
            "",
            f"{'':{width}}     EM     F1  95 % of {name:<2}     AUROC    ECE  valid",
            *(f"{name:{width}}  {_row(measures)}" for name, measures in rows.items()),
            "",
            *object_remarks(summary),
        ]
    )


def object_ways(summary: ObjectSummary) -> dict[str, ObjectMeasures]:
    """What was measured, by name."""
    return {
        "agreed field by field": summary.measured,
        **{f"{model} alone": measures for model, measures in summary.singles.items()},
    }


def object_remarks(summary: ObjectSummary) -> list[str]:
    """What the table does not show."""
    low, high = summary.gain_interval
    ours = summary.measured
    gain = f"{summary.gain_over_best_single:+.1%} ({low:+.1%} to {high:+.1%})"
    return [
        f"fields on which all agree: {ours.unanimous:.1%}",
        f"right of these {_share(ours.unanimous_right)}, others {_share(ours.contested_right)}",
        f"gain over the best single member {summary.best_single} {gain}",
        "No arbiter is recorded: what is measured is the vote.",
    ]


def _row(m: ObjectMeasures) -> str:
    low, high = m.interval
    auroc = "    –" if m.auroc is None else f"{m.auroc:5.3f}"
    return f"{m.em:5.1%}  {m.f1:5.1%}  {low:.1%}–{high:.1%}  {auroc}  {m.ece:5.3f} {m.valid:6.1%}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"
