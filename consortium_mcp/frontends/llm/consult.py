"""`llm consortium run` and `resume`: a consultation in a terminal."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import click

from consortium_mcp.core.domain.request import ConsultRequest
from consortium_mcp.frontends.llm.attached import attachments_of, system_of
from consortium_mcp.frontends.llm.history import as_json_text, raw_replies, show
from consortium_mcp.frontends.llm.input_text import argument_text, piped_text
from consortium_mcp.frontends.llm.options import settings_of
from consortium_mcp.frontends.one_shot import consult_once, resume_once
from consortium_mcp.frontends.terminal.watching import live_rows, print_progress
from consortium_mcp.frontends.text.command_errors import check_folder, command_errors, write_file

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from consortium_mcp.core.reports.report import RunReport
    from consortium_mcp.frontends.one_shot import Outcome

STDIN = "-"
"""A prompt that says: read it from stdin, as with other commands."""
UNSURE = 3
"""The exit code where the confidence is below `--fail-under`."""
INTERRUPTED = 130
"""The exit code after Ctrl-C: 128 + the number of SIGINT."""


def run(
    prompt: str | None,
    *,
    consortium: str | None,
    continue_run: str | None,
    stdin: bool,
    attachments: tuple[str, ...],
    typed_attachments: tuple[tuple[str, str], ...],
    fragments: tuple[str, ...],
    system_fragments: tuple[str, ...],
    output: Path | None,
    raw: bool,
    quiet: bool,
    no_log: bool,
    fail_under: float | None,
    field: str | None,
    as_json: bool,
    **options: Any,  # noqa: ANN401 (the fields of a consortium, by name)
) -> None:
    """Consult and print the outcome; see `llm consortium run --help`."""
    if field is not None and fail_under is None:
        raise click.UsageError("--field names the field that --fail-under looks at: give both.")
    check_folder(output)
    with command_errors():
        attached = attachments_of(attachments, typed_attachments, fragments)
        typed = argument_text(prompt) if prompt and prompt != STDIN else None
        piped = piped_text() if stdin or prompt == STDIN else None
        options["system"] = system_of(options["system"], system_fragments)
    question = "\n\n".join(part for part in (typed, piped) if part)
    request = ConsultRequest(
        question,
        consortium,
        settings_of(options),
        continue_run,
        attachments=attached,
        client="llm",
    )
    consult = partial(consult_once, request, log=not no_log)
    quiet = quiet or fail_under is not None
    outcome = _wait(consult, quiet=quiet, resumable=not no_log)
    _show(outcome, output, raw=raw, quiet=quiet, as_json=as_json)
    if fail_under is not None:
        _end_if_unsure(outcome.report, fail_under, field)


def _end_if_unsure(report: RunReport, fail_under: float, field: str | None) -> None:
    """End with `UNSURE` where the confidence of the whole, or of this field, is lower."""
    confidence = report.confidence
    if field is not None:
        found = [each for each in report.fields if each.path == field]
        if not found:
            known = ", ".join(each.path for each in report.fields[:20]) or "none: give a --schema"
            raise click.ClickException(f"The object has no field {field}. There are: {known}.")
        confidence = found[0].confidence
    if confidence is None or confidence < fail_under:
        shown = "unknown" if confidence is None else f"{confidence:.2f}"
        click.echo(f"The confidence{f' of {field}' if field else ''} is {shown}.", err=True)
        sys.exit(UNSURE)


def resume(run_id: str, *, output: Path | None, raw: bool, quiet: bool, as_json: bool) -> None:
    """Resume a run and print the outcome."""
    check_folder(output)
    outcome = _wait(partial(resume_once, run_id), quiet=quiet)
    _show(outcome, output, raw=raw, quiet=quiet, as_json=as_json)


def _wait(
    consult: Callable[..., Awaitable[Outcome]], *, quiet: bool, resumable: bool = True
) -> Outcome:
    """Wait for the outcome. Ctrl-C interrupts the run, prints how to resume it, and exits."""
    started: list[str] = []
    shows = sys.stderr.isatty() and not quiet
    rows = live_rows() if shows else None
    lines = print_progress if shows and rows is None else None
    hears = None if rows is None else rows.listen
    call = partial(consult, on_begin=started.append, on_progress=lines, watch=rows, listener=hears)
    try:
        with command_errors():
            return anyio.run(call)
    except KeyboardInterrupt:
        how = "It was not recorded, so it cannot be resumed."
        if resumable:
            how = (
                f"Resume it with: llm consortium resume {started[0]}"
                if started
                else "No run had begun."
            )
        click.echo(f"Interrupted{f' in run {started[0]}' if started else ''}. {how}", err=True)
        sys.exit(INTERRUPTED)


def _show(outcome: Outcome, output: Path | None, *, raw: bool, quiet: bool, as_json: bool) -> None:
    report = outcome.report
    try:
        if as_json:  # whatever became of it
            click.echo(as_json_text(report, outcome.exchanges if raw else None))
        with command_errors():
            outcome.answered()
        if as_json:
            return
        if quiet:
            click.echo(report.synthesis)
        else:
            show(report)
        if raw:
            click.echo("\n" + raw_replies(outcome.exchanges))
    finally:  # print first: the answer was paid for, even if the file fails
        if output is not None:
            write_file(output, report.model_dump_json(indent=2))
