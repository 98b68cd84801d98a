"""Runs consultations of recorded models through the engine, and measures the results."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

import anyio
from pydantic import BaseModel

from consortium_mcp.core.domain.consortium import ConsortiumConfig, Member
from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.core.domain.run import Run, with_learned
from consortium_mcp.core.engine import consultation, events
from consortium_mcp.core.evaluation import metrics
from consortium_mcp.core.evaluation.recordings import RecordedAsk
from consortium_mcp.core.panel.labels import label, members_of_run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consortium_mcp.core.domain.learned import Learned
    from consortium_mcp.core.evaluation.recordings import Recording


@dataclass(frozen=True)
class Outcome:
    """The result of one consultation of recorded models."""

    run: Run
    right: bool
    confidence: float
    """0 where there was no answer."""
    calls: int
    arbiter_calls: int
    rounds: int
    """Sequential steps: waves of members plus calls of the arbiter."""
    output_tokens: int


class Measures(BaseModel):
    """The measures of one way to answer, over all questions."""

    accuracy: float
    accuracy_interval: tuple[float, float]
    """95 %, by bootstrap over the questions."""
    calls: float
    """Mean per question."""
    ece: float
    """Expected calibration error, over 15 bins of equal size."""
    brier: float
    auroc: float | None
    """`None` where all answers are right, or all wrong."""
    accuracy_at_80_coverage: float
    coverage_at_95_accuracy: float


class Summary(BaseModel):
    """The figures of a replay."""

    questions: int
    panel: list[str]
    settings: dict[str, str | int | None]
    measured: Measures
    """The configuration that was replayed."""
    rounds: float
    """Mean per question, like `arbiter_calls`."""
    arbiter_calls: float
    output_tokens: float | None
    """Mean per question; `None` where none were recorded."""
    equal_vote: Measures
    """A vote of the whole panel, with equal weights."""
    singles: dict[str, Measures]
    """Each member alone, and the model of `escalate_to`, with the confidence it states."""
    best_single: str
    """The member with the best accuracy on these questions."""
    mean_single: float
    """The panel's mean accuracy."""
    oracle: float
    """Share of questions that at least one member got right."""
    gain_over_best_single: float
    gain_interval: tuple[float, float]
    """95 %, by paired bootstrap over the questions."""
    failed: int
    """Questions that no member answered; they count as wrong."""


def check(recordings: Sequence[Recording], models: Sequence[str]) -> None:
    """Check that there are recordings of these models.

    Raises:
        ConfigError: there are no recordings, or none of a model; the message lists the models.
    """
    if not recordings:
        raise ConfigError("There is nothing to replay: no question is recorded, or none matches.")
    known = {model for each in recordings for model in (*each.answers, *each.texts)}
    if unknown := [model for model in models if model not in known]:
        raise ConfigError(
            f"Nothing is recorded of {', '.join(unknown)}. There are: {', '.join(sorted(known))}."
        )


async def consult(
    recording: Recording,
    config: ConsortiumConfig,
    checkers: float | None = None,
    learned: Learned | None = None,
) -> Outcome:
    """Put one question to the recorded models through the engine.

    Args:
        recording: the question with its answers.
        config: who is asked and how.
        checkers: see `replay`.
        learned: what labelled runs taught, if anything.
    """
    ask = RecordedAsk(recording, checkers)
    waves = 0

    async def count(event: events.Event) -> None:
        nonlocal waves
        waves += isinstance(event, events.Asked)

    seed = str(recording.question_id)
    run = Run(
        run_id=seed,
        prompt=recording.question or f"Question {recording.question_id}",
        config=config,
        members=members_of_run(config, seed),
        seed=seed,
    )
    if learned is not None:
        run = with_learned(run, learned)
    async with anyio.create_task_group() as late:
        run = await consultation.consult(run, ask, count, late)
    verdict = run.best.verdict if run.best else None
    return Outcome(
        run=run,
        right=verdict is not None and recording.is_right(verdict.final_answer),
        confidence=verdict.confidence if verdict else 0.0,
        calls=ask.calls,
        arbiter_calls=ask.arbiter_calls,
        rounds=waves + ask.arbiter_calls,
        output_tokens=ask.output_tokens,
    )


