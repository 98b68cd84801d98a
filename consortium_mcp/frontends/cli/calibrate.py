"""`consortium-mcp calibrate`: calibrate the confidence on labelled runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import click
from pydantic import BaseModel, ConfigDict, ValidationError

from consortium_mcp.adapters.journal.store import Store, now
from consortium_mcp.adapters.saved.calibrations import Calibrations
from consortium_mcp.core.answers.context import context_of
from consortium_mcp.core.answers.equivalence import same
from consortium_mcp.core.answers.parsing import read
from consortium_mcp.core.confidence import calibration
from consortium_mcp.core.domain.errors import ConfigError, UnknownRun
from consortium_mcp.core.evaluation import metrics
from consortium_mcp.frontends.text.command_errors import command_errors

if TYPE_CHECKING:
    from consortium_mcp.adapters.settings import Settings
    from consortium_mcp.core.domain.report import RunReport


class Label(BaseModel):
    """A line of the file: a run, and either whether it was right or the right answer."""

    model_config = ConfigDict(extra="forbid")

    run_id: str
    correct: bool | None = None
    answer: str | None = None
    """The right answer, in any spelling."""

    def is_right(self, report: RunReport) -> bool:
        """Whether the run's answer was right."""
        if self.correct is not None:
            return self.correct
        context = context_of(report.prompt, (report.final_answer, self.answer))
        return same(read(report.final_answer or "", context), read(self.answer or "", context))


async def calibrate(settings: Settings, path: Path, as_json: bool = False) -> None:  # noqa: FBT001, FBT002 (anyio.run passes by position)
    """Fit a calibration on the labelled runs, save it, and print what it changes.

    Raises:
        ConfigError: a line is not a label, or there are too few labels; the message says how many.
    """
    labels = {label.run_id: label for label in _labels(path)}
    points: list[metrics.Point] = []
    unusable: list[str] = []
    store = Store(settings.database)
    try:
        for label in labels.values():
            try:
                report = await store.report(label.run_id)
            except UnknownRun:
                unusable.append(label.run_id)
                continue
            confidence = _before_calibration(report)
            if confidence is None or (label.correct is None and report.final_answer is None):
                unusable.append(label.run_id)
            else:
                points.append((confidence, label.is_right(report)))
        if unusable:
            shown = ", ".join(unusable[:3]) + (" …" if unusable[3:] else "")
            why = "are not in the database, or have no answer to compare"
            click.echo(f"{len(unusable)} labelled runs {why}: {shown}", err=True)
        fitted = calibration.fit(points, now())
        await Calibrations(store).keep(fitted)
    finally:
        await store.close()
    after = [(calibration.apply(fitted, score), right) for score, right in points]
    if as_json:
        told = fitted.model_dump(mode="json") | {
            "accuracy": metrics.accuracy(points),
            "error_before": metrics.calibration_error(points),
            "error_after": metrics.calibration_error(after),
            "unusable": unusable,
        }
        click.echo(json.dumps(told, indent=2))
        return
    click.echo(
        f"Calibrated on {fitted.labelled} labelled runs, {metrics.accuracy(points):.0%} of them "
        f"right. Calibration error on these very runs: {metrics.calibration_error(points):.3f} "
        f"before, {metrics.calibration_error(after):.3f} after."
    )
    for score in (0.5, 0.7, 0.9):
        click.echo(f"  a computed {score:.2f} now reads {calibration.apply(fitted, score):.2f}")
    click.echo("New runs use it and say `calibrated: true`. `calibrate --forget` removes it.")


async def forget_calibration(settings: Settings) -> None:
    """Remove the calibration; new runs report the computed confidence."""
    store = Store(settings.database)
    try:
        await Calibrations(store).keep(None)
    finally:
        await store.close()
    click.echo("The calibration is removed: new runs report the computed confidence.")


def _before_calibration(report: RunReport) -> float | None:
    parts = report.confidence_parts
    if report.status not in {"completed", "degraded"} or parts is None:
        return None
    return parts.uncalibrated if parts.calibrated else report.confidence


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
@click.option("--forget", is_flag=True, help="Remove the calibration.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def command(settings: Settings, labels: Path | None, *, forget: bool, as_json: bool) -> None:
    """Calibrate the confidence on at least 200 runs that you labelled as right or wrong.

    LABELS holds one run a line as JSON: {"run_id": "…", "correct": true}, or with the right answer:
    {"run_id": "…", "answer": "42"}.
    """
    if forget == (labels is not None):
        raise click.UsageError("Name a file of LABELS, or give --forget.")
    with command_errors():
        if labels is None:
            anyio.run(forget_calibration, settings)
        else:
            anyio.run(calibrate, settings, labels, as_json)
