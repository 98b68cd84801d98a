"""Past runs as a table, in the reader's time zone."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from consortium_mcp.frontends.terminal.columns import Cell, Column
from consortium_mcp.frontends.terminal.reports import confidence_style, status_cell
from consortium_mcp.frontends.text.phrases import dollars, one_line

if TYPE_CHECKING:
    from consortium_mcp.core.records.run_summary import RunPage, RunSummary
    from consortium_mcp.frontends.terminal.columns import Row
    from consortium_mcp.frontends.terminal.screen import Screen

LONGEST = 160
"""Characters of a question with its answer."""


def show_runs(screen: Screen, page: RunPage, more: str | None) -> None:
    """Draw a page of runs, nested ones below their parents.

    Args:
        screen: where.
        page: the page; next steps are already commands.
        more: the command that shows the next page; `None` on the last.
    """
    if page.runs:
        columns = (
            Column("run"),
            Column("when", style="dim"),
            Column("status"),
            Column("conf.", right=True),
            Column("cost", right=True, spare=True),
            Column("question → answer", folds=True),
        )
        screen.table(columns, [_row(run) for run in page.runs])
    else:
        screen.line("No runs match.")
    steps = [run.next_step for run in page.runs if run.next_step]
    if steps or more or page.notes:
        screen.line()
    for step in steps:
        screen.line(f"Next: **{step}**")
    if more:
        screen.line(f"More: **{more}**")
    for note in page.notes:
        screen.line(f"Note: {note}", "yellow")


def _row(run: RunSummary) -> Row:
    outcome = run.final_answer or run.synthesis
    said = f"{run.prompt} → {outcome}" if outcome else run.prompt
    if outcome and len(said) > LONGEST:
        said = f"{one_line(run.prompt, LONGEST // 2)} → {one_line(outcome, LONGEST // 2)}"
    said = one_line(said, LONGEST + 3)
    return (
        run.run_id,
        short_time(run.created_at),
        status_cell(run.status),
        Cell(
            "" if run.confidence is None else f"{run.confidence:.2f}",
            confidence_style(run.confidence),
        ),
        "" if run.cost_usd is None else dollars(run.cost_usd),
        f"↳ {said}" if run.parent_run_id else said,
    )


def short_time(created_at: str) -> str:
    """When something was, in this machine's zone: to the minute, or of other years the day."""
    then = datetime.fromisoformat(created_at).astimezone()
    this_year = then.year == datetime.now().astimezone().year
    return f"{then:%d %b %H:%M}" if this_year else f"{then:%d %b  %Y}"