async def replay(
    recordings: Sequence[Recording], config: ConsortiumConfig, checkers: float | None = None
) -> tuple[Summary, list[Outcome]]:
    """Replay all questions: by this configuration, an equal vote of its panel, each model alone.

    Args:
        recordings: the questions.
        config: who is asked and how; its models are names in the recordings.
        checkers: for `verify`, the accuracy of simulated checkers, from 0 to 1; nobody recorded
            what models find when they check. `None` for none, so that every check is missing.

    Raises:
        ConfigError: see `check`.
    """
    models = [member.model for member in config.members]
    asked = [*dict.fromkeys(models), *([config.escalate_to] if config.escalate_to else [])]
    check(recordings, asked)
    outcomes = [await consult(each, config, checkers) for each in recordings]
    votes = [await consult(each, _equal_vote(models)) for each in recordings]
    singles = {m: [await consult(each, _equal_vote([m])) for each in recordings] for m in asked}
    return _summary(config, outcomes, votes, singles), outcomes


def _summary(
    config: ConsortiumConfig,
    outcomes: Sequence[Outcome],
    votes: Sequence[Outcome],
    singles: Mapping[str, Sequence[Outcome]],
) -> Summary:
    models = [member.model for member in config.members]
    panel = {model: _measured(singles[model]).accuracy for model in dict.fromkeys(models)}
    best = max(panel, key=lambda model: panel[model])
    gains = [o.right - single.right for o, single in zip(outcomes, singles[best], strict=True)]
    rights = [[outcome.right for outcome in singles[model]] for model in panel]
    settings = ("strategy", "sampling", "escalate_to", "arbiter", "max_iterations")
    return Summary(
        questions=len(outcomes),
        panel=models,
        settings={name: getattr(config, name) for name in settings},
        measured=_measured(outcomes),
        rounds=fmean(o.rounds for o in outcomes),
        arbiter_calls=fmean(o.arbiter_calls for o in outcomes),
        output_tokens=fmean(o.output_tokens for o in outcomes) or None,
        equal_vote=_measured(votes),
        singles={model: _measured(each) for model, each in singles.items()},
        best_single=best,
        mean_single=fmean(panel.values()),
        oracle=fmean(any(hits) for hits in zip(*rights, strict=True)),
        gain_over_best_single=fmean(gains),
        gain_interval=metrics.interval(gains),
        failed=sum(o.run.best is None for o in outcomes),
    )


def _equal_vote(models: Sequence[str]) -> ConsortiumConfig:
    """An equal vote of these models; for one model, that is its answer and stated confidence."""
    members = tuple(Member(label=label(i), model=model) for i, model in enumerate(models))
    return ConsortiumConfig(members=members, arbiter=models[0], strategy="vote", max_iterations=1)


def _measured(outcomes: Sequence[Outcome]) -> Measures:
    points = [(o.confidence, o.right) for o in outcomes]
    return Measures(
        accuracy=metrics.accuracy(points),
        accuracy_interval=metrics.interval([float(right) for _, right in points]),
        calls=fmean(o.calls for o in outcomes),
        ece=metrics.calibration_error(points),
        brier=metrics.brier(points),
        auroc=metrics.auroc(points),
        accuracy_at_80_coverage=metrics.accuracy_at(points, 0.8),
        coverage_at_95_accuracy=metrics.coverage_at(points, 0.95),
    )


def ways(summary: Summary) -> dict[str, Measures]:
    """What was measured, by name."""
    return {
        str(summary.settings["strategy"]): summary.measured,
        "equal vote": summary.equal_vote,
        **{f"{model} alone": measures for model, measures in summary.singles.items()},
    }


def what_was_asked(summary: Summary) -> str:
    """How many questions, and whom."""
    count = f"{summary.questions} question{'' if summary.questions == 1 else 's'}"
    return f"{count}; {', '.join(summary.panel)}"


def remarks(summary: Summary) -> list[str]:
    """What the table does not show."""
    low, high = summary.gain_interval
    judged = (
        f", of them {summary.arbiter_calls:.2f} by the arbiter" if summary.arbiter_calls else ""
    )
    mean, gain = summary.mean_single, summary.gain_over_best_single
    lines = [
        f"best single member {summary.best_single}; mean of the members {mean:.1%}",
        f"one of them right (oracle) {summary.oracle:.1%}",
        f"gain over the best single member {gain:+.1%} ({low:+.1%} to {high:+.1%})",
        f"{summary.measured.calls:.2f} calls a question{judged}, in {summary.rounds:.2f} rounds",
    ]
    if summary.failed:
        questions = "question" if summary.failed == 1 else "questions"
        lines.append(f"{summary.failed} {questions} nobody answered: counted as wrong")
    if summary.arbiter_calls:
        lines.append(
            "No verdicts are recorded: the arbiter's own recorded answer stood in for them."
        )
    return lines
