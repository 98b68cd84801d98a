"""`llm consortium runs` and `run-info`: past runs in a terminal."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import anyio
import click

from consortium_mcp.adapters.settings import from_environment
from consortium_mcp.core.records.run_summary import RunPage, RunQuery, RunSummary
from consortium_mcp.core.reports.report import RunReport
from consortium_mcp.frontends.terminal.watching import screen
from consortium_mcp.frontends.text.command_errors import command_errors
from consortium_mcp.frontends.text.pages import entries_markdown, exchange_entry
from consortium_mcp.frontends.text.phrases import rating_sentence
from consortium_mcp.frontends.text.report import report_markdown
from consortium_mcp.frontends.text.run_list import runs_markdown
from consortium_mcp.services.assembly import open_service

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.records.exchange import Exchange

R = TypeVar("R", RunReport, RunSummary)


def for_terminal(run: R) -> R:
    """A copy whose next step is a command instead of a tool call."""
    steps = {
        "working": f"llm consortium run-info {run.run_id}",
        "interrupted": f"llm consortium resume {run.parent_run_id or run.run_id}",
    }
    return run.model_copy(update={"next_step": steps.get(run.status)})


def as_text(report: RunReport) -> str:
    """The report, uncut, for a terminal."""
    return report_markdown(for_terminal(report), limit=None)


def raw_replies(exchanges: Sequence[Exchange]) -> str:
    """The raw replies of the members and the arbiter."""
    return entries_markdown([exchange_entry(each, with_prompt=False) for each in exchanges])


def show(report: RunReport) -> None:
    """Print the report: drawn where a person looks, else as text."""
    if (on := screen()) is None:
        click.echo(as_text(report))
        return
    from consortium_mcp.frontends.terminal.reports import show_report  # noqa: PLC0415 (rich)

    show_report(on, for_terminal(report))


def as_json_text(report: RunReport, exchanges: Sequence[Exchange] | None = None) -> str:
    """The report as JSON, and with exchanges also these."""
    more = (
        {} if exchanges is None else {"exchanges": [e.model_dump(mode="json") for e in exchanges]}
    )
    data = for_terminal(report).model_dump(mode="json") | more
    return json.dumps(data, indent=2, ensure_ascii=False)


def list_runs(
    *,
    limit: int,
    query: str | None,
    status: str | None,
    consortium: str | None,
    cursor: str | None,
    as_json: bool,
) -> None:
    """Print a page of past runs."""

    async def page() -> RunPage:
        async with open_service(from_environment()) as service:
            return await service.list_runs(RunQuery(limit, cursor, query, status, consortium))

    with command_errors():
        found = anyio.run(page)
    found = replace(found, runs=[for_terminal(run) for run in found.runs])
    cursor = found.next_cursor
    if as_json:
        rows = [run.model_dump() for run in found.runs]
        listed = {"runs": rows, "next_cursor": cursor, "warnings": found.notes}
        click.echo(json.dumps(listed, indent=2))
        return
    more = f"llm consortium runs --cursor {cursor}" if cursor else None
    if (on := screen()) is None:
        click.echo(runs_markdown(found, more, zone=None))
        return
    from consortium_mcp.frontends.terminal.run_tables import show_runs  # noqa: PLC0415 (rich)

    show_runs(on, found, more)


def info(run_id: str, *, raw: bool, as_json: bool) -> None:
    """Print the report of a run, with the raw replies if `raw`."""

    async def found() -> tuple[RunReport, Sequence[Exchange]]:
        async with open_service(from_environment()) as service:
            found_id = await service.find_run(run_id)
            return await service.wait(found_id, 0), await service.exchanges(found_id)

    with command_errors():
        report, exchanges = anyio.run(found)
    if as_json:
        click.echo(as_json_text(report, exchanges if raw else None))
        return
    show(report)
    if raw:
        click.echo(f"\n{raw_replies(exchanges)}")


def rate(
    run_id: str, *, correct: bool | None, answer: str | None, note: str | None, as_json: bool
) -> None:
    """Keep a rating of a run, and say what is on record of it."""

    async def rated() -> RunReport:
        async with open_service(from_environment()) as service:
            found_id = await service.find_run(run_id)
            return await service.rate(found_id, correct=correct, answer=answer, note=note, by="llm")

    with command_errors():
        report = anyio.run(rated)
    if as_json:
        click.echo(as_json_text(report))
    else:
        click.echo(f"Run {report.run_id}: {rating_sentence(report.ratings)}")
