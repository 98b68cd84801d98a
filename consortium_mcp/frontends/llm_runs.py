"""`llm consortium runs` and `run-info`: past runs in a terminal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeVar

import anyio
import click

from consortium_mcp.adapters.settings import from_environment
from consortium_mcp.core.report import RunReport, RunSummary
from consortium_mcp.frontends.command_errors import command_errors
from consortium_mcp.frontends.markdown import exchanges_markdown, report_markdown, runs_markdown
from consortium_mcp.service import open_service

if TYPE_CHECKING:
    from consortium_mcp.core.exchange import Exchange

R = TypeVar("R", RunReport, RunSummary)


def for_terminal(run: R) -> R:
    """The same with its next step as a command and not as a tool's call."""
    steps = {
        "working": f"llm consortium run-info {run.run_id}",
        "interrupted": f"llm consortium resume {run.parent_run_id or run.run_id}",
    }
    return run.model_copy(update={"next_step": steps.get(run.status)})


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

    async def page() -> tuple[list[RunSummary], str | None]:
        async with open_service(from_environment()) as service:
            return await service.list_runs(limit, cursor, query, status, consortium)

    with command_errors():
        found, next_cursor = anyio.run(page)
    runs = [for_terminal(run) for run in found]
    if as_json:
        rows = [run.model_dump() for run in runs]
        click.echo(json.dumps({"runs": rows, "next_cursor": next_cursor}, indent=2))
    else:
        more = f"llm consortium runs --cursor {next_cursor}" if next_cursor else None
        click.echo(runs_markdown(runs, more))


def info(run_id: str, *, raw: bool, as_json: bool) -> None:
    """Print the report of a run, and what was said where asked for."""

    async def found() -> tuple[RunReport, list[Exchange]]:
        async with open_service(from_environment()) as service:
            return await service.wait(run_id, 0), await service.exchanges(run_id)

    with command_errors():
        report, exchanges = anyio.run(found)
    report = for_terminal(report)
    if as_json:
        said = {"exchanges": [e.model_dump(mode="json") for e in exchanges]} if raw else {}
        click.echo(json.dumps(report.model_dump(mode="json") | said, indent=2, ensure_ascii=False))
    else:
        click.echo(report_markdown(report) + (exchanges_markdown(exchanges) if raw else ""))
