"""`consortium-mcp calibrate`: learn from labelled runs whose votes to trust, and how far."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import click
from pydantic import BaseModel, ConfigDict, ValidationError

from consortium_mcp.adapters.journal.ratings import Ratings
from consortium_mcp.adapters.journal.store import Store, now
from consortium_mcp.adapters.postgres.opening import database_of
from consortium_mcp.adapters.saved.calibrations import Calibrations
from consortium_mcp.core.confidence import calibration, labels
from consortium_mcp.core.domain.errors import ConfigError, UnknownRun
from consortium_mcp.core.evaluation import metrics
from consortium_mcp.core.reports.rating import Rating
from consortium_mcp.frontends.text.command_errors import command_errors
from consortium_mcp.frontends.text.learned import learned_text
from consortium_mcp.services.learning import NEW_LABELS, Evidence, Learning

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from consortium_mcp.adapters.settings import Settings
    from consortium_mcp.core.domain.learned import Calibration, Learned


class Label(BaseModel):
    """A line of the file: a run, and either whether it was right or the right answer."""

    model_config = ConfigDict(extra="forbid")

    run_id: str
    correct: bool | None = None
    answer: str | None = None
    """The right answer, in any spelling."""


async def calibrate(settings: Settings, path: Path | None, as_json: bool = False) -> None:  # noqa: FBT001, FBT002 (anyio.run passes by position)
    """Learn from the rated runs, those of the file first, and print what was found.

    Raises:
        ConfigError: a line is not a label, or there are too few labels; the message says how many.
    """
    given = [] if path is None else _labels(path)
    async with _opened(settings) as store:
        unusable = await _rate(store, given)
        evidence = await Learning(store, Calibrations(store)).evidence()
        unusable = [*dict.fromkeys([*unusable, *evidence.unusable])]
        if not as_json:
            _tell_of(unusable)
        if not evidence.labelled and path is None:
            raise ConfigError(
                "No run is rated yet. Name a file of labels, or rate runs: "
                "llm consortium rate RUN_ID --correct."
            )
        learned = await Learning(store, Calibrations(store)).learn(evidence)
        if as_json:
            told = _as_json(learned, evidence) | {"unusable": unusable}
            click.echo(json.dumps(told, indent=2))
        else:
            _tell(learned, evidence)


async def learn_by_itself(settings: Settings, *, wanted: bool) -> None:
    """Switch learning by itself on or off; on, learn at once where that is due."""
    async with _opened(settings) as store:
        learning = Learning(store, Calibrations(store))
        new = await learning.learn_by_itself(wanted=wanted)
        if not wanted:
            click.echo("Nothing is learned any more unless you ask. What was learned stays.")
            return
        click.echo(f"From now on it learns by itself after every {NEW_LABELS} new labels.")
        if new < NEW_LABELS:
            click.echo(f"{new} are new, so nothing was learned now.")
            return
        evidence = await learning.evidence()
        _tell(await learning.learn(evidence), evidence)


async def forget_learned(settings: Settings) -> None:
    """Remove what was learned; new runs count equal votes and report the computed confidence."""
    async with _opened(settings) as store:
        await Calibrations(store).keep(None)
    click.echo(
        "The calibration and the weights are removed: new runs count equal votes and report the "
        "computed confidence. The ratings stay."
    )


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Store]:
    store = Store(database_of(settings))
    try:
        yield store
    finally:
        await store.close()


async def _rate(store: Store, given: Sequence[Label]) -> list[str]:
    """Keep the labels of a file as ratings; returns the runs that have no answer to rate."""
    ratings, unusable = Ratings(store), []
    newest = await ratings.newest()
    for label in {label.run_id: label for label in given}.values():
        rating = Rating(correct=label.correct, answer=label.answer, by="file", at=now())
        known = newest.get(label.run_id)
        try:
            report = await store.report(label.run_id)
            labels.check(rating, report)
        except (UnknownRun, ConfigError):
            unusable.append(label.run_id)
            continue
        if known is None or not rating.says_the_same(known):
            await ratings.add(label.run_id, rating)
    return unusable


def _tell_of(unusable: Sequence[str]) -> None:
    if unusable:
        shown = ", ".join(unusable[:3]) + (" …" if unusable[3:] else "")
        why = "are not in the database, or have no answer to compare"
        click.echo(f"{len(unusable)} labelled runs {why}: {shown}", err=True)


def _as_json(learned: Learned, evidence: Evidence) -> dict[str, Any]:
    """What was learned, and what its calibration is worth on these very runs."""
    told = learned.model_dump(mode="json")
    if learned.calibration is None:
        return told
    points = evidence.points
    return told | {
        "accuracy": metrics.accuracy(points),
        "error_before": metrics.calibration_error(points),
        "error_after": metrics.calibration_error(_calibrated(learned.calibration, points)),
    }


def _calibrated(fitted: Calibration, points: Sequence[metrics.Point]) -> list[tuple[float, bool]]:
    return [(calibration.apply(fitted, score), right) for score, right in points]


def _tell(learned: Learned, evidence: Evidence) -> None:
    if text := learned_text(learned):
        click.echo(text)
    if learned.calibration is not None:
        _tell_of_calibration(learned.calibration, evidence.points)
    else:
        missing = calibration.LEAST_LABELLED - len(evidence.points)
        click.echo(f"A calibration of all other panels needs {missing} more labels.")
    click.echo("New runs use it and say so in `confidence_parts`. `calibrate --forget` removes it.")


def _tell_of_calibration(fitted: Calibration, points: Sequence[metrics.Point]) -> None:
    after = _calibrated(fitted, points)
    click.echo(
        f"Calibrated on {fitted.labelled} labelled runs, {metrics.accuracy(points):.0%} of them "
        f"right. Calibration error on these very runs: {metrics.calibration_error(points):.3f} "
        f"before, {metrics.calibration_error(after):.3f} after."
    )
    for score in (0.5, 0.7, 0.9):
        click.echo(f"  a computed {score:.2f} now reads {calibration.apply(fitted, score):.2f}")


def _labels(path: Path) -> list[Label]:
    labels = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}.") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            label = Label.model_validate_json(line)
        except ValidationError as error:
            raise _invalid_label(path, number, error.errors()[0]["msg"]) from error
        if (label.correct is None) == (label.answer is None):
            raise _invalid_label(path, number, "give one of `correct` and `answer`")
        labels.append(label)
    return labels


def _invalid_label(path: Path, number: int, why: str) -> ConfigError:
    return ConfigError(
        f'{path}, line {number}: {why}. A line is {{"run_id": "…", "correct": true}} or '
        '{"run_id": "…", "answer": "42"}.'
    )


@click.command("calibrate")
@click.argument("labels", type=click.Path(dir_okay=False, path_type=Path), required=False)
@click.option(
    "--auto/--no-auto",
    default=None,
    help=f"Learn by itself after every {NEW_LABELS} new labels, or no more.",
)
@click.option("--forget", is_flag=True, help="Remove what was learned; the ratings stay.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def command(
    settings: Settings, labels: Path | None, *, auto: bool | None, forget: bool, as_json: bool
) -> None:
    """Learn from runs that you rated: whose votes to trust, and what a confidence is worth.

    Weights need 50 rated runs of a panel, and are kept only where they are better than equal ones;
    a calibration needs 200 of any panels. LABELS may hold more ratings, one run a line as JSON:
    {"run_id": "…", "correct": true}, or with the right answer: {"run_id": "…", "answer": "42"}.
    """
    if (labels is not None) + (auto is not None) + forget > 1:
        raise click.UsageError("Give one of LABELS, --auto, --no-auto and --forget.")
    with command_errors():
        if forget:
            anyio.run(forget_learned, settings)
        elif auto is not None:
            anyio.run(partial(learn_by_itself, settings, wanted=auto))
        else:
            anyio.run(calibrate, settings, labels, as_json)
