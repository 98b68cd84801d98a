"""`consortium-mcp replay` of recorded JSON objects, for files whose lines have a schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from consortium_mcp.core.confidence.weights import weights_of_tiers
from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.core.evaluation import metrics
from consortium_mcp.core.evaluation.object_replay import (
    Metric,
    ObjectMeasures,
    ObjectSummary,
    replay_objects,
)
from consortium_mcp.frontends.cli.plots import reliability_diagram

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from consortium_mcp.core.domain.consortium import Tier
    from consortium_mcp.core.evaluation.objects import ObjectRecording


def run(
    recordings: Sequence[ObjectRecording],
    tiers: Mapping[str, Tier | None],
    metric: Metric,
    folder: Path,
) -> None:
    """Replay, print the figures, and save them with a plot.

    Args:
        recordings: the tasks.
        tiers: each member's tier.
        metric: what members are ranked by.
        folder: where the files go.

    Raises:
        ConfigError: the recordings cannot be used; the message says why.
    """
    if not recordings:
        raise ConfigError("There is nothing to replay: no task is recorded, or none matches.")
    summary, outcomes = replay_objects(recordings, weights_of_tiers(tiers), metric)
    click.echo(as_text(summary))
    folder.mkdir(parents=True, exist_ok=True)
    points = [point for each in outcomes for point in each.points]
    title = f"fields agreed by {len(tiers)}, {summary.questions} tasks"
    files = {
        "replay.json": summary.model_dump_json(indent=2) + "\n",
        "reliability.svg": reliability_diagram(metrics.bins(points), title),
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    click.echo(f"Saved {', '.join(files)} in {folder}.", err=True)


def as_text(summary: ObjectSummary) -> str:
    """The figures as text."""
    rows = {
        "agreed field by field": summary.measured,
        **{f"{model} alone": measures for model, measures in summary.singles.items()},
    }
    width = max(len(name) for name in rows)
    low, high = summary.gain_interval
    ours = summary.measured
    name = summary.metric.upper()
    gain = f"{summary.gain_over_best_single:+.1%} ({low:+.1%} to {high:+.1%})"
    return "\n".join(
        [
            f"{summary.questions} objects; {', '.join(summary.panel)}",
            "",
            f"{'':{width}}     EM     F1  95 % of {name:<2}     AUROC    ECE  valid",
            *(f"{name:{width}}  {_row(measures)}" for name, measures in rows.items()),
            "",
            f"fields on which all agree: {ours.unanimous:.1%}",
            f"right of these {_share(ours.unanimous_right)}, others {_share(ours.contested_right)}",
            f"gain over the best single member {summary.best_single} {gain}",
            "No arbiter is recorded: what is measured is the vote.",
        ]
    )


def _row(m: ObjectMeasures) -> str:
    low, high = m.interval
    auroc = "    –" if m.auroc is None else f"{m.auroc:5.3f}"
    return f"{m.em:5.1%}  {m.f1:5.1%}  {low:.1%}–{high:.1%}  {auroc}  {m.ece:5.3f} {m.valid:6.1%}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"
