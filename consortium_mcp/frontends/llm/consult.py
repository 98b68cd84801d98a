"""`llm consortium run` and `resume`: a consultation in a terminal."""

from __future__ import annotations

import io
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import click

from consortium_mcp.core.domain.request import ConsultRequest
from consortium_mcp.frontends.llm.history import raw_replies, shown
from consortium_mcp.frontends.llm.options import settings_of
from consortium_mcp.frontends.one_shot import consult_once, resume_once
from consortium_mcp.frontends.text.command_errors import check_folder, command_errors, write_file

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from consortium_mcp.frontends.one_shot import Outcome
    from consortium_mcp.services.runs.progress import Progress

INTERRUPTED = 130
"""The exit code of what ended by Ctrl-C: 128 and the number of SIGINT."""


def run(
    prompt: str | None,
    *,
    consortium: str | None,
    continue_run: str | None,
    stdin: bool,
    output: Path | None,
    raw: bool,
    quiet: bool,
    no_log: bool,
    **options: Any,  # noqa: ANN401 (the fields of a consortium, by name)
) -> None:
    """Consult and show what came of it; see `llm consortium run --help`."""
    check_folder(output)
    question = "\n\n".join(part for part in (prompt, _piped() if stdin else None) if part)
    request = ConsultRequest(question, consortium, settings_of(options), continue_run)
    consulting = partial(consult_once, request, log=not no_log)
    _show(_followed(consulting, quiet=quiet, resumable=not no_log), output, raw=raw, quiet=quiet)


def resume(run_id: str, *, output: Path | None, raw: bool, quiet: bool) -> None:
    """Go on with a run and show what came of it."""
    check_folder(output)
    _show(_followed(partial(resume_once, run_id), quiet=quiet), output, raw=raw, quiet=quiet)


def _piped() -> str | None:
    """What stdin holds; a terminal is not waited for."""
    if sys.stdin is None or sys.stdin.isatty():
        return None
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")  # what is no text is no reason to fail
    return sys.stdin.read().strip()


def _followed(
    consulting: Callable[..., Awaitable[Outcome]], *, quiet: bool, resumable: bool = True
) -> Outcome:
    """The outcome. Ctrl-C leaves a run that can be gone on with, and says how."""
    begun: list[str] = []
    live = sys.stderr.isatty() and not quiet
    on_progress = _tell if live else _keep_quiet
    call = partial(consulting, on_begin=begun.append, on_progress=on_progress)
    try:
        with command_errors():
            return anyio.run(call)
    except KeyboardInterrupt:
        how = "It was not recorded, so it cannot be resumed."
        if resumable:
            how = (
                f"Resume it with: llm consortium resume {begun[0]}"
                if begun
                else "No run had begun."
            )
        click.echo(f"Interrupted{f' in run {begun[0]}' if begun else ''}. {how}", err=True)
        sys.exit(INTERRUPTED)


def _tell(progress: Progress) -> None:
    click.echo(f"· {progress.message}", err=True)


def _keep_quiet(_progress: Progress) -> None:
    pass


def _show(outcome: Outcome, output: Path | None, *, raw: bool, quiet: bool) -> None:
    report = outcome.report
    try:
        with command_errors():
            outcome.answered()
        click.echo(report.synthesis if quiet else shown(report))
        if raw:
            click.echo("\n" + raw_replies(outcome.exchanges))
    finally:  # what was paid for is shown first, whatever becomes of the file
        if output is not None:
            write_file(output, report.model_dump_json(indent=2))
